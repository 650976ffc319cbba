"""Which files a training that was begun leaves, and whether its name is free. No torch, so that a page can look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import read_regular
from studio.home import models_folder, training_folder
from studio.library import CARD, Library
from studio.train.events import Losses
from studio.train.settings import BEFORE_NORMS, TrainConfig

CHECKPOINT, BEFORE, SETTINGS = "checkpoint.pt", "checkpoint-before.pt", "settings.json"
LOSSES = "losses.jsonl"
MAX_BYTES, MAX_LOG = 2**20, 2**28  # of settings, or of a card; of the log, a line a step


def exists(folder: Path) -> bool:
    """Whether there is a checkpoint, whole or not."""
    return any((folder / name).is_file() for name in (CHECKPOINT, BEFORE))


def goes_on(name: str) -> bool:
    """Whether a training of this name has a checkpoint that its model does not hold already.

    A finished training's model is written after its last checkpoint. One that was stopped has
    fewer steps than were asked for.
    """
    folder = training_folder(name)
    if not exists(folder):
        return False
    try:
        model = (models_folder() / name / CARD).stat().st_mtime_ns
    except OSError:
        return True
    if _cut(folder / SETTINGS, models_folder() / name / CARD):
        return True
    files = (folder / name for name in (CHECKPOINT, BEFORE))
    return max(file.stat().st_mtime_ns for file in files if file.is_file()) > model


def left_nothing(name: str) -> bool:
    """Whether a training of this name was begun, and ended before its first checkpoint."""
    folder = training_folder(name)
    try:
        made = (models_folder() / name / CARD).is_file()
        return (folder / SETTINGS).is_file() and not made and not exists(folder)
    except OSError:  # no name of a folder, such as one of a thousand letters
        return False


def check_name(name: str, library: Library, replace: bool) -> None:
    """Refuse a name that a model of the library has, wherever it lies.

    Args:
        library: may be older than the disk.
        replace: whether a training of this name goes on, or begins anew.

    Raises:
        StudioError: names ``name``.
    """
    elsewhere = name in library and Path(library[name].path).exists()
    if not replace and (elsewhere or (models_folder() / name).exists()):
        raise StudioError(f"the library already holds {name!r}; choose another", field="name")


def card_of(name: str) -> dict[str, Any]:
    """The card of the model that a training of this name has made here; empty where there is none."""
    if Path(name).name != name or not (training_folder(name) / SETTINGS).is_file():
        return {}
    return _read(models_folder() / name / CARD)


def kept_settings(name: str) -> TrainConfig:
    """The settings of a training that was begun before.

    Raises:
        StudioError: there is none of this name, or its settings cannot be read.
    """
    try:
        data = json.loads(read_regular(training_folder(name) / SETTINGS, MAX_BYTES))
        kept = BEFORE_NORMS | {name: value for name, value in data.items() if name != "data"}
        return TrainConfig.model_validate(kept)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise StudioError(
            f"there is no training of {name!r} to go on with", field="name"
        ) from error


def kept_losses(name: str) -> tuple[Losses, ...]:
    """What a training that was begun before has logged of its steps; lines that are none are left out."""
    found = []
    try:
        lines = read_regular(training_folder(name) / LOSSES, MAX_LOG).splitlines()
    except OSError:
        return ()
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):
            found.append(Losses(**json.loads(line)))
    return tuple(found)


def as_made(settings: TrainConfig, card: Mapping[str, Any]) -> TrainConfig:
    """The settings of a training as they were when it made the model of this card: one that has
    been begun anew, on another base or with another word, has made none yet."""
    if "base" not in card:
        return settings
    named = {"base": "base", "edition": "edition", "method": "method"}
    texts = {"word": "trigger", "superclass": "superclass"}  # those that are empty are left out
    made = {field: card[key] for field, key in named.items() if key in card}
    made |= {field: card.get(key, "") for field, key in texts.items()}
    try:
        return TrainConfig.model_validate(settings.model_dump() | made)
    except ValueError:  # somebody has written in the card
        return settings


def _cut(settings: Path, card: Path) -> bool:
    """Whether the model has fewer steps than its training was asked for; minutes end where they do."""
    given = _read(settings)
    asked, made = given.get("steps"), _read(card).get("steps")
    if given.get("minutes") is not None or not isinstance(asked, int):
        return False
    return isinstance(made, int) and made < asked


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
