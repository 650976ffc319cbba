"""Rows on every transformer of the table: signed, masked, for a part of the steps; and what memory holds.

U-Nets have theirs against the oracle and in the tests of residency and memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from studio.engine import Engine
from studio.engine.inputs.memory_check import needs_of
from studio.engine.networks import memory
from studio.errors import OutOfMemory
from studio.events import Done, Progress
from studio.library import FAMILIES, Library
from studio.plan import compile_plan
from studio.preset import Preset, validate
from tests.support import tiny_pictures
from tests.support.family_contract import PROMPT, SCHEDULER, SIZE, Loop, Roots, merged
from tests.support.tiny_pictures import SEED, STEPS, difference

LONG = "fog over the hills, seen from far away"  # more tokens than the others
FLOWS = [name for name, family in FAMILIES.items() if family.part == "transformer"]
SAMPLER = {"steps": STEPS, "scheduler": SCHEDULER, "seed": SEED, "width": SIZE, "height": SIZE}


def made(
    root: Path, rows: list[dict[str, Any]], exact: bool = False, omega: float = 0.0, count: int = 1
) -> np.ndarray:
    sampler = {**SAMPLER, "count": count}
    preset = {"base": "base", "rows": rows, "omega": omega, "sampler": sampler}
    return tiny_pictures.made(root, preset, exact)


@pytest.mark.parametrize("name", FLOWS)
def test_signed_rows_are_a_loop(name: str, roots: Roots) -> None:
    """In one batch: a LoRA's row beside plain ones, texts of several lengths, a mask, a range."""
    root = roots(name)
    loop = Loop(root, name)
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    pixels[:, SIZE // 2 :] = 255
    Image.fromarray(pixels).save(root / "right.png")
    far = [1 - (float(t) + 1) / 1000 for t in loop.scheduler().timesteps]
    rows: list[dict[str, Any]] = [
        {"prompt": LONG, "weight": 3.0, "model": {"lora": "style", "strength": 0.5}},
        {"prompt": PROMPT, "weight": -1.5, "range": [0.0, max(0.0, far[0] + far[1]) / 2]},
        {"prompt": "red", "weight": 2.0, "mask": "right.png"},
    ]
    styled = merged(loop, root, name, 0.5)
    spans = max(loop.family.spans(loop.text, row["prompt"]) for row in rows)
    null, *texts = (
        loop.family.encode(loop.text, [prompt], spans=spans)
        for prompt in ("", *(row["prompt"] for row in rows))
    )
    edge = SIZE // loop.factor
    mask = torch.zeros(1, 1, edge, edge)
    mask[..., edge // 2 :] = 1

    def guided(x: torch.Tensor, t: torch.Tensor, step: int) -> torch.Tensor:
        free = loop.family.predict(loop.prior, x, t, null)
        total = free
        places: list[Any] = [1.0, float(step == 0), mask]
        for row, text, place in zip(rows, texts, places, strict=True):
            network = styled if "model" in row else loop.prior
            own = loop.family.predict(network, x, t, text)
            total = total + row["weight"] * place * (own - free)
        return total

    expected = loop.run(guided)
    assert difference(made(root, rows), expected) <= 1
    assert difference(made(root, rows[:1]), expected) > 1


@pytest.mark.parametrize("name", FAMILIES)
def test_a_lora_on_weights_between_is_the_same_in_a_batch(name: str, roots: Roots) -> None:
    model = {"model": "tuned", "lora": "style", "strength": 0.5}
    rows: list[dict[str, Any]] = [
        {"prompt": PROMPT, "weight": 3.0, "model": model},
        {"prompt": "red", "weight": 1.0},
    ]
    alone = made(roots(name), rows, exact=True, omega=0.4)
    assert difference(made(roots(name), rows, omega=0.4, count=2), alone) <= 1
    assert difference(made(roots(name), rows, exact=True, omega=1.0), alone) > 1


@pytest.mark.parametrize("name", FLOWS)
def test_a_lora_meets_weights_that_a_family_holds_otherwise(name: str, roots: Roots) -> None:
    """In half precision, as on CUDA, some families hold their networks in bfloat16."""
    engine = Engine(device="cpu", dtype=torch.float16, library=Library((roots(name),)))
    pictures = []
    for model in (None, {"lora": "style", "strength": 0.5}):
        row = {"prompt": PROMPT, "weight": 3.0, "model": model}
        preset = validate({"base": "base", "rows": [row], "omega": 0.4, "sampler": SAMPLER})
        done = next(event for event in engine.generate(preset) if isinstance(event, Done))
        pictures.append(np.asarray(done.image).astype(int))
    assert difference(*pictures) > 1


def engine_of(root: Path, budget: int | None = None) -> Engine:
    return Engine(device="cpu", library=Library((root,)), budget=budget)


def two_networks() -> Preset:
    rows = [{"prompt": PROMPT, "weight": 3.0, "model": "tuned"}]
    return validate({"base": "base", "rows": rows, "omega": 0.0, "sampler": SAMPLER})


@pytest.mark.parametrize("name", FLOWS)
def test_networks_take_turns_or_are_refused_unread(
    name: str, roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset, engine = two_networks(), engine_of(roots(name))
    needs = needs_of(preset, compile_plan(preset, engine.library), engine.loader)
    tight = engine_of(roots(name), needs.largest + needs.others)
    both = [
        next(np.asarray(e.image) for e in one.generate(preset) if isinstance(e, Done))
        for one in (engine, tight)
    ]
    assert sum(needs.networks.values()) > needs.largest
    np.testing.assert_array_equal(*both)
    kind: Any = getattr(diffusers, FAMILIES[name].network)
    monkeypatch.setattr(kind, "from_pretrained", lambda *_, **__: pytest.fail("a weight is read"))
    with pytest.raises(OutOfMemory, match="bytes of weights at once"):
        list(engine_of(roots(name), needs.largest // 2).generate(preset))


@pytest.mark.parametrize("name", FLOWS)
def test_too_large_a_picture_is_refused_before_the_first_step(
    name: str, roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    seen = []
    with pytest.raises(OutOfMemory, match=f"{SIZE}x{SIZE} takes about") as caught:
        seen.extend(engine_of(roots(name)).generate(two_networks()))
    assert caught.value.field == "sampler.width"
    assert [type(event) for event in seen] == [Progress]
