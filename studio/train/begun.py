"""Which files a training that was begun leaves in its folder. No torch, so that a page can look."""

from __future__ import annotations

from pathlib import Path

from studio.home import models_folder, training_folder
from studio.library import CARD

CHECKPOINT, BEFORE, SETTINGS = "checkpoint.pt", "checkpoint-before.pt", "settings.json"


def exists(folder: Path) -> bool:
    """Whether there is a checkpoint, whole or not."""
    return any((folder / name).is_file() for name in (CHECKPOINT, BEFORE))


def goes_on(name: str) -> bool:
    """Whether a training of this name has a checkpoint that its model does not hold already.

    A finished training's model is written after its last checkpoint.
    """
    folder = training_folder(name)
    if not exists(folder):
        return False
    try:
        model = (models_folder() / name / CARD).stat().st_mtime_ns
    except OSError:
        return True
    files = (folder / name for name in (CHECKPOINT, BEFORE))
    return max(file.stat().st_mtime_ns for file in files if file.is_file()) > model
