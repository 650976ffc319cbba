"""A thousand generations in one process: memory, handles and threads stay as they are."""

from __future__ import annotations

import gc
import threading
from functools import lru_cache
from pathlib import Path

import psutil

from studio.engine import Engine
from studio.events import Done
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.tiny import models
from studio.library import Library
from studio.preset import Preset, validate
from studio.preset.schedulers import SCHEDULERS

SETTLED = 100  # generations until everything has been loaded
MOST_GROWTH = 32 * 2**20
_measured: list[tuple[int, int, int]] = []  # bytes, handles, threads after each generation


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(device="cpu", library=Library((models(),)))


def _preset(draw: Draw) -> Preset:
    rows = []
    for _ in range(draw.randint(1, 3)):
        row = {"prompt": "".join(draw.choices("abc ,", k=draw.randint(1, 30)))}
        row |= {"weight": draw.uniform(-3, 8), "enabled": draw.random() < 0.9}
        model = draw.choice((None, None, "tuned", "lora"))
        if model == "lora":
            model = {"lora": "tiny/lora", "strength": draw.choice((0.5, 1.0, -0.5))}
        rows.append({**row, "model": model})
    return validate(
        {
            "base": draw.choice(("tiny", "tuned")),
            "rows": rows,
            "omega": draw.choice((0.0, 0.0, 0.3, 1.0)),
            "decoupling": draw.choice((0.5, 1.0)),
            "sampler": {
                "scheduler": draw.choice(list(SCHEDULERS)),
                "steps": draw.randint(1, 3),
                "width": 8 * draw.randint(4, 12),
                "height": 8 * draw.randint(4, 12),
                "count": draw.randint(1, 2),
                "seed": draw.randrange(2**31),
            },
        }
    )


def generation(draw: Draw, folder: Path) -> None:
    """One generation of a random preset; one in ten is closed on the way, and one in fifty rescans."""
    engine, preset = _engine(), _preset(draw)
    if draw.random() < 0.02:
        engine.look_in(Library((models(),)))
    events = engine.generate(preset)
    if draw.random() < 0.1:
        for _ in range(draw.randint(1, 4)):
            next(events, None)
        events.close()
    else:
        made = sum(isinstance(event, Done) for event in events)
        if made != preset.sampler.count:
            raise Fell(f"{made} pictures")
    if any(part["pinned"] for part in engine.describe()):
        raise Fell("something is held for ever")
    process = psutil.Process()
    if draw.number % 50 == 0:
        gc.collect()
    _measured.append((process.memory_info().rss, process.num_fds(), threading.active_count()))


def flat() -> str:
    """How memory, handles and threads went after the first hundred generations.

    Raises:
        Fell: one of them grew.
    """
    taken, _measured[:] = list(_measured), []
    if len(taken) < 2 * SETTLED:
        return ""
    first, last = taken[SETTLED // 2 : SETTLED], taken[-SETTLED // 2 :]
    before, after = (
        tuple(max(part[k] for part in some) for k in range(3)) for some in (first, last)
    )
    figures = (
        f"{before[0] / 2**20:.0f} MiB, {before[1]} handles and {before[2]} threads after "
        f"{SETTLED} generations; {after[0] / 2**20:.0f} MiB, {after[1]} and {after[2]} after {len(taken):,}"
    )
    if after[0] - before[0] > MOST_GROWTH or after[1] > before[1] or after[2] > before[2]:
        raise Fell(figures)
    return figures


ATTACKS.register(
    "soak",
    Attack(
        "generations over changing presets, LoRAs and sizes in one process",
        generation,
        1000,
        20.0,
        10,
        growth=2**30,
        end=flat,
    ),
)
