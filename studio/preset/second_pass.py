"""A second pass: the finished picture once more, larger, with the same rows (web UIs' hires fix)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from studio.errors import BadPreset
from studio.preset.mistakes import fields_renamed
from studio.preset.rows import Document
from studio.preset.start import Upscaler, check_enlarging, check_steps

ROUNDED = 32  # pixels by which a side may be off what the scale says: a multiple of the base's
# Of the preset that the second pass is: which of these fields its mistakes are about.
_FIELDS = {
    "init": "second_pass",
    "init.strength": "second_pass.strength",
    "init.enlarge": "second_pass.enlarge",
    "init.upscaler": "second_pass.upscaler",
    "sampler.steps": "second_pass.steps",
    "sampler.tiles": "second_pass.tiles",
    "sampler.width": "second_pass.scale",
    "sampler.height": "second_pass.scale",
}


class SecondPass(Document):
    """The finished picture enlarged, and denoised again with the same rows and seed."""

    scale: Annotated[
        float,
        Field(
            ge=1.0,
            le=8.0,
            strict=True,
            description="Makes the finished picture again, so many times as large, with the same rows. "
            "1 is off, 1.5 to 2 usual.",
        ),
    ] = 1.0
    strength: Annotated[
        float,
        Field(
            ge=0.0,
            le=1.0,
            strict=True,
            description="How much of it is made anew: the part of its steps that runs. 0 only enlarges it.",
        ),
    ] = 0.4
    steps: Annotated[
        Annotated[int, Field(ge=1, le=200, strict=True)] | None,
        Field(
            description="Steps of the second pass, of which the strength runs. Empty: the first's."
        ),
    ] = None
    enlarge: Annotated[
        Literal["pixels", "latents"],
        Field(
            description="Enlarged in its pixels, or in its latents for a strength of 0.5 and more."
        ),
    ] = "pixels"
    upscaler: Upscaler = ""
    tiles: Annotated[
        StrictBool, Field(description="In overlapping tiles of the base's own size.")
    ] = False

    @property
    def on(self) -> bool:
        """Whether there is one."""
        return self.scale > 1

    def check(self, steps: int, masked: bool) -> None:
        """See that it can be.

        Args:
            steps: of the first pass. masked: whether that starts from a picture with a mask.

        Raises:
            BadPreset: no step is left to run, or it would paint what the mask keeps.
        """
        if not self.on:
            return
        check_enlarging(self.upscaler, self.enlarge, self.strength, "second_pass")
        check_steps(self.steps or steps, self.strength, "second_pass.strength")
        if masked:
            raise BadPreset(
                "would paint what the mask of the start picture keeps; leave it at 1",
                field="second_pass.scale",
            )


def of_second_pass() -> AbstractContextManager[None]:
    """Mistakes of the preset that a second pass is name the field that they come from."""
    return fields_renamed(_FIELDS)
