"""Which files a training that was begun leaves in its folder. No torch, so that a page can look."""

from __future__ import annotations

from pathlib import Path

CHECKPOINT, BEFORE, SETTINGS = "checkpoint.pt", "checkpoint-before.pt", "settings.json"


def exists(folder: Path) -> bool:
    """Whether there is a checkpoint, whole or not."""
    return any((folder / name).is_file() for name in (CHECKPOINT, BEFORE))
