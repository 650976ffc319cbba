"""A cell of a sweep that is kept among the results, where the History finds it another day."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import MissingFile
from studio.images import size_checked
from studio.share import read_image
from studio.share.write import save_encoded
from studio.ui.keeping import kept, naming
from studio.ui.runs import Runs
from studio.ui.session import Session
from studio.ui.space import save_folder
from studio.ui.sweep.shown import shot_at
from studio.ui.sweep.sweeper import Sweeper

# The look at the history and the copy are one: of simultaneous presses one copies.
_KEEPING = threading.Lock()
KEPT, THERE = "It is in the History now.", "It is in the History already."


def keep_cell(runs: Runs, owner: Session, sweeper: Sweeper, place: Any) -> str:
    """Copy a cell's picture, preset included, among the results of a session and into its history, once.

    Args:
        place: the cell's column, line and page.

    Returns:
        What is said of it.

    Raises:
        StudioError: the cell or its file is not there, or the folder cannot be written to.
    """
    file = sweeper.folder / shot_at(sweeper.state, place).name
    with _KEEPING:
        return _copied(runs, owner, file)


def _copied(runs: Runs, owner: Session, file: Path) -> str:
    try:
        data = file.read_bytes()
        history = runs.history(owner)
        there = history.same_as(file)
    except OSError as error:
        raise MissingFile("this picture is not there any more", field=file.name) from error
    if there and history.get(there).deleted is None:
        return THERE
    preset = read_image(file)[0]
    folder = save_folder(runs.limits, owner.key)
    named = replace(naming(lambda: history), suffix=file.suffix)
    path = save_encoded(data, preset, size_checked(file, file.name), folder, named)
    text = f"seed {preset.sampler.seed}"
    made = kept(path, preset, text, lambda: history)
    with runs.changed:  # a picture may come in this moment
        owner.moments = [made, *owner.moments]
    return KEPT
