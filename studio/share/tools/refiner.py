"""Another model that finishes the picture, as other tools' refiner does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError, shorten
from studio.plan.handover import handed_over
from studio.preset import Preset
from studio.share.model_names import Shelf, bare
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number

_HASH = re.compile(r"\s*\[[0-9a-fA-F]+\]\s*$")
_NAMES = ("Refiner", "Refiner switch at", "Refiner switch by sampling steps")


@dataclass(frozen=True)
class Refining:
    """``model``: as the tool names it. ``at``: the part behind which it takes over, of the noise, or of the
    steps where ``by_steps``."""

    model: str
    at: Any
    by_steps: bool = False


def in_settings(fields: Fields, again: bool) -> Refining | None:
    """What a web UI's settings say; beside a second pass, for which it is kept there, it stays to be noted.

    Args:
        again: whether there is a second pass.
    """
    given = {name: fields.take(name) for name in _NAMES}
    name = _HASH.sub("", str(given[_NAMES[0]] or ""))
    if not name or again:
        for key, value in given.items():
            if value is not None:
                fields.put(key, value)
        return None
    by_steps = str(given[_NAMES[2]]).lower() == "true"
    return Refining(name, given[_NAMES[1]], by_steps)


def refined(preset: Preset, asked: Refining | None, shelf: Shelf, notes: list[str]) -> Preset:
    """The preset with the rows of the model that finishes its picture; what cannot be is noted."""
    if asked is None:
        return preset
    shown, at = bare(asked.model)[:200], number(asked.at)
    found = shelf.find(asked.model, ("base", "finetune"))
    if found is None:
        notes.append(
            f"the refiner {shown!r} ({shorten(asked.at)}) is not in the library; the base finishes the picture"
        )
        return preset
    if at is None:
        notes.append(f"the refiner {shown!r} begins at no usable part ({shorten(asked.at)})")
        return preset
    try:
        made, said = handed_over(preset, found, at, shelf.entries)
    except StudioError as error:
        notes.append(f"the refiner {shown!r} is left out; {error.message}")
        return preset
    notes += said
    if asked.by_steps:
        notes.append(
            f"the refiner {shown!r} begins at {at:g} of the steps there, of the noise here"
        )
    return made
