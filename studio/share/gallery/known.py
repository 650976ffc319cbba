"""The galleries that a person has opened, remembered by name: ``STUDIO_HOME/galleries.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from studio.files import read_regular, write_atomically
from studio.home import studio_home
from studio.locks import held

MAX_BYTES, MOST = 2**16, 50


def known() -> tuple[str, ...]:
    """Their names, the one that was opened last first; none where the file is damaged."""
    try:
        data = json.loads(read_regular(_file(), MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return ()
    found = data.get("galleries") if isinstance(data, dict) else None
    names = found if isinstance(found, list) else []
    return tuple(dict.fromkeys(one for one in names if isinstance(one, str) and one))[:MOST]


def remember(name: str) -> None:
    """Put a gallery first.

    Raises:
        StudioError: the file cannot be written.
    """
    _change(lambda names: (name, *(one for one in names if one != name)))


def forget(name: str) -> None:
    """Take a gallery off the list; its files stay.

    Raises:
        StudioError: the file cannot be written.
    """
    _change(lambda names: (one for one in names if one != name))


def _change(changed: Callable[[Iterable[str]], Iterable[str]]) -> None:
    with held(_file()):  # of two changes at once neither is lost
        names = list(changed(known()))[:MOST]
        text = json.dumps({"galleries": names}, indent=2, ensure_ascii=False)
        write_atomically(_file(), f"{text}\n".encode())


def _file() -> Path:
    return studio_home() / "galleries.json"
