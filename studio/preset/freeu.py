"""FreeU: a network's own features and what skips past them, weighed anew (Si et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StrictBool

from studio.preset.rows import Document

NAMES = ("b1", "b2", "s1", "s2")
MOST = 4.0
# 0 would switch diffusers' own off without a word; 4 is the most of Forge's sliders.
_Factor = Annotated[float, Field(gt=0.0, le=MOST, strict=True, allow_inf_nan=False)]
_OWN = "Empty: the authors' for the base."


class FreeU(Document):
    """FreeU (arXiv:2309.11497), on every network of a run, as diffusers has it."""

    on: Annotated[
        StrictBool,
        Field(
            description="Networks trust what they have worked out more, and what skips past it less: "
            "calmer, clearer pictures at no further pass. For Stable Diffusion 1.x, 2.x and XL."
        ),
    ] = False
    b1: Annotated[
        _Factor | None,
        Field(description=f"Scales the lowest level's own features; 1.1 to 1.5 usual. {_OWN}"),
    ] = None
    b2: Annotated[
        _Factor | None,
        Field(description=f"Scales the next level's own features; 1.2 to 1.6 usual. {_OWN}"),
    ] = None
    s1: Annotated[
        _Factor | None,
        Field(
            description=f"Scales what skips to the lowest level, coarse parts; 0.6 to 0.9 usual. {_OWN}"
        ),
    ] = None
    s2: Annotated[
        _Factor | None,
        Field(
            description=f"Scales what skips to the next level, coarse parts; 0.2 to 0.4 usual. {_OWN}"
        ),
    ] = None

    def settled(self, usual: Sequence[float]) -> FreeU:
        """The same with every factor, where it is on.

        Args:
            usual: b1, b2, s1 and s2 of the base's family, for those that are left out; none: it has no
                levels for them.
        """
        if not self.on or not usual:
            return self
        return FreeU(on=True, **(dict(zip(NAMES, usual, strict=True)) | self.factors()))

    def factors(self) -> dict[str, float]:
        """The factors that are given, by their names; none where it is off."""
        given = {name: getattr(self, name) for name in NAMES if self.on}
        return {name: value for name, value in given.items() if value is not None}
