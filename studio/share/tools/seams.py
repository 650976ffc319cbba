"""Edges that another tool's picture lets meet, where a preset of it can have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.errors import BadPreset
from studio.library import ModelFamily
from studio.preset.seamless import check_seamless


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
    try:
        check_seamless(seamless, bool(again.get("tiles") or data.get("detail")))
    except BadPreset as error:
        notes.append(f"seamless: {seamless} is left out; {error.message}")
        return False
    return True
