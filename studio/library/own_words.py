"""What a person says of models here: name, words, strength to begin with, notes. It lies in the studio's
home, whatever folder the model lies in, and comes before what its file and those beside it say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import read_regular, write_atomically
from studio.home import studio_home
from studio.library.entry import ModelEntry
from studio.library.sidecars import MAX_NAME, MAX_TEXT, MAX_WORDS
from studio.locks import held
from studio.preset import ModelRef
from studio.preset.bounds import bounds

MAX_BYTES = 4 * 2**20
LONGEST = {"title": MAX_NAME, "trigger": MAX_WORDS, "advised": 12, "description": MAX_TEXT}
Words = Mapping[str, Mapping[str, str]]  # by model and field


def fields_of(entry: ModelEntry) -> tuple[str, ...]:
    """What can be said of a model: of a learned word not which it is, a strength of a LoRA alone."""
    if entry.kind == "lora":
        return tuple(LONGEST)
    words = (
        () if entry.kind in ("embedding", "custom-diffusion", "vae", "upscaler") else ("trigger",)
    )
    return ("title", *words, "description")


def own_words() -> dict[str, dict[str, str]]:
    """All that was said; nothing where the file cannot be read."""
    try:
        return _read()
    except StudioError:
        return {}


def worded(entry: ModelEntry, words: Words) -> ModelEntry:
    """A model with what was said of it."""
    said = words.get(entry.id)
    if not said or entry.problem:
        return entry
    return replace(entry, **{name: said[name] for name in fields_of(entry) if name in said})


def say_words(entry: ModelEntry, given: Mapping[str, str]) -> None:
    """Keep what is said of a model in place of what was said before; what its files say by themselves is
    left to them.

    Args:
        entry: the model as its files have it.
        given: texts by the names of :func:`fields_of`.

    Raises:
        StudioError: a text that is too long, a strength that is none, or a file that cannot be read or
            written.
    """
    said = {name: _checked(name, text) for name, text in given.items() if name in fields_of(entry)}
    own = {name: text for name, text in said.items() if text != getattr(entry, name)}
    path = _file()
    with held(path):
        known = _read()
        known.pop(entry.id, None)
        if own:
            known[entry.id] = own
        write_atomically(path, json.dumps(known, ensure_ascii=False, indent=1).encode())


def _checked(name: str, text: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST[name]:
        raise StudioError(f"has {len(text)} letters; at most {LONGEST[name]}", field=name)
    if name == "advised" and text:
        least, most = bounds(ModelRef, "strength")
        try:
            strength = float(text)
        except ValueError:
            strength = most + 1
        if not least <= strength <= most:
            raise StudioError(f"a number from {least:g} to {most:g}, got {text}", field="strength")
        return f"{strength:g}"
    return text


def _file() -> Path:
    return studio_home() / "model-words.json"


def _read() -> dict[str, dict[str, str]]:
    path = _file()
    try:
        data: Any = json.loads(read_regular(path, MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise StudioError("cannot be read; put it aside first", field=path.name) from error
    if not isinstance(data, dict):
        raise StudioError("cannot be read; put it aside first", field=path.name)
    return {
        str(one): {
            name: text[: LONGEST[name]]
            for name, text in said.items()
            if name in LONGEST and isinstance(text, str)
        }
        for one, said in data.items()
        if isinstance(said, dict)
    }
