"""Edges that another tool's picture lets meet, where a preset of it can have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.library import ModelFamily


def can_meet(
    seamless: str, data: Mapping[str, Any], family: ModelFamily | None, notes: list[str]
) -> bool:
    """Whether edges that are asked for can meet; noted where they cannot.

    Args:
        seamless: which, "" where none is asked for.
        data: the preset's other fields, as far as they say in how many parts the picture is made.
        family: the base's; ``None`` where it is not known.
    """
    if not seamless:
        return False
    if family is not None and not family.seamless:
        notes.append(f"seamless: {seamless} is left out; no edges can meet on {family.title}")
        return False
    again = data.get("second_pass") or {}
    if again.get("tiles") or data.get("detail"):
        notes.append(
            f"seamless: {seamless} is left out; the edges of a picture that is made in tiles or with "
            "a detail pass cannot meet"
        )
        return False
    return True
