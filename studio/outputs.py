"""What was made: where the pictures lie, and the newest of them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path

from studio.files import entries, holds_something, is_text
from studio.home import studio_home
from studio.settings import SETTINGS, value_of

DEPTH = 8  # of folders within the outputs
MADE = (".png", ".jpg", ".webp")  # in which pictures are saved here
STAMP = re.compile(r"(\d{8}-\d{6})-(\d{6})")  # with which the studio's own names begin


def outputs_folder() -> Path:
    """Everything that was generated: the folder of the settings, else ``outputs`` in the home.

    It is read once: a run, its history and what is shown of it must not part.

    Raises:
        StudioError: the environment names something that is no folder's path.
    """
    return _outputs_of(studio_home(), os.environ.get(SETTINGS["outputs"].variable, ""))


@lru_cache(maxsize=16)
def _outputs_of(home: Path, _: str) -> Path:
    given = value_of("outputs")
    return Path(os.path.expanduser(given)) if given else home / "outputs"


def list_outputs(
    limit: int = 100, folder: Path | None = None, since: str | None = None
) -> list[Path]:
    """The newest images below ``folder`` (default: all outputs), newest first.

    Names that begin with date and time say when, so that no file has to be looked at; of others the
    file's own time does. The studio names its own in ASCII; others' whose names are no text are
    passed over.

    Args:
        since: names those alone that begin so and come after this one.
    """
    found: Iterable[os.DirEntry[str]] = entries(folder or outputs_folder(), MADE, DEPTH)
    if since is not None:
        found = (item for item in found if item.name > since and STAMP.match(item.name))
    newest = sorted(found, key=_when, reverse=True)
    images = (Path(item.path) for item in newest if is_text(item.path) and holds_something(item))
    return list(islice(images, limit))


def _when(item: os.DirEntry[str]) -> str:
    """A name that sorts by time."""
    if STAMP.match(item.name):
        return item.name
    with suppress(OSError, ValueError, OverflowError):
        return time.strftime("%Y%m%d-%H%M%S", time.localtime(item.stat().st_mtime)) + item.name
    return ""
