"""What becomes of a run's picture: a file, a line of the history, a moment of the strip."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from studio.errors import StudioError
from studio.events import Done
from studio.history import History, record_of
from studio.history.intake import name_of, once_held
from studio.history.made import remember
from studio.preset import Preset
from studio.share import save_or_keep
from studio.share.write import BY_TIME, Naming
from studio.ui.errors import plain_line
from studio.ui.hashing import Hashing
from studio.ui.history.moments import Moment
from studio.ui.history.unopened import Unopened
from studio.ui.library.models import library
from studio.ui.session import Run


def saved(
    run: Run, done: Done, history_of: Callable[[], History | Unopened], hashing: Hashing
) -> Moment:
    """Save a picture; what is wrong with the disk or the history is the run's ``problem``.

    Args:
        history_of: opens the history of whoever asked for it.
        hashing: what writes down which models made it.
    """
    named = BY_TIME if run.apart else naming(history_of)
    path, problem = save_or_keep(done.image, done.preset, run.folder, naming=named)
    outputs = None
    try:
        if not run.apart:
            own = history_of()
            outputs = own.outputs
            parent = run.session.parent if run.parent is None else run.parent
            hashing.want(own, remember(own, done, path, library(), parent))
    except (StudioError, OSError) as error:  # the picture is there; it is taken in later
        problem = problem or f"the history: {plain_line(error)}"
    if problem and not run.problem:
        run.problem = problem
    return Moment.made(path, done, run.label, outputs, run.preset)


def naming(history_of: Callable[[], History | Unopened]) -> Naming:
    """How the settings want pictures to be called; no name of a history's picture is given again."""
    named = Naming.of_settings()
    if named.pattern:
        with suppress(StudioError, OSError):
            own = history_of()
            if isinstance(own, History):
                return replace(named, taken=lambda path: once_held(own, own.outputs, path))
    return named


def kept(
    path: Path, preset: Preset, text: str, history_of: Callable[[], History | Unopened]
) -> Moment:
    """The moment of a preview that a person kept as a picture, which goes into the history too."""
    outputs = None
    with suppress(StudioError, OSError):  # the picture is there; it is taken in later
        own = history_of()
        outputs = own.outputs
        own.made(record_of(path, name_of(outputs, path)))
    return Moment.kept(path, text, preset, outputs)
