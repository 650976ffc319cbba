"""LoRA as a per-sample term: every sample of one batch has its own scale of every adapter.

For adapters ``k`` of rank ``r_k`` their factors are concatenated along the rank, and a batch's
samples choose their scales: ``y = W·x + ((x·Aᵀ) · S[sample])·Bᵀ`` with ``S`` zero for samples
without the adapter. One batch thus serves the prior, each LoRA row and their ``θ_ω``, and no
weight is ever written to, so nothing can leak into another row or the next image. Adapters that
are no product of thin factors come as the full difference ``ΔW`` and are scaled in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.engine.adapters.changes import Change
from studio.engine.networks.rounded import shape_of
from studio.errors import IncompatibleModels

_BIAS = ".bias"


@dataclass(frozen=True)
class Adapter:
    """One adapter: for each network, module name → its change, at strength 1.

    Factors of a linear layer are ``A`` (rank, in) and ``B`` (out, rank), of a convolution ``A``
    (rank, in, k, k) and ``B`` (out, rank, 1, 1), ``B`` already times ``alpha / rank``; a full
    ``ΔW`` has the shape of the weight. What is added to a layer's bias stands under ``layer.bias``.
    ``unet`` is the denoising network's, ``text`` the text towers' by their names in a pipeline.
    ``notes``: what of the file is left out, in words.
    """

    name: str
    unet: Mapping[str, Change]
    text: Mapping[str, Mapping[str, Change]]
    notes: tuple[str, ...] = ()

    def tensors(self) -> list[Tensor]:
        """All tensors, for counting bytes."""
        changes = [c for part in (self.unet, *self.text.values()) for c in part.values()]
        return [
            t for change in changes for t in (change if isinstance(change, tuple) else (change,))
        ]


@contextmanager
def attached(
    network: nn.Module,
    adapters: Sequence[Mapping[str, Change]],
    scales: Tensor,
    name: str = "lora",
) -> Iterator[None]:
    """Run ``network`` with ``adapters``, each sample at its own scales, inside the ``with``.

    Args:
        adapters: one mapping module → change per adapter.
        scales: shape (batch, adapters), on the CPU; row ``b`` holds sample ``b``'s scale of each adapter.

    Raises:
        IncompatibleModels: an adapter names a module the network lacks, or of another shape.
    """
    with Attachment(network, adapters, scales, name).on(network):
        yield


class Attachment:
    """Adapters made ready for the samples of one batch, to be put on at every step.

    Args: those of :func:`attached`. The network is not kept alive. ``layers`` names what they touch.

    Raises:
        IncompatibleModels: an adapter names a module the network lacks, or of another shape.
    """

    def __init__(
        self,
        network: nn.Module,
        adapters: Sequence[Mapping[str, Change]],
        scales: Tensor,
        name: str = "lora",
    ) -> None:
        self.layers = frozenset(where for adapter in adapters for where in adapter)
        self._hooks: list[tuple[str, _LowRank | _Full | _Bias]] = []
        self._found: WeakKeyDictionary[nn.Module, list[nn.Module]] = WeakKeyDictionary()
        modules = dict(network.named_modules())
        for where in sorted(self.layers) if bool(scales.any()) else ():
            parts = [(a[where], scales[:, i]) for i, a in enumerate(adapters) if where in a]
            _check_layer(modules, where, [change for change, _ in parts], name)
            layer = where.removesuffix(_BIAS)
            factors = [(c, s) for c, s in parts if isinstance(c, tuple)]
            if factors:
                self._hooks.append((layer, _LowRank(factors)))
            full = _Bias if where != layer else _Full
            self._hooks += [(layer, full(c, s)) for c, s in parts if isinstance(c, Tensor)]

    @contextmanager
    def on(self, network: nn.Module) -> Iterator[None]:
        """Run ``network`` with the adapters inside the ``with``."""
        if network not in self._found:
            self._found[network] = [network.get_submodule(where) for where, _ in self._hooks]
        handles = []
        try:
            for layer, (_, hook) in zip(self._found[network], self._hooks, strict=True):
                handles.append(layer.register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()


class _LowRank:
    """A forward hook that adds ``((x·Aᵀ)·S)·Bᵀ``."""

    def __init__(self, parts: Sequence[tuple[tuple[Tensor, Tensor], Tensor]]) -> None:
        (self.down, self.up), _ = parts[0]  # one adapter's factors are used as they lie
        if len(parts) > 1:
            self.down = torch.cat([a for (a, _), _ in parts], dim=0)
            self.up = torch.cat([b for (_, b), _ in parts], dim=1)
        ranks = [a.shape[0] for (a, _), _ in parts]
        self.scales = (
            torch.cat(
                [s[:, None].expand(-1, r) for (_, s), r in zip(parts, ranks, strict=True)], dim=1
            )
            .to(self.down.dtype)
            .to(self.down.device)
        )

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = args[0]
        if isinstance(module, nn.Conv2d):
            hidden = module._conv_forward(x, self.down, None)  # with the layer's own edges
            return output + F.conv2d(hidden * _along(self.scales, hidden, 1), self.up)
        hidden = F.linear(x, self.down)
        hidden = hidden * _along(self.scales, hidden, -1)
        flat = torch.addmm(output.flatten(0, -2), hidden.flatten(0, -2), self.up.t())
        return flat.view(output.shape)


class _Full:
    """A forward hook that adds ``(x·ΔWᵀ)·S``, for the samples that have the adapter only."""

    def __init__(self, change: Tensor, scales: Tensor) -> None:
        self.change = change
        self.samples = len(scales)
        self.where = scales.nonzero()[:, 0].to(change.device)
        self.scales = scales.to(change)[self.where, None]

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        where = _rows(self.where, args[0].shape[0], self.samples)
        term = _applied(module, args[0][where], self.change)
        return output.index_add(0, where, term * _along(self.scales, term, _axis(module)))


class _Bias:
    """A forward hook that adds ``S·Δb``."""

    def __init__(self, change: Tensor, scales: Tensor) -> None:
        self.scaled = scales.to(change)[:, None] * change

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + _along(self.scaled, output, _axis(module))


def _applied(module: nn.Module, x: Tensor, change: Tensor) -> Tensor:
    """What ``module`` makes of ``x`` with ``change`` in its weight's place, and no bias."""
    match module:
        case nn.Conv2d():
            return module._conv_forward(x, change, None)
        case nn.GroupNorm():
            return F.group_norm(x, module.num_groups, change, None, module.eps)
        case nn.LayerNorm():
            return F.layer_norm(x, module.normalized_shape, change, None, module.eps)
        case _:
            return F.linear(x, change)


def _axis(module: nn.Module) -> int:
    """Where a layer's output holds its channels."""
    return 1 if isinstance(module, (nn.Conv2d, nn.GroupNorm)) else -1


def _along(values: Tensor, x: Tensor, axis: int) -> Tensor:
    """``values`` (samples, k), to multiply or add to features ``x`` whose ``axis`` is k (or 1) wide.

    Where a batch holds several rows a sample, such as the windows of a long prompt, they follow
    one another, and each gets its sample's values.
    """
    if x.shape[0] != len(values):
        values = values.repeat_interleave(_each(x.shape[0], len(values)), dim=0)
    shape = [x.shape[0]] + [1] * (x.ndim - 1)
    shape[axis] = values.shape[1]
    return values.view(shape)


def _rows(where: Tensor, rows: int, samples: int) -> Tensor:
    """The rows of a batch that belong to the samples ``where``."""
    each = _each(rows, samples)
    if each == 1:
        return where
    return (where[:, None] * each + torch.arange(each, device=where.device)).flatten()


def _each(rows: int, samples: int) -> int:
    """Rows a sample.

    Raises:
        IncompatibleModels: no whole number of them.
    """
    if rows % samples:
        raise IncompatibleModels(
            f"adapters of {samples} samples meet {rows} rows of features, which no sample owns"
        )
    return rows // samples


def check_fits(network: nn.Module, adapter: Mapping[str, Change], name: str) -> None:
    """Raise :class:`IncompatibleModels` unless every layer of ``adapter`` is in ``network``."""
    modules = dict(network.named_modules())
    for where, change in adapter.items():
        _check_layer(modules, where, [change], name)


def _check_layer(
    modules: Mapping[str, nn.Module], where: str, parts: Sequence[Change], name: str
) -> None:
    layer = where.removesuffix(_BIAS)
    module = modules.get(layer)
    if not isinstance(module, (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)):
        kind = type(module).__name__
        raise IncompatibleModels(
            f"is a LoRA of another architecture: the base has no layer {layer}"
            if module is None
            else f"is a LoRA of another architecture: the base has a layer of another kind, {kind}, {layer}",
            field=name,
        )
    wanted = tuple(shape_of(module.weight))
    for change in parts:
        if where != layer:
            fits = isinstance(change, Tensor) and tuple(change.shape) == wanted[:1]
        elif isinstance(change, Tensor):
            fits = tuple(change.shape) == wanted
        else:
            fits = _factors_fit(module, *change)
        if not fits:
            down, up = change if isinstance(change, tuple) else (change, change)
            raise IncompatibleModels(
                f"is a LoRA of another architecture: at {where} it is "
                f"{_width(down.shape)}→{up.shape[0]}, the base {_width(wanted)}→{wanted[0]}",
                field=name,
            )


def _factors_fit(
    module: nn.Linear | nn.Conv2d | nn.GroupNorm | nn.LayerNorm, down: Tensor, up: Tensor
) -> bool:
    """Whether ``up·down`` leads from the layer's inputs to its outputs, in the layer's own axes."""
    outputs, *inputs = shape_of(module.weight)
    ends = (outputs, down.shape[0])
    ones = (1, 1) if isinstance(module, nn.Conv2d) else ()
    grouped = getattr(module, "groups", 1) != 1
    return not grouped and list(down.shape[1:]) == inputs and tuple(up.shape) == (*ends, *ones)


def _width(shape: Sequence[int]) -> int:
    return shape[1] if len(shape) > 1 else shape[0]
