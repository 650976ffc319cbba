"""The pictures that come with the studio, as a training that is ready to start."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from studio.home import ASSETS, models_folder, training_folder
from studio.train.captions import read_file, split
from studio.train.method import METHODS
from studio.ui.library import models
from studio.ui.train.images import Picture, uploaded
from studio.ui.train.words import called

FOLDER = ASSETS / "examples" / "training"
WORD, SUPERCLASS = "hero", "man"  # the nearest to it that the shipped base knows


@dataclass(frozen=True)
class Example:
    """``files`` lie where uploads do; ``settings`` are by their names in ``TrainConfig``."""

    files: list[str]
    pictures: list[Picture]
    settings: Mapping[str, Any]


def hero() -> Example:
    """Six pictures of one character with their captions, for a LoRA on the shipped base."""
    captions = read_file(FOLDER / "hero.json")
    folder = Path(get_upload_folder()) / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    files, pictures = [], []
    for name, text in captions.items():
        files.append(shutil.copyfile(FOLDER / name, folder / name))
        found = split(str(text), WORD, SUPERCLASS)
        pictures.append(Picture(name, str(text), found.target, found.general))
    settings = {
        "name": _free("my-hero"),
        "base": "starter",
        "method": "lora",
        "word": WORD,
        "superclass": SUPERCLASS,
    }
    return Example([str(file) for file in files], pictures, settings)


def others(files: Sequence[str] | None) -> list[str]:
    """Which of these files are called as one of the example's is, and are another picture."""
    named = [(path, FOLDER / path.name) for path in uploaded(files)]
    return [
        path.name
        for path, shipped in named
        if shipped.is_file() and path.is_file() and path.read_bytes() != shipped.read_bytes()
    ]


def replaced(
    settings: Mapping[str, Any], typed: Mapping[str, Any], usual: Mapping[str, Any]
) -> str:
    """One line on what a person had typed where the example's ``settings`` come; "" for nothing."""
    gone = [
        f"{called(name)} “{_shown(name, typed[name])}”"
        for name, value in settings.items()
        if typed[name] not in (None, "", value, usual[name])
    ]
    return f"The example took the place of {', '.join(gone)}" if gone else ""


def _shown(name: str, value: Any) -> Any:
    """As the tab shows it: a method by its title."""
    return METHODS[value].title if name == "method" and value in METHODS else value


def _free(name: str) -> str:
    """``name``, with a number where a model or a training has it already."""
    number, free = 1, name
    while (
        (models_folder() / free).exists()
        or training_folder(free).exists()
        or free in models.library()
    ):
        number += 1
        free = f"{name}-{number}"
    return free
