"""diffusers' caches: the loop without one makes the engine's pictures, each changes and saves what it should."""

from __future__ import annotations

import numpy as np

from studio.bench import caches, quality
from studio.bench.decibels import decibels
from studio.engine import Engine
from studio.events import Done
from studio.preset import validate
from tests.support.studio_page import needs_starter

ROWS = [("a lion in flat style", 3.0), ("on a blue background", 1.5)]
STEPS = 8


@needs_starter
def test_the_loop_without_a_cache_makes_the_engines_pictures() -> None:
    rows = [{"prompt": prompt, "weight": weight} for prompt, weight in ROWS]
    sampler = {"steps": STEPS, "seed": 0, "count": 2}
    preset = validate({"rows": rows, "decoupling": 0.0, "sampler": sampler})
    done = [e for e in Engine("cpu").generate(preset) if isinstance(e, Done)]
    made = np.stack([np.asarray(one.image) for one in done])
    drawn = caches.Loop(quality.STARTER, None, "cpu").pictures(ROWS, STEPS, 2)
    found = decibels(drawn, made)
    assert found["worst"] is None or found["worst"] > 45


@needs_starter
def test_each_cache_does_without_work_and_moves_the_picture() -> None:
    calls: dict[str, int] = {}

    def counted(name: str, lay: caches.Lay | None) -> np.ndarray:
        loop = caches.Loop(quality.STARTER, lay, "cpu")
        calls[name] = 0

        def count(*_: object) -> None:
            calls[name] += 1

        for part, module in loop.pipe.unet.named_modules():
            if part.endswith("attn2.to_q"):
                module.register_forward_hook(count)
        return loop.pictures(ROWS, STEPS, 1)

    drawn = {name: counted(name, lay) for name, lay in caches.CACHES.items()}
    plain = drawn.pop("no cache")
    whole = calls.pop("no cache")
    assert all(0 < number < whole for number in calls.values()), (whole, calls)
    for name, pictures in drawn.items():
        value = decibels(pictures, plain)["psnr"]
        assert value is not None and 10 < value < 70, name


def test_the_table_is_one_line_a_run() -> None:
    runs = [{"run": "no cache", "time": 1.0, "psnr": None, "worst": None}]
    assert "| 3 | no cache | 1.00 | – (–) |" in caches.markdown({"3": runs})
