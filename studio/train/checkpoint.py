"""Checkpoints: two files, the newest and the one before, from which training goes on to the same numbers.

Whoever is killed while one is written leaves the others whole, and one that was damaged since (its
archive's checksums tell) gives way to the one before.
"""

from __future__ import annotations

import errno
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch

from studio.engine.networks.devices import is_out_of_memory
from studio.errors import StudioError
from studio.files import PART, clear_parts, read_regular, write_atomically
from studio.home import training_folder
from studio.train.begun import BEFORE, CHECKPOINT, LOSSES, MAX_BYTES, SETTINGS, exists, goes_on
from studio.train.config import BEFORE_NORMS, TrainConfig, differences
from studio.train.identity import UNSURE, Identity

DAMAGED = ".damaged"


def write(folder: Path, state: Mapping[str, Any]) -> Path:
    """Make ``state`` the newest checkpoint of ``folder``; the newest so far becomes the one before.

    Where the disk is full, the one before gives its room.

    Raises:
        StudioError: the disk is full all the same, or the folder cannot be written to.
    """
    path, before = folder / CHECKPOINT, folder / BEFORE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_parts(folder)
        try:
            temporary = _written(folder, state)
        except OSError as error:
            if not (is_full(error) and path.is_file() and before.is_file()):
                raise
            before.unlink()
            temporary = _written(folder, state)
        _become_newest(temporary, path, before)
    except (OSError, RuntimeError) as error:
        raise unwritable(path, error) from error
    return path


def _become_newest(temporary: Path, path: Path, before: Path) -> None:
    try:
        if path.is_file():
            os.replace(path, before)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _written(folder: Path, state: Mapping[str, Any]) -> Path:
    """A whole checkpoint under a name of its own, on the disk."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=PART)
    try:
        with os.fdopen(handle, "wb") as file:
            watched = _Watched(file)
            try:
                torch.save(dict(state), cast(BinaryIO, watched))
                file.flush()
            except (OSError, RuntimeError):
                if watched.error is not None:  # torch speaks of its archive, not of the disk
                    raise watched.error from None
                raise
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    return Path(name)


class _Watched(io.RawIOBase):
    """A file that remembers why it could not be written."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """As the file's."""
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise


@dataclass(frozen=True)
class Found:
    """A checkpoint's state, on the CPU, and a note where it is not the newest one."""

    state: dict[str, Any]
    note: str = ""


def read(folder: Path) -> dict[str, Any] | None:
    """The newest whole checkpoint of ``folder``, on the CPU; ``None`` if there is none yet.

    Raises:
        StudioError: there are some, and none is whole.
    """
    found = newest(folder)
    return None if found is None else found.state


def newest(folder: Path) -> Found | None:
    """As :func:`read`, with a note where a newer one is damaged."""
    problems = []
    for path in (folder / CHECKPOINT, folder / BEFORE):
        if not path.is_file():
            continue
        try:
            state = _loaded(path)
        except Exception as error:  # unpicklers raise anything
            if is_out_of_memory(error):
                raise  # that is no damage
            problems.append(f"{path.name} is damaged ({_line(error)})")
            continue
        back = f"it goes on from the one before, of step {state.get('step')}"
        return Found(state, f"{problems[0]}; {back}" if problems else "")
    if problems:
        raise StudioError(
            f"no checkpoint is whole: {'; '.join(problems)}; start anew with --restart",
            field=str(folder / CHECKPOINT),
        )
    return None


def _loaded(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        bad = archive.testzip()
    if bad is not None:
        raise ValueError(f"the checksum of {bad} differs")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise ValueError("it holds no state")
    return state


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def set_damaged_aside(folder: Path) -> None:
    """Out of the way of the next checkpoint, which would take it for a whole one."""
    path = folder / CHECKPOINT
    with suppress(OSError):
        os.replace(path, path.with_name(path.name + DAMAGED))


def check_begun(config: TrainConfig, resume: bool, restart: bool) -> None:
    """Before anything is loaded: is there a training of this name, and is that what was asked for?

    Args:
        resume: go on from its checkpoint; ``restart``: begin anew in spite of one.

    Raises:
        StudioError: there is one and neither is asked for, or there is nothing to resume.
    """
    begun = exists(training_folder(config.name))
    if resume and not begun:
        raise StudioError(f"there is no checkpoint of {config.name!r} to resume", field="resume")
    if begun and not resume and not restart:
        raise StudioError(
            f"a training of {config.name!r} was begun; resume it, restart it, or choose another name"
            if goes_on(config.name)
            else f"a training of {config.name!r} has finished; restart it, or choose another name",
            field="name",
        )


def settle(folder: Path, config: TrainConfig, data: Identity, resume: bool) -> str:
    """Check a training's settings against those that it began with, and keep them.

    Args:
        data: the pictures and captions.

    Returns:
        what could not be checked, "" for nothing.

    Raises:
        StudioError: settings that change the numbers differ; with the differences.
    """
    for part in folder.glob(f".*{PART}"):  # of a run that was killed: nobody else writes here
        with suppress(OSError):
            part.unlink()
    now, note = {**config.model_dump(mode="json"), "data": str(data)}, ""
    if resume:
        before = _settings(folder)
        if data.kept_before(kept := before.get("data")):
            note = "" if data.surely(kept) else UNSURE
            before["data"] = str(data)
        changed = differences(before, now)
        if changed:
            raise StudioError(f"the settings changed: {'; '.join(changed)}", field="resume")
        if "ddloss_norm" not in _kept(folder):  # so that the next resuming finds it as it was
            now.pop("ddloss_norm")
    else:
        for name in (CHECKPOINT, BEFORE, CHECKPOINT + DAMAGED, LOSSES):
            with suppress(FileNotFoundError):
                (folder / name).unlink()
    write_atomically(folder / SETTINGS, json.dumps(now, indent=1, ensure_ascii=False).encode())
    return note


def as_begun(config: TrainConfig) -> TrainConfig:
    """``config`` with the norm of a training that was begun before there was a choice of it, and
    with the edition of its base that the training was begun on."""
    kept = _kept(training_folder(config.name))
    if kept:
        norms = {} if "ddloss_norm" in kept else BEFORE_NORMS
        return config.model_copy(update={"edition": kept.get("edition", 1), **norms})
    return config


def _kept(folder: Path) -> dict[str, Any]:
    """The settings file as it is; empty where it cannot be read."""
    try:
        data = json.loads(read_regular(folder / SETTINGS, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _settings(folder: Path) -> dict[str, Any]:
    known = TrainConfig.model_fields.items()  # settings that came to be since it began
    defaults = {name: f.default for name, f in known if not f.is_required()}
    data = _kept(folder)
    return defaults | BEFORE_NORMS | data if data else {}


def is_full(error: Exception) -> bool:
    """Whether a write failed because there is no room left."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left" in str(error)


def unwritable(path: Path, error: Exception) -> StudioError:
    """One line for a write that failed; a full disk is called that."""
    reason = "the disk is full" if is_full(error) else str(error).split("\n")[0]
    if is_out_of_memory(error):
        reason = "the memory of this device does not suffice"
    return StudioError(f"cannot be written: {reason}; the last checkpoint is kept", field=str(path))
