"""The folders of models that a person has named: for one start, or on the Models tab for good."""

from __future__ import annotations

import json
import os
from pathlib import Path

from studio.errors import StudioError, first_of, shorten
from studio.files import is_text, read_regular, write_atomically
from studio.home import further_models, studio_home

MAX_BYTES, MAX_FOLDERS = 2**18, 50


def named_folders() -> tuple[Path, ...]:
    """All of them, those of ``STUDIO_MODELS`` first."""
    return tuple(dict.fromkeys((*further_models(), *kept())))


def kept() -> tuple[Path, ...]:
    """Those that are kept for every start; none where the file is damaged."""
    try:
        data = json.loads(read_regular(_file(), MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return ()
    folders = data.get("folders") if isinstance(data, dict) else None
    if not isinstance(folders, list):
        return ()
    return tuple(
        Path(os.path.expanduser(one)) for one in folders if isinstance(one, str) and one.strip()
    )[:MAX_FOLDERS]


def keep(folders: list[str]) -> tuple[Path, ...]:
    """Keep these and no others.

    Raises:
        StudioError: those that are not there, or are no full paths, all at once; too many; nothing is
            kept then.
    """
    cleaned = list(dict.fromkeys(one.strip().strip("\"'") for one in folders if one.strip()))
    if len(cleaned) > MAX_FOLDERS:
        raise StudioError(f"at most {MAX_FOLDERS}, got {len(cleaned)}", field="folders")
    wrong = []
    for one in cleaned:
        try:
            _check(one)
        except StudioError as error:
            wrong.append(error.message)
    if wrong:
        raise StudioError(first_of(wrong), field="folders")
    text = json.dumps({"folders": cleaned}, indent=2)
    write_atomically(_file(), f"{text}\n".encode())
    return kept()


def _check(given: str) -> None:
    try:
        path = Path(os.path.expanduser(given))
        there = is_text(given) and path.exists()
    except (OSError, ValueError):  # too long, a NUL
        raise StudioError(f"{shorten(given)} is no path", field="folders") from None
    if not path.is_absolute():
        raise StudioError(f"{shorten(given)} is no full path (or ~/…)", field="folders")
    system = Path(f"{os.environ.get('SYSTEMDRIVE', '')}{os.sep}")  # a drive of models alone is none
    if there and path.resolve() == system:
        raise StudioError(
            f"{shorten(given)} is the whole disk, which takes long to look through; name the folder "
            "that holds models",
            field="folders",
        )
    if not there:
        raise StudioError(
            f"{shorten(given)} is not there; a folder that holds models", field="folders"
        )


def _file() -> Path:
    return studio_home() / "folders.json"
