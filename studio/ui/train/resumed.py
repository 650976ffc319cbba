"""What the form says otherwise than a training that is gone on with, and that does not count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import read_regular
from studio.library.naming import check_spelling
from studio.train.begun import MAX_BYTES, left_nothing
from studio.train.config import TrainConfig
from studio.train.method import METHODS
from studio.train.runner import Runner
from studio.ui.train.form import texts_of
from studio.ui.train.images import Picture, kept_name


def cut_off(runner: Runner, name: str) -> str:
    """What has become of a training that went on when an earlier start ended; "" where none did."""
    if not name or runner.state.config is not None:
        return ""
    with suppress(StudioError, OSError):  # no name of a training
        check_spelling(name)
        if runner.can_resume(name):
            return f"{name} was being trained, and Resume in the Train tab goes on with it"
        if left_nothing(name):
            return f"{name} was being trained and has no checkpoint yet, so Train begins it anew"
    return ""


def left_out(
    config: TrainConfig, pictures: Sequence[Picture], given: Mapping[str, Any]
) -> list[str]:
    """The settings of the form that are not those of ``config``, by their names in it; ``images``
    and ``captions`` are among them. What is left empty says nothing."""
    read = METHODS[config.method].reads
    always = ("base", "method")
    said = {name: _typed(name, value) for name, value in given.items() if name != "name"}
    found = [
        name
        for name, value in said.items()
        if value not in (None, "", ())
        and (name in always or read(name))
        and value != getattr(config, name)
    ]
    if pictures:
        found += _of_pictures(config, pictures)
    return found


def _typed(name: str, value: Any) -> Any:
    if name != "sample_prompts":
        return value
    return tuple(line.strip() for line in str(value or "").splitlines() if line.strip())


def _of_pictures(config: TrainConfig, pictures: Sequence[Picture]) -> list[str]:
    found = []
    with suppress(OSError, ValueError):
        kept = {path.name for path in Path(config.images).iterdir()}
        if kept != {kept_name(picture) for picture in pictures}:
            found.append("images")
        elif config.captions is not None:
            table = json.loads(read_regular(config.captions, MAX_BYTES))
            if table != texts_of(pictures, config):
                found.append("captions")
    return found
