"""What an attack is: many cases of one kind, each of which may be refused, and must do no more harm.

A case that raises a :class:`~studio.errors.StudioError` of one line was refused as it should be.
Anything else that it raises, more time or memory than allowed, a file written outside its folder
and a host that is asked are faults, named by the attack's name, the seed and the case's number.
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
from studio.hard.watch import Watch

HANGS_SECONDS = 30
MOST_GROWTH = 200 * 2**20  # bytes of memory over one attack, after its first case


class Draw(Random):
    """The random numbers of one case: the same again for the same seed, attack and number.

    Args:
        number: of the case, from 0.
        small: whether the test suite runs it, which has little time.
    """

    def __init__(self, seed: int, name: str, number: int, small: bool = False) -> None:
        super().__init__(f"{seed}:{name}:{number}")
        self.number, self.small = number, small


@dataclass(frozen=True)
class Attack:
    """``case(draw, folder)`` makes one case in an empty folder; ``cases``: how many at full size.

    ``seconds`` of the processor: the most that one may take; ``short``: how many the test suite runs;
    ``growth``: bytes by which the process may grow after the first case; ``hangs``: seconds by the
    clock after which a case is broken off; ``end`` is called after the last case: it says what
    was measured over all of them, and raises :class:`Fell` where that must not be.
    """

    about: str
    case: Callable[[Draw, Path], None]
    cases: int = 10_000
    seconds: float = 1.0
    short: int = 40
    growth: int = MOST_GROWTH
    hangs: int = HANGS_SECONDS
    end: Callable[[], str] | None = None


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
    measured: str = ""
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON line."""
        return {
            **self.__dict__,
            "slowest": round(self.slowest, 3),
            "seconds": round(self.seconds, 1),
        }


def run(
    name: str, seed: int, cases: int, until: float = float("inf"), small: bool = False
) -> Result:
    """Run cases of one attack, until they are through or ``time.monotonic()`` is ``until``."""
    attack, result = ATTACKS[name], Result(name, seed)
    begun, memory = time.monotonic(), _memory()
    previous = signal.signal(signal.SIGALRM, _alarm) if hasattr(signal, "SIGALRM") else None
    home = os.environ.get("STUDIO_HOME")
    tempfile.gettempdir()  # its first call writes a file to try the place
    try:
        with Watch() as watch:
            for number in range(cases):
                if time.monotonic() > until:
                    break
                _one(attack, result, Draw(seed, name, number, small), watch)
                if number == 0:  # what the libraries take counts for nobody
                    memory = _memory()
            _end(attack, result)
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


def _end(attack: Attack, result: Result) -> None:
    if attack.end is None:
        return
    try:
        result.measured = attack.end()
    except Fell as error:
        result.faults.append(f"{result.name} (seed {result.seed}): {error}")


def _one(attack: Attack, result: Result, draw: Draw, watch: Watch) -> None:
    folder = Path(tempfile.mkdtemp(prefix="studio-hard-"))
    os.environ["STUDIO_HOME"] = str(folder / "home")
    watch.allowed = (str(folder),)
    fault, begun = "", time.process_time()  # what other programs take counts for nobody
    try:
        signal.alarm(attack.hangs)
        attack.case(draw, folder)
    except StudioError as error:
        result.refused += 1
        if "\n" in str(error) or len(str(error)) > 4000:
            fault = f"an error of {len(str(error))} characters"
    except (Exception, Hangs) as error:
        fault = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    finally:
        signal.alarm(0)
        rmtree(folder, ignore_errors=True)
    seconds = time.process_time() - begun
    result.cases += 1
    result.slowest = max(result.slowest, seconds)
    if not fault and seconds > attack.seconds:
        fault = f"{seconds:.1f} s"
    if not fault and watch.outside:
        fault = watch.outside[0]
    watch.outside.clear()
    if fault:
        result.faults.append(f"{result.name} {draw.number} (seed {result.seed}): {fault}")


def _alarm(*_: object) -> None:
    raise Hangs("more seconds than it may take")


def _memory() -> int:
    """The most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
