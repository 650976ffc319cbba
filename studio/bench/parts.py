"""Every part of the benchmark, most important first, each in a process and a time of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.bench import quality, report
from studio.files import write_atomically

LEAST = 15.0  # seconds under which no part is begun: its libraries alone take most of them
LOADING = 25.0  # seconds that libraries and networks may take of a part
KILLED = "stopped at its limit of {:.0f} s; what it had measured by then is here"


@dataclass(frozen=True)
class Part:
    """One call of the verb; ``seconds`` is the most that it may take, on a GPU, and ``timed`` what
    its rounds or variants may take of them."""

    name: str
    options: Sequence[str]
    seconds: float
    timed: float | None = None


PARTS = (
    Part("sd15", ("--size", "sd15", "--only", "ratios", "--steps", "5"), 75, 25),
    Part("starter", ("--only", "ratios", "--steps", "5"), 45, 12),
    Part("training sd15", ("--size", "sd15", "--training"), 60, 12),
    Part("variants sd15", ("--size", "sd15", "--only", "variants"), 90, 65),
    Part("quality starter", ("--quality",), 60),
)


def run(
    device: str | None,
    seconds: float | None = None,
    tell: Callable[[str], object] = lambda _: None,
    keep: Callable[[dict[str, Any]], object] = lambda _: None,
    parts: Sequence[Part] = PARTS,
) -> dict[str, Any]:
    """Run ``parts`` one after another.

    Args:
        device: that of every part.
        seconds: for all parts together; a part without time left is left out by name.
        tell: called with the name of each part before it begins.
        keep: called with what there is after each part.

    Returns:
        ``parts``: name → what the verb prints for it; ``failed``: name → why it stopped or was
        left out; ``took``: name → seconds of the wall clock.
    """
    begun = time.monotonic()
    result: dict[str, Any] = {"parts": {}, "failed": {}, "took": {}}
    for part in parts:
        left = None if seconds is None else seconds - (time.monotonic() - begun)
        if left is not None and left < LEAST:
            result["failed"][part.name] = "no time was left"
            continue
        tell(f"== {part.name}")
        started = time.monotonic()
        found, why = _one(part, device, part.seconds if left is None else min(part.seconds, left))
        result["took"][part.name] = round(time.monotonic() - started, 1)
        if found:
            result["parts"][part.name] = found
        if why:
            result["failed"][part.name] = why
        keep(result)
    keep(result)
    return result


def _one(part: Part, device: str | None, limit: float) -> tuple[dict[str, Any], str]:
    """What a part's process wrote, whether it came to its end or not, and why it did not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.json"
        command = [sys.executable, "-m", "studio", "bench", *part.options, "--output", str(path)]
        command += ["--device", device] if device else []
        if part.timed:
            command += ["--seconds", str(max(1, int(min(part.timed, limit - LOADING))))]
        child = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": folder},  # what a killed part leaves goes too
            start_new_session=os.name == "posix",
        )
        why = ""
        try:
            code = child.wait(limit)
            why = f"ended with code {code}" if code else ""
        except subprocess.TimeoutExpired:
            why = KILLED.format(limit)
        finally:
            _end(child)
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found, why


def _end(child: subprocess.Popen[bytes]) -> None:
    """The process and what it started: a compiler's workers outlive it."""
    if child.poll() is None:
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()


def markdown(result: Mapping[str, Any]) -> str:
    """Every part's own table under its name."""
    lines = []
    for name, part in result["parts"].items():
        table = quality.markdown(part) if "quality" in part else report.markdown(part)
        lines += [f"### {name} ({result['took'][name]:.0f} s)", "", table]
    lines += [f"Left out: `{name}` ({why})." for name, why in result["failed"].items()]
    return "\n".join(lines) + "\n"


def save(path: Path) -> Callable[[Mapping[str, Any]], object]:
    """Writes what there is to ``path``, whole or not at all."""
    return lambda result: write_atomically(
        path, (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode()
    )
