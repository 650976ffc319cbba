"""A picture of the history used again: its preset, and what of it the form takes."""

from __future__ import annotations

import re

from studio.errors import StudioError
from studio.history import History
from studio.preset import Preset, parse
from studio.share import read_image
from studio.ui.library.models import library

# What a note on another tool's picture begins with that is of no row.
_ELSEWHERE = re.compile(
    rf"made with |the refiner |(?:{'|'.join(sorted(set(Preset.model_fields) - {'rows', 'description'}))})[.:]"
)
PROMPT_ALONE = {"model": None, "control": None, "controls": ()}  # of a row that is one more
# Of another tool's picture whose file has gone.
NAMES_ALONE = (
    "base: the picture's file cannot be read, and of its models the names alone are known: {}"
)


def brought(history: History, identity: str) -> tuple[Preset, list[str]]:
    """What makes a picture again: its file's own preset, else what the database kept of it; another
    tool's is read with the library as it is by now, and notes say what could not be carried over.

    Raises:
        StudioError: neither can be read.
    """
    record = history.get(identity)
    try:
        return read_image(history.file(record), library())
    except StudioError:
        if not record.preset:
            raise
        preset = parse(record.preset, source=record.title)
        foreign = record.models and preset.base not in record.models
        return preset, [NAMES_ALONE.format(", ".join(record.models))] if foreign else []


def preset_of(history: History, identity: str) -> Preset:
    """:func:`brought` without its notes."""
    return brought(history, identity)[0]


def told_of(notes: list[str], part: str) -> list[str]:
    """Those of a picture's notes that are of the part of it that is used: of its rows, what names no
    field elsewhere."""
    match part:
        case "all":
            return notes
        case "rows":
            others = [note for note in notes if _ELSEWHERE.match(note)]
            named = " · ".join(others)  # a model that it is told of there, with where it can be had
            return [
                note
                for note in notes
                if note not in others and note.partition(" can be looked up")[0] not in named
            ]
    return []


def again(preset: Preset, current: Preset, part: str) -> Preset:
    """The form after a picture is used again: ``all`` of it, or its ``rows``, ``prompts`` or ``seed``
    in what the form holds now.

    Raises:
        StudioError: a part that there is not.
    """
    match part:
        case "all":
            return preset
        case "rows":
            return current.model_copy(update={"rows": preset.rows})
        case "seed":
            return current.with_seed(preset.sampler.seed)
        case "prompts":
            kept = list(current.rows)
            for index, row in enumerate(preset.rows):
                if index < len(kept):
                    kept[index] = kept[index].model_copy(update={"prompt": row.prompt})
                else:
                    kept.append(row.model_copy(update=PROMPT_ALONE))
            return current.model_copy(update={"rows": tuple(kept)})
    raise StudioError(f"all, rows, prompts or seed, got {part[:40]!r}", field="part")
