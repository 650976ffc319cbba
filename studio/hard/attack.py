"""What an attack is: many cases of one kind, each of which may be refused, and must do no more harm.

A case that raises a :class:`~studio.errors.StudioError` of one line was refused as it should be.
Anything else that it raises, more time or memory than allowed, and a file written outside its
folder are faults, named by the attack's name, the seed and the case's number.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any

from studio.errors import StudioError
from studio.extensions import Table

HANGS_SECONDS = 30
MOST_GROWTH = 200 * 2**20  # bytes of memory over one attack, after its first case
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Attack:
    """``case(random, folder)`` makes one case in an empty folder; ``cases``: how many at full size.

    ``seconds`` of the processor: the most that one may take; ``short``: how many the test suite runs;
    ``growth``: bytes by which the process may grow after the first case.
    """

    about: str
    case: Callable[[Random, Path], None]
    cases: int = 10_000
    seconds: float = 1.0
    short: int = 40
    growth: int = MOST_GROWTH


ATTACKS: Table[Attack] = Table("attack")


class Fell(AssertionError):
    """Something that must hold did not."""


class Hangs(BaseException):
    """Not an Exception, so that no guard takes it for a damaged file."""


@dataclass
class Result:
    """The figures of one attack."""

    name: str
    seed: int
    cases: int = 0
    refused: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    grown: int = 0
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON line."""
        return {
            **self.__dict__,
            "slowest": round(self.slowest, 3),
            "seconds": round(self.seconds, 1),
        }


def run(name: str, seed: int, cases: int, until: float = float("inf")) -> Result:
    """Run cases of one attack, until they are through or ``time.monotonic()`` is ``until``."""
    attack, result = ATTACKS[name], Result(name, seed)
    begun, memory = time.monotonic(), _memory()
    previous = signal.signal(signal.SIGALRM, _alarm) if hasattr(signal, "SIGALRM") else None
    home = os.environ.get("STUDIO_HOME")
    try:
        with _Written() as written:
            for number in range(cases):
                if time.monotonic() > until:
                    break
                _one(attack, result, number, written)
                if number == 0:  # what the libraries take counts for nobody
                    memory = _memory()
    finally:
        if previous is not None:
            signal.signal(signal.SIGALRM, previous)
        os.environ.pop("STUDIO_HOME", None)
        if home is not None:
            os.environ["STUDIO_HOME"] = home
    result.seconds, result.grown = time.monotonic() - begun, _memory() - memory
    if result.grown > attack.growth:
        result.faults.append(f"{name}: memory grew by {result.grown / 2**20:.0f} MiB")
    return result


def _one(attack: Attack, result: Result, number: int, written: _Written) -> None:
    folder = Path(tempfile.mkdtemp(prefix="studio-hard-"))
    os.environ["STUDIO_HOME"] = str(folder / "home")
    written.allowed = str(folder)
    fault, begun = "", time.process_time()  # what other programs take counts for nobody
    try:
        signal.alarm(HANGS_SECONDS)
        attack.case(Random(f"{result.seed}:{result.name}:{number}"), folder)
    except StudioError as error:
        result.refused += 1
        if "\n" in str(error) or len(str(error)) > 4000:
            fault = f"an error of {len(str(error))} characters"
    except (Exception, Hangs) as error:
        fault = f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
        rmtree(folder, ignore_errors=True)
    seconds = time.process_time() - begun
    result.cases += 1
    result.slowest = max(result.slowest, seconds)
    if not fault and seconds > attack.seconds:
        fault = f"{seconds:.1f} s"
    if not fault and written.outside:
        fault = f"wrote {written.outside[0]}"
    written.outside.clear()
    if fault:
        result.faults.append(f"{result.name} {number} (seed {result.seed}): {fault}")


def _alarm(*_: object) -> None:
    raise Hangs(f"more than {HANGS_SECONDS} s")


def _memory() -> int:
    """The most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Written:
    """Watches which files are opened for writing; those outside ``allowed`` are noted."""

    _watching: _Written | None = None
    _hooked = False

    def __init__(self) -> None:
        self.allowed = ""
        self.outside: list[str] = []

    def __enter__(self) -> _Written:
        if not _Written._hooked:
            _Written._hooked = True
            sys.addaudithook(_Written._hook)
        _Written._watching = self
        return self

    def __exit__(self, *error: object) -> None:
        _Written._watching = None

    @staticmethod
    def _hook(event: str, arguments: tuple[Any, ...]) -> None:
        here = _Written._watching
        if here is None or event != "open":
            return
        path, flags = arguments[0], arguments[2]
        if not isinstance(path, str) or not isinstance(flags, int) or not flags & _WRITES:
            return
        own = path.startswith((here.allowed, "/dev/")) or path.endswith((".pyc", "__pycache__"))
        if not own and ".pyc." not in path:
            here.outside.append(path)
