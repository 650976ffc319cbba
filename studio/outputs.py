"""What was made: the pictures in the studio's home."""

from __future__ import annotations

import heapq
from pathlib import Path

from studio.files import is_text, listed
from studio.home import outputs_folder

DEPTH = 8  # of folders within the outputs


def list_outputs(limit: int = 100, folder: Path | None = None) -> list[Path]:
    """The newest images below ``folder`` (default: all outputs), newest first.

    File names begin with their date and time, so that no file has to be opened. The studio names
    its own in ASCII; others' whose names are no text are passed over.
    """
    found = listed(folder or outputs_folder(), (".png",), DEPTH)
    images = (path for path in found if is_text(str(path)))
    return heapq.nlargest(limit, images, key=lambda path: path.name)
