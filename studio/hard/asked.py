"""Presets that ask for too much: refused before anything runs, or with their cost shown."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from studio.engine import Engine
from studio.engine.networks import memory
from studio.errors import OutOfMemory, StudioError
from studio.events import Progress
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.tiny import models
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import Preset, validate
from studio.preset.sweep import Axis, cells
from studio.ui.describe import cost
from studio.ui.space import SPACE

_ROW = {"prompt": "a", "weight": 2.0}


def _preset(**sampler: Any) -> Preset:
    return validate({"base": "tiny", "rows": [_ROW], "sampler": sampler})


@lru_cache(maxsize=1)
def _engine() -> Engine:
    engine = Engine(device="cpu", library=Library((models(),)))
    list(engine.generate(_preset(steps=1, width=64, height=64)))
    return engine


def _numbers(error: StudioError) -> None:
    if not re.search(r"\d", str(error)):
        raise Fell(f"it does not say how much: {error}") from error


def size(draw: Draw) -> None:
    """A picture larger than memory: an estimate in GiB, before the first step."""
    edge = draw.choice((1024, 2048, 4096))
    engine = _engine()
    free = 52 * (edge // 8) ** 2 * 8 * 4 - draw.randrange(1, 2**20)  # less than a sample takes
    with mock.patch.object(memory, "free_bytes", lambda: free):
        try:
            for event in engine.generate(_preset(steps=1, width=edge, height=edge)):
                if isinstance(event, Progress) and event.step:
                    raise Fell("it begins")
        except OutOfMemory as error:
            if "GiB" not in str(error):
                raise Fell(f"no estimate: {error}") from error
            raise


def rows(draw: Draw) -> None:
    """More rows, steps or pictures than there may be; or as many as may, with their cost."""
    count, steps = draw.choice((12, 200, 201, 500)), draw.choice((50, 200, 201, 10**9))
    parts = draw.choice((1, 20, 64, 65, 900))
    row = {**_ROW, "prompt": " AND ".join("ab" for _ in range(parts))}
    document = {
        "base": "tiny",
        "rows": [row] * count,
        "decoupling": draw.choice((0.5, 1.0)),
        "sampler": {"steps": steps, "count": draw.choice((1, 64, 65))},
    }
    preset = validate(document)
    plan = compile_plan(preset, Library((models(),)))
    if str(plan.forwards_total) not in cost(plan, preset.sampler.count):
        raise Fell("its cost is not shown")


def sweep(draw: Draw) -> None:
    """Ten thousand cells."""
    across = Axis("omega", tuple(k / 1000 for k in range(draw.randint(101, 1000))))
    down = Axis("sampler.seed", tuple(range(draw.randint(100, 1000))))
    cells(_preset(steps=1), across, down)
    raise Fell("it is not refused")


def shared(draw: Draw) -> None:
    """More than a visitor of a shared page may ask for."""
    more = draw.choice(({"steps": 51}, {"width": 4096}, {"height": 776}, {"count": 64}))
    SPACE.check(_preset(**more))
    raise Fell("it is not refused")


def too_much(draw: Draw, folder: Path) -> None:
    """One of the ways to ask for too much."""
    try:
        (size, rows, sweep, shared)[draw.number % 4](draw)
    except StudioError as error:
        _numbers(error)
        raise


ATTACKS.register(
    "asked too much",
    Attack(
        "4096² pictures, 500 rows, 10⁹ steps, 65 pictures, 10,000 cells",
        too_much,
        1000,
        10.0,
        8,
        growth=2**30,
    ),
)
