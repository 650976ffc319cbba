"""Random stacks of rows: the engine against the plain loop of tests/support/oracle.py, in float64.

    python -m tests.engine.fuzz --stacks 20000 [--first SEED] [--seconds LIMIT]

Each is a whole run of one to three pictures over one of diffusers' schedulers. A stack that differs
is printed with its seed and as the smallest preset that still differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from studio.cli.common import no_loading_bars
from studio.diffusion import sampling, schedulers
from studio.diffusion.progress import progress_of
from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.inputs.start_image import Pictures
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.library import Library
from studio.plan import compile_plan
from studio.plan.places import meeting_in
from studio.preset import validate
from tests.engine.stacks import RANDOM, random_stack, smaller
from tests.support import fuzz_models
from tests.support.oracle import Oracle

TOLERANCE = 1e-6  # relative to the largest value
WAYS: list[dict[str, Any]] = [{}, {"max_samples": 3}, {"exact": True}, {"buckets": (1, 2, 4)}]
CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
}
ALONG_A_FLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "heun": ("FlowMatchHeunDiscreteScheduler", {}),
    "dpm++": (
        "DPMSolverMultistepScheduler",
        {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
    ),
}


class Fuzz:
    """A library of tiny random models, and one way to run a stack through it."""

    def __init__(self, folder: Path) -> None:
        no_loading_bars()
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
        self.folder = folder
        self.worlds = fuzz_models.build(folder)
        self.loader = Loader(
            Library((folder,)), Registry(2**30), torch.device("cpu"), torch.float64
        )

    def difference(self, stack: dict[str, Any], seed: int) -> float:
        """The largest difference over all evaluations, relative to the oracle's largest value."""
        chance = random.Random(seed)
        images, way = chance.choice([1, 1, 2, 3]), chance.choice(WAYS)
        noise = torch.randn(
            images, 4, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
        )
        worst = 0.0
        found = self.engine(stack, noise, way)
        expected = self.oracle(stack, noise, [latent for *_, latent in found])
        for ours, theirs in zip(found, expected, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    error = float((one - other).abs().max() / other.abs().max())
                    worst = max(worst, error if error == error else float("inf"))
        return worst

    def engine(self, stack: dict[str, Any], noise: torch.Tensor, way: dict[str, Any]) -> Any:
        """Prediction, noise put back and latent of every evaluation."""
        sampler = {"width": 16, "height": 16, **stack["sampler"]}
        preset = validate({**stack, "sampler": sampler})
        entry = self.loader.library[stack["base"]]
        config = self.loader.family(entry.id).scheduler_config(entry)
        progress = progress_of(preset.sampler, config, 0, entry.family)
        plan = compile_plan(preset, self.loader.library, progress, meeting_in([self.folder]))
        passes = prepare_passes(preset, plan, self.loader, [self.folder])
        masks = Pictures.read(plan, None, (16, 16), [self.folder]).row_masks(
            (4, 4), torch.device("cpu")
        )
        scheduler = schedulers.scheduler_for(preset.sampler, config, family=entry.family)
        kind = scheduler.config.prediction_type
        denoiser = Denoiser(plan, passes, kind, masks=masks, **way)
        answers = []

        def denoise(index: int, z: torch.Tensor, t: torch.Tensor) -> Any:
            answers.append(denoiser.predict(index, z, t, *sampling.noise_level(scheduler, t)))
            return answers[-1]

        latents = [
            step.latent for step in sampling.sample(denoise, noise, scheduler, drawn(len(noise)))
        ]
        assert denoiser.forwards == plan.forwards_total * len(noise)
        return [(*answer, latent) for answer, latent in zip(answers, latents, strict=True)]

    def oracle(
        self, stack: dict[str, Any], noise: torch.Tensor, latents: list[torch.Tensor]
    ) -> Any:
        """The same, as the papers and diffusers have it; each step from the engine's latent."""
        world, chosen = self.worlds[stack["base"]], stack["sampler"]["scheduler"]
        flow = world.predicts[stack["base"]] == "flow_prediction"
        name, settings = (ALONG_A_FLOW if flow else CLASSES)[chosen]
        folder = self.folder / stack["base"] / "scheduler"
        scheduler = getattr(diffusers, name).from_pretrained(folder, **settings)
        scheduler.set_timesteps(stack["sampler"]["steps"])
        total = scheduler.config.num_train_timesteps
        progress = [1.0 - (float(t) + 1.0) / total for t in scheduler.timesteps]
        generators = drawn(len(noise)) if chosen in RANDOM else None
        return Oracle(world, stack, progress).run(scheduler, noise, generators, latents)


def drawn(count: int) -> list[torch.Generator]:
    """Each picture's source of further noise."""
    return [torch.Generator().manual_seed(k) for k in range(count)]


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
    with fuzz_models.all_in_double(), tempfile.TemporaryDirectory() as folder:
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
