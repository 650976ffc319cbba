"""What the processes of ``--jobs`` run in a test: they write a file, or end as one that is killed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def begin(*_: Any) -> None:
    """No engine."""


def one(_: Any, path: Path) -> None:
    """A file of the process's number; ``killed`` takes the process away."""
    if path.stem == "killed":
        time.sleep(0.5)  # the others' files are there by then
        os._exit(9)
    path.write_text(str(os.getpid()))
