"""The studio's own log: one file in the home that never grows large, and what went wrong last."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import time
import traceback
from contextlib import suppress
from pathlib import Path

from studio.home import REPOSITORY, studio_home

MAX_BYTES, KEPT = 2**20, 3
NAME, LAST = "studio.log", "last_error.json"
LOG = logging.getLogger("studio")
# What of a message may be somebody's own: text in quotes, paths, addresses, long numbers.
_PRIVATE = re.compile(r"""(["'“‘`]).*["'”’`]|\S*[/\\]\S*|\S+@\S+|\d{5,}""", re.DOTALL)


def folder() -> Path:
    """Where the log lies."""
    return studio_home() / "log"


def start() -> None:
    """Write warnings and errors to the log from now on; a home that cannot be written to has none."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder() / NAME, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)
        LOG.propagate = False


def record(error: BaseException) -> None:
    """Keep an error that nobody expected: whole in the log, and without anything private beside it."""
    with suppress(OSError, ValueError):
        if LOG.handlers:
            LOG.error(
                "%s", "".join(traceback.format_exception(error)).encode("utf-8", "replace").decode()
            )
        folder().mkdir(parents=True, exist_ok=True)
        (folder() / LAST).write_text(json.dumps(summary(error)), encoding="utf-8")


def summary(error: BaseException) -> dict[str, object]:
    """An error that can be sent to somebody: its kind, where it arose, and its words without names."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "kind": type(error).__name__,
        "message": _PRIVATE.sub("…", str(error))[:300],
        "where": [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames][
            -12:
        ],
    }


def _place(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(REPOSITORY):
        return path.relative_to(REPOSITORY).as_posix()
    return "/".join(path.parts[-2:])


def last_error() -> dict[str, object] | None:
    """The summary of what went wrong last; ``None`` for nothing."""
    try:
        data = json.loads((folder() / LAST).read_bytes()[: 2**16])
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
