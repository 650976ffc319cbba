"""What all of an adapter's tensors for one layer come to: kinds add, a magnitude decomposes the sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite

import torch
from torch import Tensor, nn

from studio.engine.adapters import kinds as _own_kinds  # noqa: F401 - they register themselves
from studio.engine.adapters.changes import (
    ADAPTER_CHANGES,
    Change,
    Delta,
    Factors,
    product,
    shaped,
    with_magnitude,
)
from studio.errors import IncompatibleModels
from studio.library.adapter_kinds import ADAPTER_KINDS, SHARED, kinds_of

_MAGNITUDES = ("magnitude", "dora_scale")
_NUMBERS = ("alpha", "scalar")


def change_of(
    tensors: Mapping[str, Tensor], module: nn.Module, scale: Callable[[int], float]
) -> Delta:
    """The change that an adapter's tensors, by role, make to ``module``, at strength 1.

    Args:
        scale: what the product of factors of a given rank is multiplied by without an alpha.

    Raises:
        IncompatibleModels: tensors that do not fit together, or not to the layer; names no field.
    """
    numbers = {role: _number(tensors[role], role) for role in _NUMBERS if role in tensors}
    weight, bias = _wide(_weight(module), "weight"), getattr(module, "bias", None)
    wide = {
        role: _wide(value, role, weight.dtype)
        for role, value in tensors.items()
        if role not in _NUMBERS
    }
    factors = Factors(
        {role: value for role, value in wide.items() if role not in _MAGNITUDES},
        weight,
        None if bias is None else _wide(bias, "bias"),
        numbers.get("alpha"),
        scale,
    )
    try:
        total = _sum(factors, weight, getattr(module, "groups", 1))
        if "scalar" in numbers:
            total = _map(total, lambda change: change * numbers["scalar"], weight)
        for role in _MAGNITUDES:
            if role in wide:
                # peft keeps one number an output, whatever the shape that it keeps them in.
                given = wide[role].flatten() if role == "magnitude" else wide[role]
                total = _map(total, lambda c, m=given: with_magnitude(c, m, weight), weight)
    except (RuntimeError, IndexError, ValueError, TypeError, OverflowError) as error:
        shapes = ", ".join(f"{role} {tuple(value.shape)}" for role, value in wide.items())
        raise IncompatibleModels(
            f"has tensors that do not fit together or not to a weight {tuple(weight.shape)}: "
            f"{shapes[:200]}"
        ) from error
    return _checked(total, module)


def _sum(factors: Factors, weight: Tensor, groups: int) -> Delta:
    """All kinds' changes added; factors stay factors where there is nothing to add to them."""
    names = kinds_of(set(factors))
    known = set(SHARED.values()).union(*(ADAPTER_KINDS[name].roles.values() for name in names))
    if odd := sorted(set(factors) - known):
        raise IncompatibleModels(f"has {', '.join(odd)} beside {', '.join(names)}")
    weights: list[Change] = []
    biases: list[Tensor] = []
    for name in names:
        delta = ADAPTER_CHANGES.require(name, "adapter change")(factors)
        if delta.weight is not None:
            weights.append(delta.weight)
        if delta.bias is not None:
            biases.append(delta.bias)
    whole = len(weights) > 1 or groups != 1  # factors cannot be grouped
    changes = [_full(change, weight) for change in weights] if whole else weights
    total = sum(changes[1:], start=changes[0]) if changes else None  # type: ignore[arg-type]
    return Delta(total, sum(biases[1:], start=biases[0]) if biases else None)


def _full(change: Change, weight: Tensor) -> Tensor:
    """``ΔW`` in the weight's shape."""
    if isinstance(change, Tensor):
        return shaped(change, weight)
    down, up = change
    return shaped(product(up, down), weight)


def _map(delta: Delta, function: Callable[[Tensor], Tensor], weight: Tensor) -> Delta:
    if delta.weight is None:
        raise IncompatibleModels("scales a weight that it does not change")
    return Delta(function(_full(delta.weight, weight)), delta.bias)


def _checked(delta: Delta, module: nn.Module) -> Delta:
    """Raise :class:`IncompatibleModels` for the bias of another layer."""
    outputs = _weight(module).shape[0]
    if delta.bias is not None and delta.bias.shape != (outputs,):
        raise IncompatibleModels(
            f"changes a bias of {delta.bias.numel()} numbers, the layer has {outputs} outputs"
        )
    return delta


def _weight(module: nn.Module) -> Tensor:
    assert isinstance(module.weight, Tensor)  # only layers with a weight have names
    return module.weight


def _number(value: Tensor, role: str) -> float:
    if value.numel() != 1 or value.is_complex():
        raise IncompatibleModels(f"has {role} of shape {tuple(value.shape)}; it is one number")
    number = float(value.double())
    if not isfinite(number):
        raise IncompatibleModels(f"has {role} {number}")
    return number


def _wide(value: Tensor, role: str, at_least: torch.dtype = torch.float32) -> Tensor:
    """On the CPU, in float32 at least: 8-bit floats have no arithmetic of their own."""
    if value.is_complex():
        raise IncompatibleModels(f"has {role} in complex numbers")
    value = value.detach().cpu()
    if value.dtype != torch.float64:
        value = value.float()
    return value.to(torch.promote_types(value.dtype, at_least))
