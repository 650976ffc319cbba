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
    wide,
    with_magnitude,
)
from studio.engine.networks.devices import memory_error_within
from studio.engine.networks.rounded import shape_of, unfolded
from studio.errors import IncompatibleModels
from studio.library.adapter_kinds import ADAPTER_KINDS, MAGNITUDES, SHARED, kinds_of

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
    weight = unfolded(module.weight)
    at_least = torch.promote_types(weight.dtype, torch.float32)
    values = {
        role: wide(value, role, at_least) for role, value in tensors.items() if role not in _NUMBERS
    }
    factors = Factors(
        {role: value for role, value in values.items() if role not in MAGNITUDES},
        weight,
        getattr(module, "bias", None),
        numbers.get("alpha"),
        scale,
    )
    try:
        total = _sum(factors, getattr(module, "groups", 1))
        if "scalar" in numbers:
            total = _map(total, lambda change: change * numbers["scalar"], weight.shape)
        for role in MAGNITUDES:
            if role in values:
                # peft keeps one number an output, whatever the shape that it keeps them in.
                given = values[role].flatten() if role == "magnitude" else values[role]
                total = _map(
                    total, lambda c, m=given: with_magnitude(c, m, factors.weight), weight.shape
                )
    except (RuntimeError, IndexError, ValueError, TypeError, OverflowError) as error:
        if memory_error_within(error) is not None:
            raise
        shapes = ", ".join(f"{role} {tuple(value.shape)}" for role, value in values.items())
        raise IncompatibleModels(
            f"has tensors that do not fit together or not to a weight {tuple(weight.shape)}: "
            f"{shapes[:200]}"
        ) from error
    return _checked(total, module)


def _sum(factors: Factors, groups: int) -> Delta:
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
    changes = [_full(change, factors.shape) for change in weights] if whole else weights
    total = sum(changes[1:], start=changes[0]) if changes else None  # type: ignore[arg-type]
    return Delta(total, sum(biases[1:], start=biases[0]) if biases else None)


def _full(change: Change, shape: torch.Size) -> Tensor:
    """``ΔW`` in the weight's shape."""
    if isinstance(change, Tensor):
        return shaped(change, shape)
    down, up = change
    return shaped(product(up, down), shape)


def _map(delta: Delta, function: Callable[[Tensor], Tensor], shape: torch.Size) -> Delta:
    if delta.weight is None:
        raise IncompatibleModels("scales a weight that it does not change")
    return Delta(function(_full(delta.weight, shape)), delta.bias)


def _checked(delta: Delta, module: nn.Module) -> Delta:
    """Raise :class:`IncompatibleModels` for the bias of another layer."""
    outputs = shape_of(module.weight)[0]
    if delta.bias is not None and delta.bias.shape != (outputs,):
        raise IncompatibleModels(
            f"changes a bias of {delta.bias.numel()} numbers, the layer has {outputs} outputs"
        )
    return delta


def _number(value: Tensor, role: str) -> float:
    if value.numel() != 1 or value.is_complex():
        raise IncompatibleModels(f"has {role} of shape {tuple(value.shape)}; it is one number")
    number = float(value.double())
    if not isfinite(number):
        raise IncompatibleModels(f"has {role} {number}, which is no finite number")
    return number
