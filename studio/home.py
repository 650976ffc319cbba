"""Where things are on disk: the shipped files and ``STUDIO_HOME``."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_PACKED = Path(__file__).resolve().parent / "packed"  # in an installed wheel: see setup.py
_SHIPPED = _PACKED if _PACKED.is_dir() else REPOSITORY
ASSETS = _SHIPPED / "assets"
PRESETS = _SHIPPED / "presets"
DOCS = _SHIPPED / "docs"  # of which the page shows some


def studio_home() -> Path:
    """The person's own folder: library, outputs, history, cache (default ``~/.guidance-studio``)."""
    return Path(os.environ.get("STUDIO_HOME") or "~/.guidance-studio").expanduser()


def models_folder() -> Path:
    """The local library's drop-in folder."""
    return studio_home() / "models"


def further_models() -> tuple[Path, ...]:
    """Further folders of models, read in place: ``STUDIO_MODELS``, divided as ``PATH`` is."""
    given = os.environ.get("STUDIO_MODELS", "").split(os.pathsep)
    return tuple(dict.fromkeys(Path(os.path.expanduser(one)) for one in given if one.strip()))


def cache_folder() -> Path:
    """What can be made again at any time."""
    return studio_home() / "cache"


def inputs_folder() -> Path:
    """Images that a person gave (control images), named by their content."""
    return studio_home() / "inputs"


def training_folder(name: str) -> Path:
    """Where a training keeps its settings, checkpoint, losses and samples; never outside the home."""
    return studio_home() / "training" / Path(name).name


def presets_folder() -> Path:
    """Presets that a person saved."""
    return studio_home() / "presets"


def presets_bin() -> Path:
    """Presets and styles that were deleted or replaced, until somebody empties it."""
    return studio_home() / "bin" / "presets"


def wildcards_folder() -> Path:
    """Lists that prompts choose from, a text file each."""
    return studio_home() / "wildcards"


def styles_folder() -> Path:
    """Styles: texts and rows that are added to others, by name."""
    return studio_home() / "styles"


def tags_folder() -> Path:
    """Lists of tags that complete what is typed in a prompt."""
    return studio_home() / "tags"
