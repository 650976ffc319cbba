"""ACCORD, Fig. 5: DDLoss lowers the coupling that it is made for, and the picture follows the text.

One LoRA of the shipped hero for each weight of DDLoss and each seed, alike in everything else: the
same batches, times and noise. Of each, the first term of Eq. 5 (through its bound, Eq. 7) on draws
that the training did not see, and CLIP-T of pictures of prompts that name the hero with a style and
a background.

    python -m studio.experiments.accord_coupling --out docs/evidence/accord_coupling.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from studio.engine import Engine
from studio.events import Done
from studio.files import write_atomically
from studio.home import ASSETS
from studio.library import Library
from studio.train import losses, result
from studio.train.base import Projector, load_base, load_clip
from studio.train.config import TrainConfig, resolve
from studio.train.machine import accelerator_for, release
from studio.train.prepare import Job, prepare
from studio.train.step import Stepper

PICTURES = ASSETS / "examples" / "training"
WEIGHTS, SEEDS = (0.0, 0.1, 0.3), (0, 1, 2)
STYLES = ("flat", "glossy", "noto", "tweet")
COLOURS = ("red", "blue", "yellow", "purple", "green", "white", "orange", "pink", "gray", "black")
PROMPTS = tuple(
    f"a hero in {STYLES[n % 4]} style on a {COLOURS[n % 10]} background" for n in range(12)
)
STEPS, BATCH, DRAWS = 24, 4, 8  # steps of a training, samples of a batch, batches of a measure
RATE = 5e-4  # a quarter of the small families' own: a training this short is not to overshoot
HELD_OUT = 7  # a stream of random numbers that no training draws from
SAMPLER_STEPS = 8

Tell = Callable[[str], object]


def run(
    base: str = "starter",
    device: str = "cpu",
    quick: bool = False,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Train, measure, compare.

    Args:
        quick: one seed, two weights, few steps: whether it runs, not what comes out.
        tell: gets a line for each model.

    Returns:
        ``settings``, ``models`` (one entry each) and ``weights``: by weight the means over seeds of
        ``coupling``, its ratio to weight 0 of the same seed, and CLIP-T.
    """
    seeds = SEEDS[:1] if quick else SEEDS
    weights = WEIGHTS[:2] if quick else WEIGHTS
    steps, draws = (2, 1) if quick else (STEPS, DRAWS)
    prompts = PROMPTS[:2] if quick else PROMPTS
    models = []
    with _home():
        for seed in seeds:
            for weight in weights:
                began = time.monotonic()
                found = _one(base, device, weight, seed, steps, draws, prompts)
                models.append({"ddloss": weight, "seed": seed, **found})
                spent = round(time.monotonic() - began)
                tell(json.dumps(models[-1]) + f" ({spent} s)")
    return {
        "experiment": "accord_coupling",
        "source": "ACCORD, Eq. 5, 7, 8, 11 and Fig. 5",
        "settings": {
            "base": base,
            "method": "lora",
            "steps": steps,
            "batch": BATCH,
            "rate": RATE,
            "samples_of_a_measure": draws * BATCH,
            "prompts": list(prompts),
            "seeds": list(seeds),
        },
        "weights": {f"{weight:g}": _summary(models, weight) for weight in weights},
        "models": models,
    }


@contextmanager
def _home() -> Iterator[None]:
    """A studio's home that is gone afterwards."""
    before = os.environ.get("STUDIO_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STUDIO_HOME"] = folder
        try:
            yield
        finally:
            os.environ.pop("STUDIO_HOME")
            if before is not None:
                os.environ["STUDIO_HOME"] = before


def _one(
    base: str,
    device: str,
    weight: float,
    seed: int,
    steps: int,
    draws: int,
    prompts: Sequence[str],
) -> dict[str, float]:
    """Train one LoRA and measure it."""
    given = {
        "method": "lora",
        "base": base,
        "images": str(PICTURES),
        "captions": str(PICTURES / "hero.json"),
        "word": "hero",
        "superclass": "person",
        "name": f"seed-{seed}-weight-{weight:g}",
        "steps": steps,
        "batch": BATCH,
        "rate": RATE,
        "time_power": 1.0,  # times drawn evenly, as in Eq. 7's sum
        "seed": seed,
        "ddloss": weight,
    }
    config = resolve(given, Library())
    accelerator = accelerator_for(config, device)
    try:
        job = _prepared(config, accelerator)
        stepper = Stepper(config, job, accelerator)
        found: dict[str, float] = {}
        for step in range(steps):
            values = stepper(step)
            if step == 0 and values.dd_share is not None:
                found["share_at_first"] = values.dd_share
            stepper.update()
        found |= _coupling(stepper, job, draws)
        result.publish(config, job.adaptation.save, steps)
    finally:
        release(accelerator)
    found["clip_t"] = _clip_t(config, prompts, device)
    return {name: round(value, 6) for name, value in found.items()}


def _prepared(config: TrainConfig, accelerator: Any) -> Job:
    preparing = prepare(config, Library(), accelerator, resume=False)
    while True:
        try:
            next(preparing)
        except StopIteration as end:
            return end.value


def _coupling(stepper: Stepper, job: Job, draws: int) -> dict[str, float]:
    """Eq. 5's first term, and the error on the same draws."""
    changes, times, errors = [], [], []
    for number in range(draws):
        batch = stepper.batch(job.pictures, stepper.order, number, HELD_OUT)
        changes.append(stepper.changes(batch))
        times.append(batch.times)
        with torch.no_grad():
            texts = [caption.text for caption in batch.captions]
            output = stepper.trainee(batch.noisy, batch.times, texts, None)
            errors.append(losses.mse(output, batch.wanted).mean())
    steps = len(stepper.noising)
    found = losses.denoising_discrepancy(torch.cat(changes), torch.cat(times), steps)
    return {"coupling": float(found), "mse": float(torch.stack(errors).mean())}


def _clip_t(config: TrainConfig, prompts: Sequence[str], device: str) -> float:
    """The mean cosine between prompts and the pictures that the model makes of them, by the base's
    own CLIP."""
    library = Library()
    base = load_base(library[config.base], torch.device(device))
    model, processor = load_clip(base, library, None)
    projector = Projector(model, base.tokenizer, {})
    engine, scores = Engine(device=device, library=library), []
    for number, prompt in enumerate(prompts):
        preset = result.preset_for(config, config.name, prompt)
        sampler = preset.sampler.model_copy(update={"steps": SAMPLER_STEPS, "seed": number})
        preset = preset.model_copy(update={"sampler": sampler})
        for event in engine.generate(preset):
            if isinstance(event, Done):
                scores.append(_cosine(projector, processor, event.image, prompt, device))
    return statistics.mean(scores)


def _cosine(
    projector: Projector, processor: Any, image: Image.Image, prompt: str, device: str
) -> float:
    pixels = processor(images=image, return_tensors="pt").pixel_values.to(device)
    with torch.no_grad():
        text = projector.texts([prompt], {})
        return float(torch.nn.functional.cosine_similarity(projector.pictures(pixels), text)[0])


def _summary(models: Sequence[Mapping[str, Any]], weight: float) -> dict[str, Any]:
    mine = [model for model in models if model["ddloss"] == weight]
    plain = {model["seed"]: model for model in models if model["ddloss"] == 0}
    ratios = [model["coupling"] / plain[model["seed"]]["coupling"] for model in mine]
    more = [model["clip_t"] - plain[model["seed"]]["clip_t"] for model in mine]
    return {
        "coupling": round(statistics.mean(m["coupling"] for m in mine), 1),
        "of_weight_0": [round(ratio, 3) for ratio in ratios],
        "clip_t": round(statistics.mean(m["clip_t"] for m in mine), 4),
        "clip_t_more_than_weight_0": [round(value, 4) for value in more],
        "mse": round(statistics.mean(m["mse"] for m in mine), 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m studio.experiments.accord_coupling")
    parser.add_argument("--base", default="starter", help="base model with a CLIP of its own")
    parser.add_argument("--device", default="cpu", help="cuda, mps or cpu")
    parser.add_argument("--quick", action="store_true", help="whether it runs at all")
    parser.add_argument("--out", type=Path, help="file for the results; else stdout alone")
    options = parser.parse_args(arguments)

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    found = run(options.base, options.device, options.quick, tell)
    text = json.dumps(found, indent=1)
    if options.out is not None:
        write_atomically(options.out, f"{text}\n".encode())
    print(text)


if __name__ == "__main__":
    main()
