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

from studio.errors import IncompatibleModels

# What an adapter adds at one layer: low-rank factors (down ``A``, up ``B``), or a full ``ΔW``.
Change = tuple[Tensor, Tensor] | Tensor


@dataclass(frozen=True)
class Adapter:
    """One adapter: for each network, module name → its change, at strength 1.

    Factors of a linear layer are ``A`` (rank, in) and ``B`` (out, rank), of a convolution ``A``
    (rank, in, k, k) and ``B`` (out, rank, 1, 1), ``B`` already times ``alpha / rank``; a full
    ``ΔW`` has the shape of the weight. ``unet`` is the denoising network's, ``text`` the text
    towers' by their names in a pipeline.
    """

    name: str
    unet: Mapping[str, Change]
    text: Mapping[str, Mapping[str, Change]]

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
        self._hooks: list[tuple[str, _LowRank | _Full]] = []
        self._found: WeakKeyDictionary[nn.Module, list[nn.Module]] = WeakKeyDictionary()
        modules = dict(network.named_modules())
        for where in sorted(self.layers) if bool(scales.any()) else ():
            parts = [(a[where], scales[:, i]) for i, a in enumerate(adapters) if where in a]
            _check_layer(modules.get(where), where, [change for change, _ in parts], name)
            factors = [(c, s) for c, s in parts if isinstance(c, tuple)]
            if factors:
                self._hooks.append((where, _LowRank(factors)))
            self._hooks += [(where, _Full(c, s)) for c, s in parts if isinstance(c, Tensor)]

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
            hidden = F.conv2d(x, self.down, None, module.stride, module.padding, module.dilation)
            return output + F.conv2d(hidden * self.scales[:, :, None, None], self.up)
        hidden = F.linear(x, self.down) * _along(self.scales, x)
        flat = torch.addmm(output.flatten(0, -2), hidden.flatten(0, -2), self.up.t())
        return flat.view(output.shape)


class _Full:
    """A forward hook that adds ``(x·ΔWᵀ)·S``, for the samples that have the adapter only."""

    def __init__(self, change: Tensor, scales: Tensor) -> None:
        self.change = change
        self.where = scales.nonzero()[:, 0].to(change.device)
        self.scales = scales.to(change)[self.where, None]

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = args[0][self.where]
        if isinstance(module, nn.Conv2d):
            term = (
                F.conv2d(
                    x,
                    self.change,
                    None,
                    module.stride,
                    module.padding,
                    module.dilation,
                    module.groups,
                )
                * self.scales[:, :, None, None]
            )
        else:
            term = F.linear(x, self.change) * _along(self.scales, x)
        return output.index_add(0, self.where, term)


def _along(scales: Tensor, x: Tensor) -> Tensor:
    """(batch, k) as (batch, 1 …, k), to multiply features of the shape of ``x``."""
    return scales.view((x.shape[0],) + (1,) * (x.ndim - 2) + (-1,))


def check_fits(network: nn.Module, adapter: Mapping[str, Change], name: str) -> None:
    """Raise :class:`IncompatibleModels` unless every layer of ``adapter`` is in ``network``."""
    modules = dict(network.named_modules())
    for where, change in adapter.items():
        _check_layer(modules.get(where), where, [change], name)


def _check_layer(module: nn.Module | None, where: str, parts: Sequence[Change], name: str) -> None:
    if not isinstance(module, (nn.Linear, nn.Conv2d)):
        raise IncompatibleModels(
            f"is a LoRA of another architecture: the base has no layer {where}", field=name
        )
    out, inner = module.weight.shape[:2]
    for change in parts:
        down, up = change if isinstance(change, tuple) else (change, change)
        if down.shape[1] != inner or up.shape[0] != out:
            raise IncompatibleModels(
                f"is a LoRA of another architecture: at {where} it is "
                f"{down.shape[1]}→{up.shape[0]}, the base {inner}→{out}",
                field=name,
            )
