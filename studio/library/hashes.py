"""Hashes of models, by which other tools name them in pictures, whatever a file is called.

AutoV2 is the SHA-256 of a whole file (its first ten digits are A1111's ``Model hash``), AutoV3 that
of the tensors behind the header (A1111's ``Lora hashes``, twelve digits), AutoV1 that of 64 KiB in
the file (eight digits, pictures of 2022). What headers and sidecars state is known at once; the
rest is computed where it is asked for, a file at a time, and kept in the cache. A model in a folder,
which other tools know by no hash, has one of all its files.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import open_regular, read_regular, write_atomically
from studio.library.entry import ModelEntry
from studio.library.model_files import files_of

SHORTEST, LONGEST = 8, 64
MAX_BYTES = 64 * 2**20
_BLOCK = 2**22
_PART = slice(0x100000, 0x110000)  # what AutoV1 reads


def is_hash(text: str) -> bool:
    """Whether a text can be a hash as tools write it: 8 to 64 hexadecimal digits."""
    return SHORTEST <= len(text) <= LONGEST and all(c in "0123456789abcdef" for c in text.lower())


def compute(path: str | Path, stop: Callable[[], bool] = lambda: False) -> tuple[str, ...]:
    """SHA-256 of a safetensors file and of its tensors, and AutoV1; () where ``stop`` says so.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    if os.path.isdir(path):
        return _of_folder(Path(path), stop)
    whole, tensors, part = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    place = 0
    with open_regular(path, 2**60) as file:
        header = 8 + int.from_bytes(file.read(8), "little")
        file.seek(0)
        while block := file.read(_BLOCK):
            if stop():
                return ()
            whole.update(block)
            tensors.update(block[max(0, header - place) :])
            part.update(block[max(0, _PART.start - place) : max(0, _PART.stop - place)])
            place += len(block)
    return whole.hexdigest(), tensors.hexdigest(), part.hexdigest()[:SHORTEST]


def _of_folder(top: Path, stop: Callable[[], bool]) -> tuple[str, ...]:
    """SHA-256 of the names and SHA-256s of a folder's files."""
    digest = hashlib.sha256()
    for file in files_of(top):
        each = hashlib.sha256()
        with open_regular(file, 2**60) as opened:
            while block := opened.read(_BLOCK):
                if stop():
                    return ()
                each.update(block)
        digest.update(f"{file.relative_to(top).as_posix()} {each.hexdigest()}\n".encode())
    return (digest.hexdigest(),)


def state_of(path: str) -> tuple[int, int]:
    """When a model's files have changed last, in ns, and how many bytes they are.

    Raises:
        OSError: one is not there.
    """
    states = [os.stat(file) for file in files_of(Path(path))]
    return max((s.st_mtime_ns for s in states), default=0), sum(s.st_size for s in states)


class Hashes:
    """Computed hashes by path, valid while size and modification time stay.

    Args:
        path: where they are kept; an unreadable file is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[Any]] = {}
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            data = json.loads(read_regular(path, MAX_BYTES))
            self._known = {key: one for key, one in data.items() if _is_record(one)}

    def of(self, entry: ModelEntry) -> tuple[str, ...]:
        """All hashes of a model that are known now; nothing is computed."""
        return (*entry.hashes, *self._computed(entry.path))

    def lacks(self, entry: ModelEntry) -> bool:
        """Whether a model is a file whose hashes have not been computed."""
        return entry.one_file and not self._computed(entry.path)

    def unknown(self, entry: ModelEntry) -> bool:
        """Whether nothing is known that says which files a model is, and it could be computed."""
        return bool(entry.path) and not self.of(entry)

    def find(self, text: str, entries: Iterable[ModelEntry]) -> ModelEntry | None:
        """The first model that is known by a hash which begins as ``text`` does, or the reverse."""
        wanted = text.lower().removeprefix("0x")
        if not is_hash(wanted):
            return None
        for entry in entries:
            if any(one.startswith(wanted) or wanted.startswith(one) for one in self.of(entry)):
                return entry
        return None

    def fill(
        self, entries: Iterable[ModelEntry], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[ModelEntry]:
        """Compute what is lacking, small files first; yields each model when it is done.

        Args:
            stop: asked between blocks of a file, and between models: what is known by then is yielded.
        """
        lacking = [one for one in entries if self.lacks(one) or self.unknown(one)]
        for entry in sorted(lacking, key=lambda one: one.bytes):
            found: tuple[str, ...] = ()
            with suppress(OSError):
                state = state_of(entry.path)
                found = compute(entry.path, stop)
                if found:
                    self._known[entry.path] = [*state, list(found)]
                    self._save()
            if not found and stop():
                return
            yield entry
            if stop():
                return

    def _computed(self, path: str) -> tuple[str, ...]:
        record = self._known.get(path)
        if record is None:
            return ()
        with suppress(OSError):
            if record[:2] == [*state_of(path)]:
                return tuple(record[2])
        return ()

    def _save(self) -> None:
        with suppress(StudioError):  # a folder that cannot be written to is no reason to stop
            write_atomically(self.path, json.dumps(self._known).encode())


def _is_record(record: Any) -> bool:
    return (
        isinstance(record, list)
        and len(record) == 3
        and isinstance(record[2], list)
        and all(isinstance(one, str) and is_hash(one) for one in record[2])
    )


class Background:
    """Computes hashes in a thread of its own, which ends with the process; one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.left = 0

    def start(self, hashes: Hashes, entries: Mapping[str, ModelEntry]) -> None:
        """Begin, unless it is under way."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            waiting = [entry for entry in entries.values() if hashes.lacks(entry)]
            self.left = len(waiting)
            self._thread = threading.Thread(
                target=self._run, args=(hashes, waiting), name="hashes", daemon=True
            )
            self._thread.start()

    def _run(self, hashes: Hashes, waiting: list[ModelEntry]) -> None:
        try:
            for _ in hashes.fill(waiting):
                self.left -= 1
        finally:
            self.left = 0


BACKGROUND = Background()
