"""Pictures that continue at their opposite edge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studio.errors import BadPreset

OFF = "off"
Seamless = Annotated[
    Literal["off", "both", "x", "y"],
    Field(
        description="Opposite edges meet, so that copies side by side show no seam: left and right (x), "
        "top and bottom (y), or both."
    ),
]


def check_seamless(chosen: str, in_parts: bool) -> None:
    """See that the picture has edges that can meet.

    Raises:
        BadPreset: it is made in parts, which have edges of their own.
    """
    if chosen != OFF and in_parts:
        raise BadPreset(
            "the edges of a picture that is made in tiles, around a mask alone, or with a detail pass, "
            "cannot meet",
            field="seamless",
        )
