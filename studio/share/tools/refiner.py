"""Another model that finishes the picture, as other tools' refiner does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from studio.errors import shorten
from studio.share.model_names import bare
from studio.share.tools.additions import Additions
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number

_HASH = re.compile(r"\s*\[([0-9a-fA-F]+)\]\s*$")
_NAMES = ("Refiner", "Refiner switch at", "Refiner switch by sampling steps")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_BY_NOISE = (1, 8)  # the web UI's first version that goes by the noise


@dataclass(frozen=True)
class Refining:
    """``model``: as the tool names it, and its ``hash``. ``at``: the part behind which it takes over, of the
    noise, or of the steps where ``by_steps``."""

    model: str
    at: Any
    by_steps: bool = False
    hash: str = ""


def in_settings(fields: Fields, again: bool, version: str = "") -> Refining | None:
    """What a web UI's settings say; beside a second pass, for which it is kept there, it stays to be noted.

    Args:
        again: whether there is a second pass. version: the tool's, as the settings name it.
    """
    given = {name: fields.take(name) for name in _NAMES}
    named = str(given[_NAMES[0]] or "").strip()
    if again or named.lower() in ("", "none"):
        for key, value in given.items():
            if value is not None and named.lower() != "none":
                fields.put(key, value)
        return None
    (name, digest), made = _apart(named), _VERSION.match(version)
    older = made is not None and (int(made[1]), int(made[2])) < _BY_NOISE
    by_steps = older or str(given[_NAMES[2]]).lower() == "true"
    return Refining(name, given[_NAMES[1]], by_steps, digest)


def _apart(named: str) -> tuple[str, str]:
    """A model's name, and the hash that a web UI writes behind it; "" for none."""
    marked = _HASH.search(named)
    return (named[: marked.start()], marked[1]) if marked else (named, "")


def refined(asked: Refining | None, base: str, additions: Additions) -> dict[str, Any]:
    """The preset's ``refiner``; none where there is none, or it cannot be, which is noted.

    Args:
        base: the preset's.
        additions: is given the names of models that are not here.
    """
    if asked is None:
        return {}
    shown, at = bare(asked.model)[:200], number(asked.at)
    notes = additions.notes
    found, why = _found(asked.model, asked.hash, base, additions)
    if why:
        notes.append(
            f"the refiner {shown!r} ({shorten(asked.at)}) {why}; the base finishes the picture"
        )
    if not found:
        return {}
    if at is None or not 0 <= at <= 1:
        notes.append(f"the refiner {shown!r} begins at no usable part ({shorten(asked.at)})")
        return {}
    if asked.by_steps:
        notes.append(
            f"the refiner {shown!r} begins at {at:g} of the steps there, of the noise here"
        )
    return {"model": found, "at": float(at)}


def second_model(asked: str, base: str, additions: Additions) -> str:
    """The library's model of that name, in the base's place in a second pass; "" for none, which is noted,
    and for the base itself."""
    if not asked:
        return ""
    name, digest = _apart(asked)
    found, why = _found(name, digest, base, additions)
    if why:
        shown = bare(name)[:200]
        additions.notes.append(f"second_pass.model: {shown!r} {why}; the base makes it")
    return found


def _found(name: str, digest: str, base: str, additions: Additions) -> tuple[str, str]:
    """The id of a model in the base's place, and why there is none; neither for the base itself."""
    kinds, shelf = ("base", "finetune"), additions.shelf
    found = shelf.find(name, kinds) or (shelf.find(digest, kinds) if digest else None)
    if found is None:
        there = next((one for one in shelf.ids if bare(one).lower() == bare(name).lower()), "")
        problem = shelf.entries[there].problem if there in shelf.entries else ""
        if problem:
            return "", f"cannot be used ({problem})"
        additions.left.append(bare(name)[:200])
        additions.lacks(name, digest)
        return "", "is not in the library"
    mine, theirs = (
        shelf.entries[one].latent_space if one in shelf.entries else "" for one in (found, base)
    )
    if mine and theirs and mine != theirs:
        return "", f"works on other latents than {base!r}"
    return ("" if found == base else found), ""
