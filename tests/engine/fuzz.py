"""Random stacks of rows: the engine against the plain loop of tests/support/oracle.py, in float64.

    python -m tests.engine.fuzz --stacks 20000 [--first SEED] [--seconds LIMIT]

A stack that differs is printed with its seed and as the smallest preset that still differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from studio.cli.common import no_loading_bars
from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.inputs.start_image import Pictures
from studio.engine.networks.loader import Loader
from studio.engine.networks.null_text import null_text_unet
from studio.engine.networks.registry import Registry
from studio.library import Library
from studio.plan import compile_plan
from studio.plan.places import meeting_in
from studio.preset import validate
from tests.support import tiny
from tests.support.oracle import Oracle, World

TOLERANCE = 1e-6  # relative to the largest value
PROGRESS = [0.1, 0.7]
TIMES = [torch.tensor(t) for t in (900, 300)]
LEVELS = [(0.3, 0.91**0.5), (0.8, 0.6)]  # α, σ
PROMPTS = ["", "cat", "a dog", "in ink style", "a bear that sits on a mat", "x" * 30, "y z" * 19]
MASKS = ["left.png", "disc.png", "soft.png"]
CURVES = ["linear_up", "linear_down", "cosine_up", "cosine_down", [[0.1, 0.0], [0.5, 2.0]]]
SMALL = {
    "block_out_channels": (8,),
    "down_block_types": ("CrossAttnDownBlock2D",),
    "up_block_types": ("CrossAttnUpBlock2D",),
}


class Fuzz:
    """A library of tiny random models, and one way to run a stack through it."""

    def __init__(self, folder: Path) -> None:
        no_loading_bars()
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
        pipe = tiny.pipeline(folder / "base", **SMALL)
        networks = {
            "tuned": tiny.pipeline(folder / "tuned", seed=1, **SMALL),
            "velocity": tiny.pipeline(
                folder / "velocity", seed=2, prediction="v_prediction", **SMALL
            ),
        }
        tiny.pipeline(folder / "vbase", prediction="v_prediction", **SMALL)
        deltas = {
            name: tiny.lora(folder / "base" / name, pipe.unet, seed=3 + k)
            for k, name in enumerate(("style", "other"))
        }
        (null,) = tiny.encode(pipe, "")
        concept = null_text_unet(pipe.unet, null)
        for parameter in concept.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
        concept.save_pretrained(folder / "base/concept")
        torch.manual_seed(5)
        guide = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=(4, 4, 8))
        for parameter in guide.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
        guide.save_pretrained(folder / "base/guide")
        (folder / "base/guide/card.json").write_text(json.dumps({"base": "base"}))
        self.folder = folder
        self.loader = Loader(
            Library((folder,)), Registry(2**30), torch.device("cpu"), torch.float64
        )
        theta = pipe.unet.double().eval()
        states = {name: other.unet.double().state_dict() for name, other in networks.items()}
        self.world = World(
            theta,
            {f"base/{name}": _double(delta) for name, delta in deltas.items()}
            | {
                name: {k: v - theta.state_dict()[k] for k, v in state.items()}
                for name, state in states.items()
            },
            {
                **dict.fromkeys(("base", "tuned", "base/concept"), "epsilon"),
                **dict.fromkeys(("velocity", "vbase"), "v_prediction"),
            },
            {"base/concept": concept.double().eval()},
            guide.double().eval(),
            pipe.text_encoder.double().eval(),
            pipe.tokenizer,
            _pixels(folder),
        )

    def difference(self, stack: dict[str, Any], seed: int) -> float:
        """The largest difference over all steps, relative to the largest value of the oracle."""
        chance = random.Random(seed)
        images = chance.choice([1, 1, 2, 3])
        way: dict[str, Any] = chance.choice([{}, {"max_samples": 3}, {"exact": True}])
        preset = validate(
            {**stack, "sampler": {"scheduler": "ddim", "steps": 3, "width": 16, "height": 16}}
        )
        plan = compile_plan(preset, self.loader.library, PROGRESS, meeting_in([self.folder]))
        passes = prepare_passes(preset, plan, self.loader, [self.folder])
        pictures = Pictures.read(plan, None, (16, 16), [self.folder])
        kind = self.world.predicts[stack["base"]]
        masks = pictures.row_masks((4, 4), torch.device("cpu"))
        denoiser = Denoiser(plan, passes, kind, masks=masks, **way)
        oracle = Oracle(self.world, stack, PROGRESS)
        worst, generator = 0.0, torch.Generator().manual_seed(seed)
        for step, now in enumerate(PROGRESS):
            z = torch.randn(images, 4, 4, 4, dtype=torch.float64, generator=generator)
            level = [torch.tensor(x, dtype=torch.float64) for x in LEVELS[step]]
            got = denoiser.predict(step, z, TIMES[step], level[0], level[1])
            expected = oracle.step(now, z, TIMES[step], level[0], level[1])
            for one, other in zip(got, expected, strict=True):
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    error = float((one - other).abs().max() / other.abs().max())
                    worst = max(worst, error if error == error else float("inf"))
        assert denoiser.forwards == plan.forwards_total * images
        return worst


def _double(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.double() for name, value in state.items()}


def _pixels(folder: Path) -> dict[str, torch.Tensor]:
    """Masks and a control map, written as pictures too."""
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[:16, :16]
    drawn = {
        "left.png": np.where(columns < 7, 255, 0),
        "disc.png": np.where((rows - 9) ** 2 + (columns - 10) ** 2 < 20, 255, 0),
        "soft.png": chance.integers(0, 256, (16, 16)) * (rows > 5),
    }
    found = {}
    for name, values in drawn.items():
        Image.fromarray(values.astype(np.uint8)).save(folder / name)
        found[name] = torch.from_numpy(values.astype(np.float64)) / 255
    noise = chance.integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(folder / "map.png")
    found["map.png"] = torch.from_numpy(noise).double().permute(2, 0, 1)[None] / 255
    return found


def random_stack(seed: int) -> dict[str, Any]:
    """A preset of 0 to 8 rows, as JSON."""
    chance = random.Random(seed)
    omega = chance.choice([0.0, 0.0, 1.0, 0.3, round(chance.random(), 2)])
    stack: dict[str, Any] = {
        "base": chance.choice(["base", "base", "vbase"]),
        "omega": omega,
        "decoupling": chance.choice([0.0, 1.0, 1.0, 0.4]),
    }
    stack["rows"] = [_row(chance, stack) for _ in range(chance.choice([0, 1, 2, 2, 3, 4, 5, 8]))]
    if chance.random() < 0.2:
        stack["guidance_rescale"] = chance.choice([0.3, 0.7, 1.0])
    if chance.random() < 0.25:
        stack["apg"] = {
            "eta": chance.choice([0.0, 0.5, 1.0, 1.5]),
            "norm_threshold": chance.choice([0.0, 0.5, 2.0]),
            "momentum": chance.choice([0.0, -0.5, 0.3]),
        }
    if chance.random() < 0.2:
        stack["cfgpp"] = True
    return stack


def _row(chance: random.Random, stack: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"weight": chance.choice([7.5, -6.5, 1.0, _weight(chance)])}
    row["prompt"] = chance.choice(PROMPTS)
    if chance.random() < 0.25:
        row["prompt"] = " AND ".join(
            text + chance.choice(["", "", ":1.5", ":-0.5"])
            for text in chance.sample(PROMPTS[1:5], chance.choice([2, 3]))
        )
    model = _model(chance, stack)
    if model is not None:
        row["model"] = model
    if chance.random() < 0.2 and model != "base/concept":
        row["control"] = {
            "type": "map",
            "image": "map.png",
            "model": "base/guide",
            "strength": chance.choice([1.0, 0.6]),
        }
    if chance.random() < 0.35:
        row["mask"] = chance.choice(MASKS)
    if chance.random() < 0.3:
        row["range"] = sorted(chance.sample([0.0, 0.2, 0.6, 1.0], 2))
    if chance.random() < 0.25:
        row["curve"] = chance.choice(CURVES)
    if chance.random() < 0.4:
        row["reference"] = chance.choice(
            ["autoguidance", "own", {"prompt": chance.choice(PROMPTS[:5])}]
        )
    if chance.random() < 0.1:
        row[chance.choice(["enabled", "solo"])] = chance.random() < 0.5
    return row


def _weight(chance: random.Random) -> float:
    return round(chance.uniform(-4, 8), 2) or 1.0


def _model(chance: random.Random, stack: dict[str, Any]) -> Any:
    """A base, fine-tune or concept network by id, or adapters on one of them."""
    same = "tuned" if stack["base"] == "base" else "velocity"
    other = ["velocity", "tuned"][same == "velocity"]
    tuned = chance.choice([same, other]) if stack["omega"] == 0 else same
    kind = chance.random()
    if kind < 0.35:
        return None
    if kind < 0.5:
        return "base/concept"
    if kind < 0.65:
        return tuned
    if kind < 0.7:
        return "base/style"
    model: dict[str, Any] = {"lora": "base/style", "strength": chance.choice([1.0, 0.7, -0.5])}
    if chance.random() < 0.3:
        model["loras"] = [{"lora": "base/other", "strength": chance.choice([1.0, 0.4])}]
    if chance.random() < 0.2:
        model["model"] = tuned
    return model


def smaller(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The stack with one row, or one field, left out."""
    rows = stack["rows"]
    for index in range(len(rows)):
        yield {**stack, "rows": rows[:index] + rows[index + 1 :]}
    for name in ("guidance_rescale", "apg", "cfgpp"):
        if name in stack:
            yield {key: value for key, value in stack.items() if key != name}
    for index, row in enumerate(rows):
        for name in row:
            if name not in ("weight", "model", "prompt"):
                less = {key: value for key, value in row.items() if key != name}
                yield {**stack, "rows": [*rows[:index], less, *rows[index + 1 :]]}


def shrunk(fuzz: Fuzz, stack: dict[str, Any], seed: int) -> dict[str, Any]:
    """The smallest stack found that still differs."""
    for less in smaller(stack):
        if failure(fuzz, less, seed):
            return shrunk(fuzz, less, seed)
    return stack


def failure(fuzz: Fuzz, stack: dict[str, Any], seed: int) -> str:
    """What is wrong with a stack; "" for nothing."""
    try:
        found = fuzz.difference(stack, seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"differs by {found:.3g}" if found > TOLERANCE else ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine.fuzz")
    parser.add_argument("--stacks", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--seconds", type=float, default=float("inf"), metavar="LIMIT")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started, failed, done, worst = time.monotonic(), 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder))
        for seed in range(options.first, options.first + options.stacks):
            if time.monotonic() - started > options.seconds:
                break
            stack = random_stack(seed)
            done += 1
            problem = failure(fuzz, stack, seed)
            if problem:
                failed += 1
                less = shrunk(fuzz, stack, seed)
                smallest = failure(fuzz, less, seed)
                print(f"seed {seed} {problem}: {smallest}: {json.dumps(less)}", flush=True)
            elif done % 20 == 0:
                worst = max(worst, fuzz.difference(stack, seed))
            if done % 500 == 0:
                print(f"{done} stacks, {failed} differ", file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    print(
        f"{done} stacks in {seconds:.0f} s, {failed} differ by more than {TOLERANCE:g}; "
        f"the largest of every twentieth is {worst:.2g}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
