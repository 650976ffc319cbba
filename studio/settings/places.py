"""What a folder's path that a person names comes to, before anything is put there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from studio.files import shown


def cannot_hold(given: str) -> str:
    """Why nothing can be put into this folder, or into the nearest one in which it would be made; ""
    where files can."""
    near = nearest(given)
    if not near.is_dir():
        return f"{shown(near)} is no folder"
    try:
        with tempfile.TemporaryFile(dir=near):
            return ""
    except OSError as error:
        return f"nothing can be written in {shown(near)} ({error.strerror or error})"


def nearest(given: str) -> Path:
    """The folder, else the one above it that is there."""
    path = Path(os.path.expanduser(given))
    return next((one for one in (path, *path.parents) if one.exists()), path)


def note(given: str) -> str:
    """One line on a folder that is not there or takes nothing; "" for any other."""
    if not given:
        return ""
    if why := cannot_hold(given):
        return f"No picture can be kept there: {why}."
    near = nearest(given)
    if near == Path(os.path.expanduser(given)):
        return ""
    return f"Not there yet: it will be made in {shown(near)}."
