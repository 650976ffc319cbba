"""Pictures that a person has given to models here: they lie in the studio's home, whatever folder the
model lies in, and come before what lies beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import StudioError
from studio.files import slug, write_atomically
from studio.home import studio_home
from studio.images import open_checked, png_bytes, to_rgb

EDGE = 512  # pixels of the longer side
# What the last one has taken the place of, and one that is not in its place yet.
_BEFORE, _NEW = ".before", ".new"


def own_picture(identity: str) -> str:
    """The file of a model's own picture; "" for none."""
    path = _place(identity)
    return str(path) if path.is_file() else ""


def give_picture(identity: str, source: Path) -> str:
    """Make a picture that of a model; the one before it can come back once.

    Returns:
        The mark of what the model has now, which :func:`take_picture_back` asks for.

    Raises:
        StudioError: it cannot be read, or the folder not be written to; what was there stays.
    """
    small = to_rgb(open_checked(source, source.name))
    small.thumbnail((EDGE, EDGE))
    path = _place(identity)
    with _written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = write_atomically(path.with_suffix(_NEW), png_bytes(small))
        try:
            _put_aside(path)
            os.replace(new, path)
        except OSError:
            new.unlink(missing_ok=True)
            before = path.with_suffix(_BEFORE)
            if before.is_file() and not path.is_file():
                os.replace(before, path)
            raise
    return _mark(path)


def drop_picture(identity: str) -> str:
    """Let a model have no picture of its own, but the one beside its file; the one that it had can come
    back once.

    Returns:
        The mark of that, which :func:`take_picture_back` asks for.

    Raises:
        StudioError: the folder cannot be written to.
    """
    path = _place(identity)
    with _written(path):
        _put_aside(path)
    return _mark(path)


def take_picture_back(identity: str, mark: str) -> bool:
    """Undo what has given this mark, where nothing else was given since; answers whether it was undone.

    Raises:
        StudioError: the folder cannot be written to.
    """
    path = _place(identity)
    before = path.with_suffix(_BEFORE)
    with _written(path):
        if _mark(path) != mark:
            return False
        if before.is_file():
            os.replace(before, path)
        else:
            path.unlink(missing_ok=True)
    return True


def _put_aside(path: Path) -> None:
    """Keep what a model has as what it had before; where it has none, it had none before."""
    before = path.with_suffix(_BEFORE)
    if path.is_file():
        os.replace(path, before)
    else:
        before.unlink(missing_ok=True)


def _mark(path: Path) -> str:
    """What tells a picture from others; "" for none."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StudioError(
            f"cannot be written ({error.strerror or error})", field=str(path.parent)
        ) from error


def _place(identity: str) -> Path:
    mark = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return studio_home() / "model-pictures" / f"{slug(identity) or 'model'}-{mark}.png"
