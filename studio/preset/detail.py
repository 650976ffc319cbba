"""Parts of the finished picture made again, each at the full size (web UIs' detailer)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from studio.errors import BadPreset
from studio.preset.finders import FINDERS, OFF
from studio.preset.in_place import asking
from studio.preset.mistakes import fields_renamed
from studio.preset.rows import Document, Row, named
from studio.preset.start import check_steps

MOST_PHRASES = 8  # each takes a look of its own
FEATHER = 8  # pixels, inside a part's mask, over which the new fades in
if TYPE_CHECKING:
    FinderName = str
else:
    FinderName = named(FINDERS)
# Of the preset that makes a part again: which of these fields its mistakes are about.
_FIELDS = {
    "init": "detail.finder",
    "init.strength": "detail.strength",
    "init.mask": "detail.finder",
    "init.padding": "detail.padding",
}


class Detail(Document):
    """What is found in the finished picture is made again around its place, with the same rows and
    seed, at the size of the first pass, and put back.

    ``prompt`` takes the place of that of the first row that pulls towards one, and of the same in other
    rows.
    """

    finder: Annotated[
        FinderName,
        Field(
            description="What is found in the finished picture is made again, larger, and put back: "
            "small faces and hands become clear."
        ),
    ] = OFF
    words: Annotated[
        str,
        Field(
            max_length=200,
            description="What to find, such as: face, hand. Several with commas between.",
        ),
    ] = ""
    prompt: Annotated[
        str,
        Field(
            max_length=4000,
            description="In place of the prompt of the first row that pulls towards one, and of rows of "
            "the same prompt, while a part is made again. Empty: as in the picture.",
        ),
    ] = ""
    strength: Annotated[
        float,
        Field(
            gt=0.0,
            le=1.0,
            strict=True,
            description="How much of a part is made anew: the part of the steps that runs.",
        ),
    ] = 0.4
    confidence: Annotated[
        float,
        Field(
            ge=0.05,
            le=0.95,
            strict=True,
            description="How sure it must be that words say what is there; lower finds more.",
        ),
    ] = 0.4
    most: Annotated[
        int,
        Field(ge=1, le=16, strict=True, description="How many parts at most, the largest first."),
    ] = 4
    grow: Annotated[
        int,
        Field(ge=0, le=128, strict=True, description="Pixels by which what was found grows."),
    ] = 4
    padding: Annotated[
        int,
        Field(
            ge=0,
            le=512,
            strict=True,
            description="Pixels around a part that are seen besides, so that it fits in.",
        ),
    ] = 32

    @property
    def on(self) -> bool:
        """Whether anything is looked for."""
        return self.finder != OFF

    def phrases(self) -> list[str]:
        """What is to be found, one after the other."""
        return [one.strip() for one in re.split("[,،]", self.words) if one.strip()]

    def asking(self, rows: Sequence[tuple[int, Row]]) -> list[int]:
        """The rows whose prompt its own takes the place of; none where it has none.

        Args:
            rows: those that take part, with their numbers.

        Raises:
            BadPreset: none of them pulls towards a prompt.
        """
        return asking(self.prompt, rows, "detail.prompt")

    def check(self, steps: int, masked: bool) -> None:
        """See that it can be.

        Args:
            steps: of the picture. masked: whether that starts from a picture with a mask.

        Raises:
            BadPreset: nothing to find, no step is left to run, or it would paint what the mask keeps.
        """
        if not self.on:
            return
        if FINDERS[self.finder].reads_words and not self.phrases():
            raise BadPreset("names nothing to find, such as: face, hand", field="detail.words")
        if len(self.phrases()) > MOST_PHRASES:
            raise BadPreset(
                f"at most {MOST_PHRASES} with commas between, got {len(self.phrases())}",
                field="detail.words",
            )
        check_steps(steps, self.strength, "detail.strength")
        if masked:
            raise BadPreset(
                "would paint what the mask of the start picture keeps; leave it off",
                field="detail.finder",
            )


def of_detail(places: Iterable[int] = ()) -> AbstractContextManager[None]:
    """Mistakes of the preset that makes a part again name the field that they come from.

    Args:
        places: the rows whose prompt is the detail's.
    """
    return fields_renamed(detail_fields(places))


def detail_fields(places: Iterable[int]) -> dict[str, str]:
    """Fields of the preset that makes a part again, and where they come from."""
    return _FIELDS | {f"rows.{index}.prompt": "detail.prompt" for index in places}
