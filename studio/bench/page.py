"""How fast the page is: opened with a large history and with none, scrolled, and with many rows."""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.bench import page_browser as look
from studio.bench import page_home as homes
from studio.bench.history import PICTURES

ROUNDS, ROWS, SCROLL_SECONDS = 5, 100, 10.0
WHILE = 10_000  # ms: somebody who opened the page reads it and writes a prompt meanwhile
USABLE_MS, EDIT_MS, FRAME_MS = 500.0, 50.0, 1000 / 60  # what is aimed at


def run(
    count: int = PICTURES,
    rounds: int = ROUNDS,
    tell: Callable[[str], None] = print,
    rows: int = ROWS,
    seconds: float = SCROLL_SECONDS,
) -> dict[str, Any]:
    """Milliseconds of what a person waits for.

    Args:
        count: pictures of the large history; the other is empty.
        rounds: how often a server is started for each, and each edit is made.
        rows: of the preset that is edited.
        seconds: how long a scroll takes.
    """
    with tempfile.TemporaryDirectory(prefix="guidance-studio-") as name, look.browser() as window:
        folder = Path(name)
        homes.fill(folder / "many", count, tell)
        opening = _openings(folder, window, rounds, tell)
        tell("scrolls, then edits many rows")
        with homes.served(folder / "many") as (address, _), look.visit(window, address) as page:
            opening["many"]["History opened"] = [look.history_opened(page)]
            frames = look.scrolled(page, seconds)
        with homes.served(folder / "none") as (address, _), look.visit(window, address) as page:
            edits = look.edited(page, homes.rows_of(rows).to_json(), folder, rounds)
    return result(count, rounds, rows, opening, frames, edits)


def result(
    count: int,
    rounds: int,
    rows: int,
    opening: Mapping[str, Mapping[str, Sequence[float]]],
    frames: Mapping[str, Sequence[float]],
    edits: Mapping[str, Mapping[str, Sequence[float]]],
) -> dict[str, Any]:
    """What was measured, as medians and the slowest of each."""
    return {
        "pictures": count,
        "rows": rows,
        "rounds": rounds,
        "milliseconds": {
            home: {what: _summed(times) for what, times in found.items()}
            for home, found in opening.items()
        },
        "frames": {what: _framed(times) for what, times in frames.items()},
        "edits": {
            what: {name: _summed(times) for name, times in found.items()}
            for what, found in edits.items()
        },
    }


def _openings(
    folder: Path, window: Any, rounds: int, tell: Callable[[str], None]
) -> dict[str, dict[str, list[float]]]:
    """Each home in turn, served anew every time: what was made before is warm for neither."""
    found: dict[str, dict[str, list[float]]] = {
        "none": defaultdict(list),
        "many": defaultdict(list),
    }
    for number in range(rounds):
        tell(f"opens, round {number + 1} of {rounds}")
        for name in ("none", "many") if number % 2 else ("many", "none"):
            once, later = (folder / f"none-{number}-{which}" for which in ("once", "later"))
            if name == "many":
                once = later = folder / name
            for what, took in _opening(once, later, window).items():
                found[name][what].append(took)
    return found


def _opening(once: Path, later: Path, window: Any) -> dict[str, float]:
    """One who starts the studio and makes a picture at once; then a server that is opened by somebody
    new and right after by another, who makes one after a while."""
    with homes.served(once) as (address, seconds), look.visit(window, address) as page:
        alone = {"server answers": 1000 * seconds, "picture made at once": look.made(page)}
    with homes.served(later) as (address, _):
        with look.visit(window, address) as page:
            first = look.opened(page)
        with look.visit(window, address) as page:
            again = look.opened(page)
            page.wait_for_timeout(WHILE)
            made = look.made(page)
    first = {f"{what}, at first": took for what, took in first.items()}
    again = {f"{what}, again": took for what, took in again.items()}
    return alone | first | again | {"picture made after a while": made}


def _summed(times: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(times), 1), "slowest": round(max(times), 1)}


def _framed(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        **_summed(times),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 1),
        "a second": round(1000 * len(times) / sum(times), 1),
    }


def markdown(result: Mapping[str, Any]) -> str:
    """The result as three tables."""
    none, many = (result["milliseconds"][home] for home in ("none", "many"))
    lines = [
        f"A history of {result['pictures']:,} pictures should cost {USABLE_MS:g} ms at most.",
        "",
        f"| what (median, slowest) | no pictures | {result['pictures']:,} pictures |",
        "|---|---|---|",
    ]
    lines += [f"| {what} | {_told(none.get(what))} | {_told(many[what])} |" for what in many]
    lines += [
        "",
        f"Frames should come every {FRAME_MS:.1f} ms.",
        "",
        "| scrolled | median | 95th of 100 | slowest | frames a second |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {what} | {took['median']:.1f} ms | {took['p95']:.1f} ms | {took['slowest']:.1f} ms "
        f"| {took['a second']:.1f} |"
        for what, took in result["frames"].items()
    ]
    lines += [
        "",
        f"An edit of {result['rows']} rows should be painted within {EDIT_MS:g} ms.",
        "",
        "| edited (median, slowest) | painted | longest task after it |",
        "|---|---|---|",
    ]
    lines += [
        f"| {what} | {_told(took['painted'])} | {_told(took['block'])} |"
        for what, took in result["edits"].items()
    ]
    return "\n".join(lines)


def _told(took: Mapping[str, float] | None) -> str:
    return f"{took['median']:.0f} ms, {took['slowest']:.0f} ms" if took else "–"
