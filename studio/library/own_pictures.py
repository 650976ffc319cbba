"""Pictures that a person has given to models here: they lie in the studio's home, whatever folder the
model lies in, and come before what lies beside it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from studio.files import slug, write_atomically
from studio.home import studio_home
from studio.images import open_checked, png_bytes, to_rgb

EDGE = 512  # pixels of the longer side
_BEFORE = ".before"  # what the last one has taken the place of


def own_picture(identity: str) -> str:
    """The file of a model's own picture; "" for none."""
    path = _place(identity)
    return str(path) if path.is_file() else ""


def give_picture(identity: str, source: Path) -> None:
    """Make a picture that of a model; the one before it can come back once.

    Raises:
        StudioError: it cannot be read, or the folder not be written to.
    """
    small = to_rgb(open_checked(source, source.name))
    small.thumbnail((EDGE, EDGE))
    path = _place(identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.with_suffix(_BEFORE)
    before.unlink(missing_ok=True)
    if path.is_file():
        os.replace(path, before)
    write_atomically(path, png_bytes(small))


def take_picture_back(identity: str) -> None:
    """Undo the last :func:`give_picture`."""
    path = _place(identity)
    before = path.with_suffix(_BEFORE)
    if before.is_file():
        os.replace(before, path)
    else:
        path.unlink(missing_ok=True)


def _place(identity: str) -> Path:
    mark = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return studio_home() / "model-pictures" / f"{slug(identity) or 'model'}-{mark}.png"
