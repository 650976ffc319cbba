"""What was made: the pictures in the studio's home."""

from __future__ import annotations

import heapq
from pathlib import Path

from studio.home import outputs_folder


def list_outputs(limit: int = 100, folder: Path | None = None) -> list[Path]:
    """The newest images below ``folder`` (default: all outputs), newest first.

    File names begin with their date and time, so that no file has to be opened.
    """
    images = (path for path in (folder or outputs_folder()).rglob("*.png") if path.is_file())
    return heapq.nlargest(limit, images, key=lambda path: path.name)
