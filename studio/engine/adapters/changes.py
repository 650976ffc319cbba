"""What an adapter adds to a layer, and the table of the functions that find it.

All is reckoned in float32 at least, whatever precision the file has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import torch
from torch import Tensor

from studio.errors import IncompatibleModels
from studio.extensions import Table

# Low-rank factors (down ``A``, up ``B``) of ``ΔW = B·A``, or ``ΔW`` itself.
Change = tuple[Tensor, Tensor] | Tensor


@dataclass(frozen=True)
class Delta:
    """What is added to a layer: to its weight, and to its bias."""

    weight: Change | None = None
    bias: Tensor | None = None


class Factors(Mapping[str, Tensor]):
    """A layer's tensors by role, in float32 at least.

    Args:
        tensors: role → tensor, ``alpha`` and ``scalar`` apart.
        weight, bias: the layer's own, as they lie in the network.
        alpha: the file's ``alpha`` for the layer, ``None`` where it has none.
        scale: what the adapter's settings say that its product is multiplied by, given its rank.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        weight: Tensor,
        bias: Tensor | None = None,
        alpha: float | None = None,
        scale: Callable[[int], float] = lambda rank: 1.0,
    ) -> None:
        self._tensors = tensors
        self.shape, self.alpha = weight.shape, alpha
        self._weight, self._bias, self._scale = weight, bias, scale

    @cached_property
    def weight(self) -> Tensor:
        """The layer's own weight, on the CPU; most kinds need its ``shape`` alone."""
        return wide(self._weight, "weight")

    @cached_property
    def bias(self) -> Tensor | None:
        """The layer's own bias, on the CPU."""
        return None if self._bias is None else wide(self._bias, "bias")

    def __getitem__(self, role: str) -> Tensor:
        if role not in self._tensors:
            raise IncompatibleModels(f"has {', '.join(self._tensors)} and no {role}")
        return self._tensors[role]

    def __contains__(self, role: object) -> bool:
        return role in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def scale(self, rank: int) -> float:
        """``alpha / rank``; an alpha of 0 stands for the rank, as trainers write and read it.

        Raises:
            IncompatibleModels: a rank of 0.
        """
        if rank < 1:
            raise IncompatibleModels("has rank 0")
        value = self.alpha / rank if self.alpha else self._scale(rank)
        if not isfinite(value):
            raise IncompatibleModels(f"has scale {value}")
        return value


Reading = Callable[[Factors], Delta]
ADAPTER_CHANGES: Table[Reading] = Table("adapter change")


def reads(kind: str) -> Callable[[Reading], Reading]:
    """Register the reading of a kind's tensors under its name."""
    return lambda function: ADAPTER_CHANGES.register(kind, function)


def product(up: Tensor, down: Tensor) -> Tensor:
    """``B·A`` of factors of any number of axes, (outputs, inputs · kernel)."""
    return up.flatten(1) @ down.flatten(1)


def tucker(core: Tensor, up: Tensor, down: Tensor) -> Tensor:
    """``Σ_rs up[r, o] · core[r, s, …] · down[s, i]``: (outputs, inputs, kernel …)."""
    return torch.einsum("rs...,ro,si->oi...", core, up, down)


def wide(value: Tensor, role: str, at_least: torch.dtype = torch.float32) -> Tensor:
    """On the CPU, in float32 at least: 8-bit floats have no arithmetic of their own.

    Raises:
        IncompatibleModels: complex numbers.
    """
    if value.is_complex():
        raise IncompatibleModels(f"has {role} in complex numbers")
    value = value.detach().cpu()
    if value.dtype != torch.float64:
        value = value.float()
    return value.to(torch.promote_types(value.dtype, at_least))


def shaped(change: Tensor, shape: torch.Size) -> Tensor:
    """``change`` in a weight's shape.

    Raises:
        IncompatibleModels: it holds another number of values.
    """
    if change.numel() != shape.numel():
        raise IncompatibleModels(
            f"is made for another layer: {tuple(change.shape)}, the base's is {tuple(shape)}"
        )
    return change.reshape(shape)


def with_magnitude(change: Tensor, magnitude: Tensor, weight: Tensor) -> Tensor:
    """DoRA (Eq. 5): ``m·(W + ΔW)/‖W + ΔW‖ − W``; a row of zeros stays one.

    The norm runs over the axes along which ``m`` does not vary: it has one number an output in
    most files, one an input in some of LyCORIS's.

    Args:
        magnitude: a vector, one number an output, or of as many axes as the weight.

    Raises:
        IncompatibleModels: a magnitude of another shape.
    """
    moved = weight + change
    if magnitude.numel() == magnitude.shape[0]:
        magnitude = magnitude.reshape(-1, *[1] * (moved.ndim - 1))
    elif magnitude.ndim != moved.ndim:
        magnitude = magnitude.reshape(1, -1, *[1] * (moved.ndim - 2))
    axes = [axis for axis in range(moved.ndim) if magnitude.shape[axis] == 1]
    fits = all(magnitude.shape[axis] in (1, moved.shape[axis]) for axis in range(moved.ndim))
    if not axes or not fits:
        raise IncompatibleModels(
            f"has magnitudes {tuple(magnitude.shape)} for a weight {tuple(weight.shape)}"
        )
    norm = torch.linalg.vector_norm(moved, dim=axes, keepdim=True)
    return magnitude * moved / norm.clamp_min(torch.finfo(norm.dtype).tiny) - weight
