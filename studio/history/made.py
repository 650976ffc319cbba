"""A picture that was just made, and the models that made it: the same for the page, its API and the
command line.

Hashes that are known are written down with the picture. The others are computed once nothing is being
made, and written down with every picture that was made since the model's files have changed last.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from studio.errors import StudioError
from studio.events import Done
from studio.history.intake import name_of
from studio.history.record import Record, models_of, record_of, time_of
from studio.history.rows import parsed
from studio.history.store import History
from studio.home import ASSETS, PRESETS
from studio.library import Library
from studio.library.hashes import state_of
from studio.preset import Preset

OTHER = "has another hash than when this picture was made, which may not come out the same"
AUTO_V1 = 8  # digits
NEWER = "is newer here than this picture, which may not come out the same"
NEWER_THAN_FILE = "is newer here than this file, which may not draw the same"


class Keeper(Protocol):
    """What takes pictures in: a history, or one that is not opened yet."""

    outputs: Path

    def made(self, record: Record) -> None: ...


def remember(own: Keeper, done: Done, path: Path, library: Library, parent: str = "") -> Record:
    """Take in a picture with what its file does not hold.

    Args:
        parent: the picture that it was changed from.

    Raises:
        StudioError: the history cannot be written.
        OSError: the picture cannot be looked at.
    """
    measured = {"forwards": done.forwards, "seconds": round(done.seconds, 3)}
    shares = tuple(dataclasses.asdict(share) for share in done.shares)
    record = record_of(path, name_of(own.outputs, path), shares=shares, parent=parent, **measured)
    record = dataclasses.replace(record, hashes=library.hashes_of(record.models))
    own.made(record)
    return record


def unhashed(record: Record, library: Library) -> list[str]:
    """The models of a picture whose hashes are not written down with it and can be here."""
    here = [name for name in record.models if name in library and name not in record.hashes]
    known = library.hashes_of(here)  # one may have become known since the picture was taken in
    return [name for name in here if name in known or library.hashes.unknown(library[name])]


def replaced(record: Record, library: Library) -> list[str]:
    """The models of a picture that may not be what made it any more, a line each: by their hashes, and
    where none of one kind are known by when their files, or what ships in their place, are from."""
    lines = []
    for name in record.models:
        if name not in library:
            continue
        before = record.hashes.get(name, "")
        now = [one for one in library.hashes.of(library[name]) if _alike(one, before)]
        if now:
            if not any(one.startswith(before) or before.startswith(one) for one in now):
                lines.append(f"{name} {OTHER}")
        elif _changed(library[name].path) > record.made:
            lines.append(f"{name} {NEWER}")
    return lines


def renewed(preset: Preset, file: Path, library: Library) -> list[str]:
    """The shipped models of a preset or picture that are newer than its file, a line each; none of what
    ships itself. Of their own models people know when they made them."""
    if file.resolve().is_relative_to(PRESETS.resolve()):
        return []
    paths = {name: library[name].path for name in models_of(preset) if name in library}
    made = time_of(file)
    return [f"{x} {NEWER_THAN_FILE}" for x in paths if 0 < made < (_shipped_since(paths[x]) or 0)]


def _alike(one: str, other: str) -> bool:
    """Whether two hashes can be of one kind: AutoV1's eight digits are of a part of a file."""
    return bool(one and other) and (len(one) <= AUTO_V1) == (len(other) <= AUTO_V1)


def _changed(path: str) -> float:
    """When a model's files have changed last, in seconds since 1970; 0 where that cannot be seen. The
    studio's own have the time of their installation: their card says since when they ship."""
    since = _shipped_since(path)
    if since is not None:
        return since
    try:
        return state_of(path)[0] / 1e9 if path else 0.0
    except OSError:
        return 0.0


def _shipped_since(path: str) -> float | None:
    """Since when the studio's own model of that path ships, by its card; 0 where that says nothing,
    ``None`` for any other model."""
    if not path or not Path(path).resolve().is_relative_to(ASSETS.resolve()):
        return None
    with suppress(OSError, ValueError, KeyError):
        since = json.loads((Path(path) / "card.json").read_text("utf-8"))["since"]
        return datetime.fromisoformat(since).replace(tzinfo=UTC).timestamp()
    return 0.0


def hash_models(
    own: History, library: Library, names: Iterable[str], stop: Callable[[], bool] = lambda: False
) -> list[str]:
    """Write the hashes of these models down, and compute what is not known. Returns the ids that are
    done.

    Args:
        stop: asked between blocks of a file; what is under way then is begun anew another time.
    """
    left = [name for name in dict.fromkeys(names) if name in library]
    done: list[str] = []

    def write(those: Iterable[str]) -> None:
        for name, known in library.hashes_of(those).items():
            with suppress(StudioError, OSError):
                since = state_of(library[name].path)[0] / 1e9
                _write_down(own, name, known, since)
                done.append(name)

    write(left)
    for entry in library.hashes.fill([library[name] for name in left if name not in done], stop):
        write([entry.id])
    # Another thread may have computed one meanwhile, which is not computed here again.
    write([name for name in left if name not in done])
    return done


def _write_down(own: History, name: str, known: str, since: float) -> None:
    """With every picture that lacks the model's hash and was made by the files as they are now."""
    sql = (
        "SELECT id, hashes FROM pictures WHERE id IN (SELECT picture FROM models WHERE name = ?) "
        "AND made >= ?"
    )
    marks: dict[str, list[str]] = {}
    for one, hashes in own.database.read(sql, [name, since]):
        if name not in parsed(hashes, dict):
            marks.setdefault(hashes, []).append(one)
    for hashes, ids in marks.items():
        own.hashed(ids, {**parsed(hashes, dict), name: known})
