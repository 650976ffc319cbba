"""A1111's soft inpainting, which is a switch of the start picture here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.share.tools.table import Fields, Found

_START = "Soft inpainting "
ANOTHER_RULE = (
    "Soft inpainting: here as differential diffusion, by another rule than there: the mask's grey alone "
    "says from which step on a place is painted"
)
MOST = 12  # numbers that are named
LEFT_ON = (
    "init.soft_inpainting: was on there; the start picture and its mask are not in the file, so choose "
    "them and switch it on"
)


def soft_inpainting(fields: Fields, found: Found) -> None:
    """Take it out of the settings, and say that it was on: no start picture is in a file."""
    given = fields.starting(_START)
    if str(given.pop(f"{_START}enabled", "")).lower() != "true":
        return
    found.notes += [
        LEFT_ON,
        *left_out({name.removeprefix(_START): one for name, one in given.items()}),
    ]


def left_out(numbers: Mapping[str, Any]) -> list[str]:
    """A note that it follows another rule here, with the numbers that it has there and not here.

    There the mask is scaled by the noise level, and both latents are blended at each step.
    """
    given = [f"{name[:40]} {str(value)[:20]}" for name, value in numbers.items()]
    listed = ", ".join(given[:MOST])
    if not listed:
        return [ANOTHER_RULE]
    return [
        "Soft inpainting: here as differential diffusion, by another rule than there: the mask's grey "
        f"alone says from which step on a place is painted; left out: {listed}"
    ]
