"""Writes that fail and writers that are killed: nothing finished is lost, nothing half is listed."""

from __future__ import annotations

import errno
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from studio.errors import StudioError
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.child import in_child, killed_within
from studio.hard.hub import hub
from studio.hard.writers import OWN, WRITERS, check, release, write_all


def killed(name: str, draw: Draw, folder: Path) -> None:
    """A process that saves without pause is killed at a random moment; then all is looked at."""
    hub()
    finished = killed_within(draw.uniform(0.0, 0.25), WRITERS[name])
    check([Path(line) for line in finished])
    write_all(100_001)  # the next start is clean
    if name == "download":
        in_child(partial(WRITERS[name], 0))  # it goes on from there
        check([])


ROOM = 400_000  # bytes that are free again after a disk was full
_FAULTS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES, errno.ENOENT)


def faults(draw: Draw, folder: Path) -> None:
    """System calls that fail now and then while all is saved: one line each, and nothing lost."""
    finished: list[Path] = []
    with Faulty(draw):
        for number in range(12):
            try:
                finished.append(WRITERS[draw.choice(OWN)](number))
            except StudioError as error:
                if "\n" in str(error):
                    raise Fell("more than one line") from error
    check(finished)


class Faulty:
    """The calls by which :mod:`studio.files` and checkpoints write, of which each may fail.

    Args:
        share: of them that fail. codes: errors that they fail with.
    """

    def __init__(
        self, random: Random, share: float = 0.2, codes: tuple[int, ...] = _FAULTS
    ) -> None:
        self.random, self.share, self.codes = random, share, codes
        self.kept: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        for place, name in ((os, "replace"), (os, "link"), (os, "fdopen"), (tempfile, "mkstemp")):
            self.kept.append((place, name, getattr(place, name)))
            setattr(place, name, self._failing(getattr(place, name)))

    def __exit__(self, *error: object) -> None:
        for place, name, original in self.kept:
            setattr(place, name, original)

    def _failing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            mode = options.get("mode", arguments[1] if len(arguments) > 1 else "")
            if mode != "rb" and self.random.random() < self.share:
                code = self.random.choice(self.codes)
                raise OSError(code, os.strerror(code))
            return original(*arguments, **options)

        return call


def full(draw: Draw, folder: Path) -> None:
    """No file may grow beyond a random size, as on a disk that is full (in a process of its own)."""

    def work() -> None:
        before = [WRITERS[name](number) for number, name in enumerate(OWN)]
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (draw.randrange(30_000), resource.RLIM_INFINITY))
        for number in range(8):
            with suppress(StudioError):
                before.append(WRITERS[draw.choice(OWN)](100 + number))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        check(before)

    in_child(work)


def small(draw: Draw, folder: Path) -> None:
    """Saving on, also once the file system is full: ``TMPDIR`` may name a small one."""
    finished: list[Path] = []
    room = folder / "room"
    room.write_bytes(b"\0" * ROOM)
    for number in range(120):
        with suppress(StudioError):
            finished.append(WRITERS[draw.choice(OWN)](number))
    room.unlink()  # somebody makes room, and looks
    try:
        check(finished)
    finally:
        release()  # a file that is deleted and open takes its room still


for _name in WRITERS:
    ATTACKS.register(
        f"killed: {_name}",
        Attack(f"kill -9 while saving: {_name}", partial(killed, _name), 100, 5.0, 2, hangs=300),
    )
ATTACKS.register(
    "faults", Attack("ENOSPC, EIO, EROFS … in the calls that write", faults, 2000, 5.0, 15)
)
ATTACKS.register("full disk", Attack("no file may grow beyond some bytes", full, 400, 10.0, 5))
ATTACKS.register(
    "small disk", Attack("saving until the file system of TMPDIR is full", small, 200, 10.0, 2)
)
