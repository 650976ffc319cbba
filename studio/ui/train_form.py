"""What the Train tab asks for: its pictures, its caption table and its settings, checked and kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from studio.errors import StudioError
from studio.files import write_atomically
from studio.home import models_folder, studio_home
from studio.preset import Preset
from studio.train.captions import from_template, split
from studio.train.config import TrainConfig, defaults, is_small, resolve
from studio.train.runner import State
from studio.ui import models

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
NUMBERS = (
    "steps",
    "batch",
    "rate",
    "token_rate",
    "rank",
    "vectors",
    "sample_every",
    "sample_weight",
)
WHOLE = ("steps", "batch", "rank", "vectors", "sample_every")


def listed(files: Sequence[str] | None, rows: Sequence[Sequence[str]] | None) -> list[list[str]]:
    """The caption table of the given files; what was written for a picture stays."""
    paths = uploaded(files)
    known = {row[0]: list(row) for row in rows or () if row and row[0]}
    texts = {path.stem: path for path in paths if path.suffix.lower() == ".txt"}
    table = []
    for path in paths:
        if path.suffix.lower() in PICTURES:
            beside = texts.get(path.stem)
            caption = " ".join(_text(beside).split()) if beside else ""
            table.append(known.get(path.name, [path.name, caption, "", ""]))
    return table


def filled(
    rows: Sequence[Sequence[str]], word: str, superclass: str, template: str
) -> list[list[str]]:
    """Empty captions from the template, and every caption split; a person corrects the rest."""
    table = []
    for name, caption, *_ in (_four(row) for row in rows):
        text = caption or from_template(template, word, superclass)
        found = split(text, word, superclass)
        table.append([name, text, found.target, found.general])
    return table


def uploaded(files: Sequence[str] | None) -> list[Path]:
    """Files that were really uploaded to this page.

    Raises:
        StudioError: a path that a client made up.
    """
    folder = Path(get_upload_folder()).resolve()
    paths = [Path(str(file)) for file in files or ()]
    for path in paths:
        if not path.resolve().is_relative_to(folder):
            raise StudioError("is no uploaded file", field=path.name)
    return paths


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")[:4000]
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError("cannot be read as UTF-8 text", field=path.name) from error


def _four(row: Sequence[Any]) -> list[str]:
    return [" ".join(str(cell or "").split()) for cell in [*row, "", "", ""][:4]]


def chosen_by_default(method: str, small: bool) -> dict[str, Any]:
    """Every setting's default for a method; a number box without one would read as zero."""
    plain = {name: field.default for name, field in TrainConfig.model_fields.items()}
    chosen = plain | defaults(method, small)
    chosen["sample_every"] = max(1, chosen["steps"] // 4)
    return chosen


def suggested(method: str, base: str) -> list[Any]:
    """The method's default numbers and template on this base, for the fields that show them."""
    try:
        small = is_small(models.library()[base])
    except StudioError:
        small = False
    chosen = chosen_by_default(method, small)
    return [chosen["template"], *(chosen[name] for name in NUMBERS)]


def configured(
    files: Sequence[str] | None, rows: Sequence[Sequence[str]] | None, given: dict[str, Any]
) -> TrainConfig:
    """Check the settings, then keep the pictures and captions beside the training.

    Raises:
        StudioError: a setting, a picture or a caption that cannot be; or the name is in use.
    """
    paths = [path for path in uploaded(files) if path.suffix.lower() in PICTURES]
    if not paths:
        raise StudioError("drop some pictures first", field="images")
    concept = given["method"] == "concept"
    given = {key: value for key, value in given.items() if value not in (None, "")}
    for name in WHOLE:
        if name in given:
            given[name] = int(given[name])
    prompts = str(given.pop("sample_prompts", "")).splitlines()
    given["sample_prompts"] = tuple(line.strip() for line in prompts if line.strip())
    if concept:
        for name in ("ddloss", "pdloss", "prior_weight", "word", "superclass"):
            given.pop(name, None)
    folder = studio_home() / "training" / Path(str(given.get("name") or "unnamed")).name
    captions = None if concept else folder / "captions.json"
    config = resolve(
        {**given, "images": str(folder / "pictures"), "captions": captions and str(captions)},
        models.library(),
    )
    if (folder / "checkpoint.pt").is_file():
        raise StudioError(f"a training of {config.name!r} was begun; resume it or choose another name",
                          field="name")  # fmt: skip
    if (models_folder() / config.name).exists():
        raise StudioError(
            f"the library already holds {config.name!r}; choose another", field="name"
        )
    table = filled_where_empty(rows or (), config)
    _keep(paths, folder / "pictures")
    if captions is not None:
        write_atomically(captions, json.dumps(table, ensure_ascii=False, indent=1).encode())
    return config


def filled_where_empty(rows: Sequence[Sequence[str]], config: TrainConfig) -> dict[str, Any]:
    """The table as a caption file; empty cells as the template and the split have them."""
    table = {}
    for name, caption, target, general in (_four(row) for row in rows):
        text = caption or from_template(config.template, config.word, config.superclass)
        found = split(text, config.word, config.superclass) if config.word else None
        if name and found:
            table[name] = {"caption": text, "target": target or found.target,
                           "general": general if target or general else found.general}  # fmt: skip
    return table


def _keep(paths: Sequence[Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        for path in paths:
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise StudioError(
            f"cannot be kept ({error.strerror or error})", field=str(folder)
        ) from error


def preset_of(state: State) -> Preset:
    """A preset that uses the finished model, at ω 0.4.

    Raises:
        StudioError: no training has finished.
    """
    if not state.model or state.config is None:
        raise StudioError("no training has finished yet", field="train")
    from studio.train.result import preset_for

    return preset_for(state.config, state.model)
