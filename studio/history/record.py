"""One picture of the history, and how it is read off the picture's file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.outputs import STAMP
from studio.preset import ModelRef, Preset
from studio.share import drop_images, peek
from studio.share.tools.named import Named


@dataclass(frozen=True)
class Record:
    """A picture. Times are seconds since 1970.

    ``path``: its file, relative to the outputs folder with ``/`` where it lies below it;
    ``prompts``: of its rows, one a line; ``models``: ids of the base and of what its rows use,
    of another tool's picture the names that it gives them, and ``base`` "" where it gives none;
    ``hashes``: of those models whose files' are known, by id;
    ``preset``: JSON without embedded pictures; ``scores``: by metric; ``parent``: the picture or
    preset that it was changed from; ``deleted``: when it was put into the bin, else ``None``;
    ``problem``: why its preset cannot be read.
    """

    id: str
    path: str
    made: float
    title: str = ""
    seed: int | None = None
    width: int = 0
    height: int = 0
    steps: int = 0
    scheduler: str = ""
    base: str = ""
    prompts: str = ""
    models: tuple[str, ...] = ()
    lora: bool = False
    preset: str = ""
    forwards: int | None = None
    seconds: float | None = None
    shares: tuple[Mapping[str, Any], ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    starred: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    board: str = ""
    deleted: float | None = None
    problem: str = ""
    bytes: int = 0
    changed: int = 0  # the file's time of change, ns


def identity(path: str) -> str:
    """A picture's id, from :attr:`Record.path`."""
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def record_of(file: Path, path: str, **more: Any) -> Record:
    """Read a picture's record off its file; one without a preset has its problem instead.

    Args:
        path: what it is called in the history.
        more: further fields, such as ``forwards``.

    Raises:
        OSError: the file cannot be looked at.
    """
    state = file.stat()
    known = {"bytes": state.st_size, "changed": state.st_mtime_ns, **more}
    made = time_of(file)
    try:
        preset, (width, height), named = peek(file)
    except StudioError as error:
        return Record(identity(path), path, made, title=file.stem, problem=str(error), **known)
    used = named or _named(preset)  # another tool's: the preset holds what is used in their place
    if used.hashes:
        known = {"hashes": used.hashes, **known}
    return Record(
        identity(path),
        path,
        made,
        title=preset.name or file.stem,
        seed=preset.sampler.seed,
        width=width,
        height=height,
        steps=preset.sampler.steps,
        scheduler=preset.sampler.scheduler,
        base=used.base,
        prompts="\n".join(row.prompt for row in preset.rows if row.prompt),
        models=used.models,
        lora=used.lora,
        preset=drop_images(preset)[0].to_json(),
        **known,
    )


def _named(preset: Preset) -> Named:
    lora = any(isinstance(row.model, ModelRef) and row.model.adapters() for row in preset.rows)
    return Named(preset.base, models_of(preset), lora)


def models_of(preset: Preset) -> tuple[str, ...]:
    """Every model id that the preset names, the base first, each once."""
    found = [preset.base, *(name for _, name in preset.beside_rows())]
    for row in preset.rows:
        if isinstance(row.model, str):
            found.append(row.model)
        elif row.model is not None:
            found.append(row.model.model or "")
            found += [name for name, _ in row.model.adapters()]
            found += row.model.embeddings
        found += [control.model or "" for control in row.all_controls.values()]
        if row.image_prompt is not None:
            found.append(row.image_prompt.model or "")
    return tuple(dict.fromkeys(filter(None, found)))


def time_of(file: Path) -> float:
    """When a picture was made: by its name, as the studio names its files, else the file's own time;
    0 where it is not there."""
    stamp = STAMP.match(file.name)
    if stamp:
        with suppress(ValueError, OverflowError, OSError):
            time = datetime.strptime(stamp[1], "%Y%m%d-%H%M%S").timestamp()
            return time + int(stamp[2]) / 1e6
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0
