"""One file of civitai.com on its way to its name: what has come is kept, checked, and stands for nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import Timeout

from studio.errors import StudioError, cut
from studio.files import claim, write_atomically
from studio.home import cache_folder
from studio.library.civitai_answers import client, missing, refuse
from studio.library.civitai_files import INFO, NEAR, SiteModel
from studio.library.guard import header_of
from studio.locks import acquired

LOCK_SECONDS = 3.0  # that a second call waits for one that was stopped a moment ago
MORE_BYTES = 2**20  # than the site says are taken
_MOST_BYTES = 2**37  # are taken where it does not say
_PIECE_BYTES = 2**20


class Arrival:
    """Brings the file of ``model``; to be run in a thread of its own, by :class:`Transfer`.

    ``path``: where it lies, once it has come. ``checking``: whether a file on this machine is read now.
    """

    def __init__(self, model: SiteModel) -> None:
        self.model, self.path, self.checking = model, model.path, False
        self._kept = 0  # bytes of an earlier call

    def run(self, bar: Any) -> None:
        """Fetch the file unless it is there, and write beside it what the site says.

        Args:
            bar: the class of the bar that is told of each piece, and raises once nobody wants it.

        Raises:
            MissingModel: another file came than the site says, or none.
            StudioError: it is being fetched already.
            OSError: the disk cannot be read or written.
            httpx.HTTPError: the site went out of reach.
        """
        self.model.part.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.model):
            there = self._there(bar)
            if there is None:
                self._bring(bar)
            self.path = there or self._named()
            beside = self.path.with_suffix(INFO)
            if there is None or not os.path.lexists(beside):
                write_atomically(beside, json.dumps(dict(self.model.info)).encode())

    def _there(self, bar: Any) -> Path | None:
        """Where it lies already."""
        for path in self.model.alike():
            if not self.model.sha256:
                return path
            digest = hashlib.sha256()
            self._read(path, digest, bar)
            if digest.hexdigest() == self.model.sha256:
                return path
        return None

    def _bring(self, bar: Any) -> None:
        """All of it, into the part."""
        part, size = self.model.part, self.model.bytes
        have = part.stat().st_size if part.is_file() else 0
        self._kept = have if not size or have < size + NEAR else 0
        while wrong := self._come(bar):
            part.unlink(missing_ok=True)
            if not self._kept:
                raise missing(self.model.id, wrong)
            self._kept = 0  # once more from its beginning: the part may be what was wrong

    def _come(self, bar: Any) -> str:
        """What is behind the kept bytes; why the whole is wrong then, "" where it is right."""
        model, digest = self.model, hashlib.sha256()
        if self._kept:
            self._read(model.part, digest, bar)
        headers = {"Accept-Encoding": "identity"}
        if self._kept:
            headers["Range"] = f"bytes={self._kept}-"
        with client() as asking, asking.stream("GET", model.address, headers=headers) as answer:
            if self._kept and answer.status_code == 416:  # all of it has come, or too much
                return self._wrong(digest, self._kept)
            refuse(model.id, answer, model.address)
            if answer.status_code != 206:
                self._kept, digest = 0, hashlib.sha256()
            behind = answer.headers.get("content-range", f"bytes {self._kept}-")
            if self._kept and not behind.startswith(f"bytes {self._kept}-"):
                return "came with another size than the site says, and was removed"
            return self._write(answer, digest, bar)

    def _write(self, answer: Any, digest: Any, bar: Any) -> str:
        come = self._kept
        most = self.model.bytes + MORE_BYTES if self.model.bytes else _MOST_BYTES
        told = bar(initial=come)
        with self.model.part.open("ab" if come else "wb") as file:
            for piece in answer.iter_bytes():
                told.update(len(piece))  # raises once nobody wants it: nothing is written then
                come += len(piece)
                if come > most:
                    return "came larger than the site says, and was removed"
                file.write(piece)
                digest.update(piece)
        told.update(0)
        return self._wrong(digest, come)

    def _wrong(self, digest: Any, come: int) -> str:
        if self.model.sha256:
            fits = digest.hexdigest() == self.model.sha256
            return "" if fits else "came with another hash than the site says, and was removed"
        if abs(come - self.model.bytes) >= NEAR:
            return "came with another size than the site says, and was removed"
        try:
            header_of(self.model.part)
        except OSError:
            raise
        except Exception as error:  # anything can stand in a stranger's file
            return f"came damaged, and was removed ({cut(str(error), 200)})"
        return ""

    def _named(self) -> Path:
        """Give what has come the first of its names that nothing has."""
        part = self.model.part
        free = (place for place in self.model.places() if not self.model.is_taken(place))
        path = next(place for place in free if claim(part, place))
        part.unlink(missing_ok=True)
        return path

    def _read(self, path: Path, digest: Any, bar: Any) -> None:
        told, self.checking = bar(initial=0), True
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    told.update(len(piece))
                    digest.update(piece)
        finally:
            self.checking = False


@contextmanager
def _alone(model: SiteModel) -> Iterator[None]:
    """Keep the part from others, threads and programs alike, that fetch the same file."""
    # Locks stay where they are made, and what stays has no place among a person's models.
    try:
        lock = acquired(cache_folder() / "fetching" / model.part.name, LOCK_SECONDS)
    except Timeout as error:
        raise StudioError(
            "is being fetched already, or was stopped just now: try again in half a minute",
            field=model.id,
        ) from error
    try:
        yield  # where the place takes no locks too: writing says what it takes
    finally:
        if lock is not None:
            lock.release()
