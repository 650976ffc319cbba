"""What a person says of models here: name, words, strength to begin with, notes. It lies in the studio's
home, whatever folder the model lies in, and comes before what its file and those beside it say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import is_text, read_regular, write_atomically
from studio.home import studio_home
from studio.library.entry import ModelEntry
from studio.library.sidecars import MAX_NAME, MAX_TEXT, MAX_WORDS
from studio.locks import held
from studio.preset import ModelRef
from studio.preset.bounds import bounds

MAX_BYTES = 4 * 2**20
LONGEST = {"title": MAX_NAME, "trigger": MAX_WORDS, "advised": 12, "description": MAX_TEXT}
NEEDED = ("title", "advised", "description")  # none of these is what its files say
STRENGTH = "Strength to begin with"
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
    """All that was said and can be used; nothing where the file cannot be read."""
    try:
        document = _document()
    except StudioError:
        return {}
    return {name: _usable(said) for name, said in document.items() if isinstance(said, dict)}


def is_readable() -> bool:
    """Whether what was said is known: its file can be read, or nothing was said."""
    try:
        _document()
    except StudioError:
        return False
    return True


def worded(entry: ModelEntry, words: Words) -> ModelEntry:
    """A model with what was said of it."""
    said = words.get(entry.id)
    if not said or entry.problem:
        return entry
    return replace(entry, **{name: said[name] for name in fields_of(entry) if name in said})


def say_words(entry: ModelEntry, given: Mapping[str, str]) -> None:
    """Keep what is said of a model in place of what was said before; what its files say by themselves is
    left to them. What else the file says, of this model and of others, stays as it is.

    Args:
        entry: the model as its files have it.
        given: texts by the names of :func:`fields_of`. One of :data:`NEEDED` that is empty is what the
            model's files say.

    Raises:
        StudioError: a text that is too long or is none, a strength that is none, or a file that cannot be
            read or written, or would be longer than is read.
    """
    said = {name: _checked(name, text) for name, text in given.items() if name in fields_of(entry)}
    path = _file()
    with held(path):
        known = _document()
        before = known.get(entry.id)
        own = {name: text for name, text in _fields(before).items() if name not in said}
        for name, text in said.items():
            if text != getattr(entry, name) and (text or name not in NEEDED):
                own[name] = text
        if own:
            known[entry.id] = own
        elif isinstance(before, dict):
            del known[entry.id]
        write_atomically(path, _written(known))


def _fields(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _written(document: Mapping[str, Any]) -> bytes:
    data = json.dumps(document, ensure_ascii=False, indent=1).encode(errors="backslashreplace")
    if len(data) > MAX_BYTES:
        raise StudioError("would be longer than 4 MiB; say less of some models", field=_file().name)
    return data


def _checked(name: str, text: str) -> str:
    lines = text.splitlines() if name == "description" else [text]
    text = "\n".join(" ".join(line.split()) for line in lines).strip()
    if not is_text(text):
        raise StudioError("holds half a character; type it anew", field=name)
    if len(text) > LONGEST[name]:
        raise StudioError(f"has {len(text)} letters; at most {LONGEST[name]}", field=name)
    if name == "advised" and text:
        least, most = bounds(ModelRef, "strength")
        try:
            strength = float(text)
        except ValueError:
            strength = most + 1
        if not least <= strength <= most:
            raise StudioError(f"a number from {least:g} to {most:g}, got {text}", field=STRENGTH)
        return f"{strength:g}"
    return text


def _file() -> Path:
    return studio_home() / "model-words.json"


def _document() -> dict[str, Any]:
    """The file as it is; nothing where there is none.

    Raises:
        StudioError: it cannot be read; names it.
    """
    path = _file()
    unreadable = StudioError("cannot be read; put it aside first", field=path.name)
    try:
        data: Any = json.loads(read_regular(path, MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable from error
    if not isinstance(data, dict):
        raise unreadable
    return data


def _usable(said: Mapping[str, Any]) -> dict[str, str]:
    """What is said of a model, without the fields that could not be said here."""
    usable: dict[str, str] = {}
    for name, text in said.items():
        if name not in LONGEST or not isinstance(text, str):
            continue
        with suppress(StudioError):
            checked = _checked(name, text[: LONGEST[name]])
            if checked or name not in NEEDED:
                usable[name] = checked
    return usable
