"""How long a large history takes to answer: searches, filters, orders, a page far down, its lists."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from studio.history import History, Query, Record
from studio.history.record import identity

PICTURES, ROUNDS, PAGE, BATCH = 50_000, 15, 120, 5000
LIMIT_MS = 100.0  # that a search is to take at most
_THINGS = "fox rocket cat astronaut harbour mountain lamp teapot violin orchard robot lighthouse"
_LOOKS = "flat noto oil watercolour pixel engraving felt neon paper chalk"
_COLOURS = "red green blue white black yellow orange violet grey brown"


def made_up(count: int) -> list[Record]:
    """Records of pictures that were never made, the same each time."""
    draw = Random(0)
    things, looks, colours = (text.split() for text in (_THINGS, _LOOKS, _COLOURS))
    found = []
    for number in range(count):
        path = f"{number:07d}.png"
        prompt = (
            f"a {draw.choice(things)} in {draw.choice(looks)} style on a {draw.choice(colours)} "
            f"background\nno {draw.choice(things)}"
        )
        model = f"base-{draw.randrange(5)}"
        found.append(
            Record(
                identity(path),
                path,
                1.7e9 + 60 * number,
                title=f"Preset {draw.randrange(200)}",
                seed=draw.randrange(2**31),
                width=512,
                height=512,
                steps=25,
                base=model,
                prompts=prompt,
                models=(model, f"loras/{draw.randrange(40)}"),
                lora=draw.random() < 0.4,
                preset='{"schema_version": 1}',
                scores={"clip-t": draw.random()},
            )
        )
    return found


def asked(history: History, count: int) -> dict[str, Callable[[], object]]:
    """What is timed, by its name."""
    queries = {
        "newest": Query(),
        "one word": Query(text="fox"),
        "half a word, as one types": Query(text="ast"),
        "three words": Query(text="fox felt blue"),
        "a word and a model": Query(text="lamp", model="loras/7"),
        "a word of no picture": Query(text="zeppelin"),
        "by score": Query(sort="score:clip-t"),
        "a word, by score": Query(text="cat", sort="score:clip-t"),
    }
    found: dict[str, Callable[[], object]] = {
        name: lambda query=query: history.search(query, PAGE) for name, query in queries.items()
    }
    found["a page far down"] = lambda: history.search(Query(), PAGE, count * 9 // 10)
    found["lists to choose from"] = lambda: [
        history.names(kind) for kind in ("models", "presets", "tags", "boards", "sizes")
    ]
    return found


def run(
    count: int = PICTURES, rounds: int = ROUNDS, tell: Callable[[str], None] = print
) -> dict[str, Any]:
    """Milliseconds of each, the median and the slowest of ``rounds``, in a history of ``count``;
    ``processor``: what of it a machine that is busy with other things does not stretch."""
    with tempfile.TemporaryDirectory(prefix="guidance-studio-") as name:
        home = Path(name)
        history = History(home, home / "outputs")
        try:
            began = time.perf_counter()
            records = made_up(count)
            for first in range(0, count, BATCH):
                history.add(*records[first : first + BATCH])
                tell(f"{min(first + BATCH, count)} of {count} pictures taken in")
            filled = time.perf_counter() - began
            took = {what: _timed(act, rounds) for what, act in asked(history, count).items()}
        finally:
            history.close()
    return {"pictures": count, "filled_seconds": round(filled, 2), "milliseconds": took}


def _timed(act: Callable[[], object], rounds: int) -> dict[str, float]:
    seconds, processor = [], []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        act()
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    return {
        "median": round(1000 * statistics.median(seconds), 2),
        "slowest": round(1000 * max(seconds), 2),
        "processor": round(1000 * statistics.median(processor), 2),
    }


def markdown(result: Mapping[str, Any]) -> str:
    """The result as a table."""
    lines = [
        f"{result['pictures']:,} pictures; a search should take {LIMIT_MS:g} ms at most.",
        "",
        "| what | median | slowest | processor (median) |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {what} | {took['median']:.1f} ms | {took['slowest']:.1f} ms "
        f"| {took['processor']:.1f} ms |"
        for what, took in result["milliseconds"].items()
    ]
    return "\n".join(lines)
