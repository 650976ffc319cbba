"""A second pass: the finished picture once more, larger, with the same rows (web UIs' hires fix)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from studio.errors import BadPreset
from studio.preset.in_place import asking
from studio.preset.mistakes import fields_renamed
from studio.preset.rows import MODELS, Document, Row, taking_part
from studio.preset.sampler import Scheduler
from studio.preset.start import Upscaler, check_enlarging, check_steps

ROUNDED = 32  # pixels by which a side may be off what the scale says: a multiple of the base's
# Of the preset that the second pass is: which of these fields its mistakes are about.
_FIELDS = {
    "init": "second_pass",
    "init.strength": "second_pass.strength",
    "init.enlarge": "second_pass.enlarge",
    "init.upscaler": "second_pass.upscaler",
    "sampler.steps": "second_pass.steps",
    "sampler.scheduler": "second_pass.scheduler",
    "refiner.model": "second_pass.model",
    "sampler.tiles": "second_pass.tiles",
    "sampler.width": "second_pass.scale",
    "sampler.height": "second_pass.scale",
    "sampler.schedule": "second_pass.scheduler",
    "sampler.eta": "second_pass.scheduler",
    "cfgpp": "second_pass.scheduler",
    "cfg": "second_pass.cfg",
}
_TOWARD, _AWAY = "second_pass.prompt", "second_pass.negative_prompt"


class SecondPass(Document):
    """The finished picture enlarged, and denoised again with the same rows and seed.

    ``prompt`` takes the place of that of the first row that pulls towards one, ``negative_prompt`` of the
    first that pushes away from one, and of the same in other rows; ``cfg`` is the scale of the rows;
    ``scheduler`` its own, under the first's noise schedule and eta where it takes them; ``model`` takes
    the base's place in all of it, as :class:`studio.preset.refiner.Refiner` says.
    """

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
    scheduler: Annotated[
        Scheduler | None,
        Field(
            description="Scheduler of the second pass, with the first's schedule and eta where it takes "
            "them. Empty: the first's."
        ),
    ] = None
    model: Annotated[
        str,
        Field(
            max_length=200,
            description="Id of a whole model that takes the base's place in the second pass. Empty: the "
            "same as in the first.",
            json_schema_extra={MODELS: ["base", "finetune"]},
        ),
    ] = ""
    prompt: Annotated[
        str,
        Field(
            max_length=4000,
            description="In place of the prompt of the first row that pulls towards one, and of rows of "
            "the same prompt, in the second pass. Empty: the same.",
        ),
    ] = ""
    negative_prompt: Annotated[
        str,
        Field(
            max_length=4000,
            description="In place of the prompt of the first row that pushes away from one, and of rows "
            "of the same prompt, in the second pass. Empty: the same.",
        ),
    ] = ""
    cfg: Annotated[
        Annotated[float, Field(ge=0.1, le=1000.0, strict=True)] | None,
        Field(
            description="CFG scale of the second pass, the negative prompt with it. Empty: the first's."
        ),
    ] = None

    @property
    def on(self) -> bool:
        """Whether there is one."""
        return self.scale > 1

    @property
    def paints(self) -> bool:
        """Whether a step of it runs; else it only enlarges."""
        return self.on and self.strength > 0

    def asking(self, rows: Sequence[Row]) -> dict[int, str]:
        """The numbers of the rows whose prompts its own take the place of, with the field that does.

        Raises:
            BadPreset: it has a prompt, and no row has one of that side.
        """
        if not self.paints:
            return {}
        taking = taking_part(rows)
        away = asking(self.negative_prompt, taking, _AWAY, True, self.cfg is not None)
        toward = asking(self.prompt, taking, _TOWARD)
        return dict.fromkeys(away, _AWAY) | dict.fromkeys(toward, _TOWARD)

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


def of_second_pass(
    places: Mapping[int, str] = MappingProxyType({}),
) -> AbstractContextManager[None]:
    """Mistakes of the preset that a second pass is name the field that they come from.

    Args:
        places: the rows whose prompts are the second pass's, as :meth:`SecondPass.asking` names them.
    """
    return fields_renamed(second_fields(places))


def second_fields(places: Mapping[int, str]) -> dict[str, str]:
    """Fields of the preset that a second pass is, and where they come from."""
    return _FIELDS | {f"rows.{index}.prompt": field for index, field in places.items()}
