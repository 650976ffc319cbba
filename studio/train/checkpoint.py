"""Checkpoints: one file, replaced in one step, from which training goes on to the same numbers."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from studio.errors import StudioError
from studio.files import write_atomically
from studio.home import training_folder
from studio.train.config import BEFORE_NORMS, TrainConfig, differences

CHECKPOINT, SETTINGS, LOSSES = "checkpoint.pt", "settings.json", "losses.jsonl"


def write(folder: Path, state: Mapping[str, Any]) -> Path:
    """Replace the checkpoint of ``folder``; whoever is killed meanwhile leaves the old one whole.

    Raises:
        StudioError: the disk is full or the folder cannot be written to.
    """
    path = folder / CHECKPOINT
    temporary = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a short write as RuntimeError
        with suppress(OSError):
            os.unlink(temporary)
        raise unwritable(path, error) from error
    return path


def read(folder: Path) -> dict[str, Any] | None:
    """The checkpoint of ``folder``, on the CPU; ``None`` if there is none yet.

    Raises:
        StudioError: it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpicklers raise anything
        raise StudioError(
            f"is a damaged checkpoint ({error}); start anew with --restart", field=str(path)
        ) from error


def check_begun(config: TrainConfig, resume: bool, restart: bool) -> None:
    """Before anything is loaded: is there a training of this name, and is that what was asked for?

    Args:
        resume: go on from its checkpoint; ``restart``: begin anew in spite of one.

    Raises:
        StudioError: there is one and neither is asked for, or there is nothing to resume.
    """
    begun = (training_folder(config.name) / CHECKPOINT).is_file()
    if resume and not begun:
        raise StudioError(f"there is no checkpoint of {config.name!r} to resume", field="resume")
    if begun and not resume and not restart:
        raise StudioError(
            f"a training of {config.name!r} was begun; resume it, restart it, or choose another name",
            field="name",
        )


def settle(folder: Path, config: TrainConfig, data: str, resume: bool) -> None:
    """Check a training's settings against those that it began with, and keep them.

    Args:
        data: a digest of the pictures and captions.

    Raises:
        StudioError: settings that change the numbers differ; with the differences.
    """
    now = {**config.model_dump(mode="json"), "data": data}
    if resume:
        changed = differences(_settings(folder), now)
        if changed:
            raise StudioError(f"the settings changed: {'; '.join(changed)}", field="resume")
        if "ddloss_norm" not in _kept(folder):  # so that the next resuming finds it as it was
            now.pop("ddloss_norm")
    else:
        for name in (CHECKPOINT, LOSSES):
            with suppress(FileNotFoundError):
                (folder / name).unlink()
    write_atomically(folder / SETTINGS, json.dumps(now, indent=1, ensure_ascii=False).encode())


def as_begun(config: TrainConfig) -> TrainConfig:
    """``config`` with the norm of a training that was begun before there was a choice of it."""
    kept = _kept(training_folder(config.name))
    if kept and "ddloss_norm" not in kept:
        return config.model_copy(update=BEFORE_NORMS)
    return config


def _kept(folder: Path) -> dict[str, Any]:
    """The settings file as it is; empty where it cannot be read."""
    try:
        data = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _settings(folder: Path) -> dict[str, Any]:
    known = TrainConfig.model_fields.items()  # settings that came to be since it began
    defaults = {name: f.default for name, f in known if not f.is_required()}
    data = _kept(folder)
    return defaults | BEFORE_NORMS | data if data else {}


def unwritable(path: Path, error: Exception) -> StudioError:
    """One line for a write that failed; a full disk is called that."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    reason = (
        "the disk is full" if full or "No space left" in str(error) else str(error).split("\n")[0]
    )
    return StudioError(f"cannot be written: {reason}; the last checkpoint is kept", field=str(path))
