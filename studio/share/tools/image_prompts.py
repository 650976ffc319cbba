"""Pictures that another tool's prompts saw through an IP-Adapter, as image prompts of rows.

Those tools put the adapter onto the network of both predictions of classifier-free guidance, with
the picture in the positive one and none in the negative one: rows of positive weight get it, the
others its blank, and the base term has that by itself. The picture is in no tool's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from studio.preset import ImagePrompt
from studio.preset.bounds import bounds
from studio.share.tools.additions import Additions
from studio.share.tools.table import ControlUse


def usable(uses: Sequence[ControlUse], additions: Additions) -> ControlUse | None:
    """What a row can hold of them: one, that the library has and the base can run; others are noted."""
    kept: ControlUse | None = None
    for used in uses:
        found = _found(used, additions)
        if found is None:
            _left_out(used, "it is not in the library", additions)
        elif kept is not None:
            _left_out(used, "a row has one image prompt", additions)
        else:
            low, high = bounds(ImagePrompt, "strength")
            strength = float(max(low, min(high, used.strength)))
            if strength != used.strength:
                additions.notes.append(
                    f"the IP-Adapter {_name(used)!r} at {used.strength:g} became {strength:g}"
                )
            kept = replace(used, model=found, strength=strength)
    return kept


def with_picture(row: dict[str, Any], used: ControlUse) -> list[dict[str, Any]]:
    """A row as the parts of its range: within the adapter's own it has the picture."""
    low, high = row.get("range", (0.0, 1.0))
    marks = sorted({low, high, *(m for m in used.range if low < m < high)})
    parts = []
    for start, end in pairwise(marks):
        part = dict(row)
        if (start, end) != (0.0, 1.0):
            part["range"] = [start, end]
        if used.range[0] <= start and end <= used.range[1]:
            part["image_prompt"] = {
                "model": used.model,
                "strength": used.strength,
                "blank": row["weight"] < 0,
            }
        parts.append(part)
    return parts or [row]


def picture_notes(rows: Sequence[dict[str, Any]], used: ControlUse) -> list[str]:
    """Which rows ask for a picture."""
    return [
        f"rows.{index}.image_prompt.image: the picture {used.image[:80]!r} is not in the file; choose it"
        if used.image
        else f"rows.{index}.image_prompt.image: the picture is not in the file; choose it"
        for index, row in enumerate(rows)
        if row.get("image_prompt") and not row["image_prompt"]["blank"]
    ]


def _found(used: ControlUse, additions: Additions) -> str | None:
    """The first of its names that the library has for the base's family."""
    shelf = additions.shelf
    family = shelf.family(additions.base)
    for name in used.model.split("|"):
        found = shelf.find(name, ("ip-adapter",)) if name else None
        if found is not None and shelf.family(found) in ("", family or shelf.family(found)):
            return found
    return None


def _left_out(used: ControlUse, reason: str, additions: Additions) -> None:
    name = _name(used)
    additions.notes.append(f"the IP-Adapter {name!r} ({used.shown}) is left out, because {reason}")


def _name(used: ControlUse) -> str:
    """The first of its names, for a note."""
    return used.model.partition("|")[0][:80]
