"""A1111's soft inpainting, which is a switch of the start picture here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.share.tools.table import Fields, Found

_START = "Soft inpainting "
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
    """A note of the numbers that it has there and not here."""
    listed = ", ".join(f"{name[:40]} {str(value)[:20]}" for name, value in numbers.items())
    note = f"Soft inpainting: here the mask's grey alone says it; left out: {listed}"
    return [note] if listed else []
