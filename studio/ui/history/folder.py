"""A picture's folder in the system's own file manager, for the owner of the page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError, shorten
from studio.files import shown
from studio.history import History

MANAGERS = {"darwin": "open", "win32": "explorer"}  # elsewhere freedesktop's
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def manager(system: str, surroundings: Mapping[str, str]) -> str:
    """The program that opens a folder here; "" without one, or without a screen to open it on."""
    if system not in MANAGERS and not any(surroundings.get(name) for name in SCREENS):
        return ""
    return shutil.which(MANAGERS.get(system, "xdg-open")) or ""


def opened(
    history: History, asked: Mapping[str, Any], start: Callable[..., Any] = subprocess.Popen
) -> dict[str, Any]:
    """Open the folder of the picture that is asked for.

    Args:
        start: starts a program by its arguments; no shell reads them.

    Returns:
        the folder's path, and whether a file manager was started for it.

    Raises:
        StudioError: a picture that is not in the history, or a folder that is gone.
    """
    folder = history.file(history.get(str(asked.get("id")))).parent.resolve()
    if not folder.is_dir():
        raise StudioError(f"{shorten(shown(folder))} is not there", field="folder")
    program = manager(sys.platform, os.environ)
    return {"folder": str(folder), "started": bool(program) and _started(program, folder, start)}


def _started(program: str, folder: Path, start: Callable[..., Any]) -> bool:
    quiet = subprocess.DEVNULL
    try:
        start([program, str(folder)], stdin=quiet, stdout=quiet, stderr=quiet, close_fds=True)
    except OSError:
        return False
    return True
