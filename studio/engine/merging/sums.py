"""One tensor of the outcome, in float32: weighted sum, add difference, and what LoRAs add."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.engine.adapters.changes import Change, product
from studio.engine.merging.sources import Part
from studio.errors import StudioError, shorten
from studio.library.alike import latent_channels, refuse_lacking, refuse_other_shape
from studio.library.merging import DIFFERENCE, SUM, Recipe

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
Added = Mapping[str, Sequence[tuple[Change, float]]]  # tensor → changes with their strengths


@dataclass(frozen=True)
class Sum:
    """A part of the outcome: A's, with that of B (and C) where they have it, and LoRAs' changes."""

    first: Part
    others: Sequence[Part]
    added: Added
    recipe: Recipe

    def shapes(self) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        """Shape and type of each tensor by name."""
        dtype = DTYPES[self.recipe.precision]
        return {
            name: (tuple(t.shape), dtype if t.is_floating_point() else t.dtype)
            for name, t in self.first.tensors.items()
        }

    def tensors(self) -> Iterator[Tensor]:
        """Each tensor, in the order of :meth:`shapes`.

        Raises:
            StudioError: a number is too large for the precision, or is none; names what is to blame.
        """
        dtype = DTYPES[self.recipe.precision]
        merged = set(self.first.weights())
        for name, own in self.first.tensors.items():
            if not own.is_floating_point():
                yield own
                continue
            value = self._value(name, own) if name in merged else own
            kept = value.to(dtype)
            if not bool(kept.isfinite().all()):
                raise self._not_finite(name, value)
            yield kept

    def _value(self, name: str, own: Tensor) -> Tensor:
        value = own.to(torch.promote_types(own.dtype, torch.float32), copy=True)
        others = [_fitting(other.find(name), value) for other in self.others]
        if others:
            inside = value[:, : others[0].shape[1]] if value.ndim > 1 else value
            inside.copy_(combined(self.recipe.how, inside, others, self.recipe.multiplier))
        for change, strength in self.added.get(name, ()):
            value += strength * whole(change, value)
        return value

    def _not_finite(self, name: str, value: Tensor) -> StudioError:
        if bool(value.isfinite().all()):
            return StudioError(
                f"{name} of {self.first.name} has numbers up to {value.abs().max():.3g}, which "
                f"{self.recipe.precision} cannot hold; take bf16 or fp32",
                field="precision",
            )
        for place, part in zip("ABC", (self.first, *self.others), strict=False):
            found = part.find(name)
            if found is not None and not bool(found.isfinite().all()):
                return StudioError(
                    f"{name} of {part.name} has numbers that are none (NaN or infinity) in "
                    f"{shorten(self.recipe.models()[place])}; fetch it again",
                    field=place,
                )
        return StudioError(
            f"{name} of {self.first.name} comes to numbers that nothing can hold; take a smaller "
            "multiplier, and smaller strengths",
            field="multiplier" if self.others else "loras",
        )


def combined(how: str, a: Tensor, others: Sequence[Tensor], m: float) -> Tensor:
    """``A·(1−m) + B·m``, or ``A + m·(B−C)``."""
    if how == SUM:
        return a * (1 - m) + others[0] * m  # at 1 all of B, digit by digit
    assert how == DIFFERENCE
    return a + m * (others[0] - others[1])


def whole(change: Change, like: Tensor) -> Tensor:
    """ΔW of an adapter's change, in the shape of the weight."""
    delta = change if isinstance(change, Tensor) else product(change[1].float(), change[0].float())
    return delta.to(like.dtype).reshape(like.shape)


def _fitting(other: Tensor | None, own: Tensor) -> Tensor:
    assert other is not None  # as check_alike has seen
    return other.to(own.dtype)


def check_alike(
    first: Part, other: Part, names: tuple[str, str], place: str, wider: bool = True
) -> None:
    """Refuse parts whose tensors differ in name or shape.

    A first convolution of A that reads further channels (a mask and the picture around it) fits: they
    stay A's own.

    Args:
        names: ids of the two models. place: which of B and C the other is.
        wider: whether the first may be so, being A.

    Raises:
        StudioError: names the place, the tensor, and what differs.
    """
    mine, theirs = names
    own = list(first.weights())
    lacking = [name for name in own if other.find(name) is None]
    further = [name for name in other.weights() if first.find(name) is None]
    refuse_lacking(lacking, theirs, mine, place)
    refuse_lacking(further, mine, theirs, place)
    last = other.find("conv_out.weight") if wider else None
    latent = 0 if last is None else latent_channels({"conv_out.weight": tuple(last.shape)})
    for name in own:
        b = other.find(name)
        assert b is not None
        shapes = tuple(first.tensors[name].shape), tuple(b.shape)
        refuse_other_shape(name, (mine, shapes[0]), (theirs, shapes[1]), place, latent)


def named(
    find: Callable[[str], str | None], changes: Mapping[str, Change], lora: str
) -> dict[str, Change]:
    """An adapter's changes by the tensors that they are added to.

    Args:
        find: the name of a module's tensor among the part's.

    Raises:
        StudioError: a change of a bias that the layer does not have.
    """
    found: dict[str, Change] = {}
    for where, change in changes.items():
        name = find(where if where.endswith(".bias") else f"{where}.weight")
        if name is None:
            raise StudioError(
                f"{lora!r} changes {where}, which the base's files do not hold", field="loras"
            )
        found[name] = change
    return found
