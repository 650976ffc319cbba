"""Pictures of a training on its way, made by the same engine and rows that will use the result."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from studio.engine import Engine
from studio.events import Done
from studio.files import write_atomically
from studio.home import ASSETS, models_folder, training_folder
from studio.images import png_bytes
from studio.library import Library
from studio.preset import validate
from studio.train import result
from studio.train.config import TrainConfig
from studio.train.events import Samples
from studio.train.method import METHODS


def make(
    config: TrainConfig, save: Callable[[Path], None], step: int, device: torch.device
) -> Samples:
    """One picture per prompt, at the training's sample weight and ω.

    Args:
        save: writes the model as it is now into a folder.

    Raises:
        StudioError: the engine cannot run the model.
    """
    root = training_folder(config.name) / "preview"
    identity = f"{config.name}-step-{step}"
    result.write(config, save, step, root / identity)
    engine = Engine(device=str(device), library=Library((ASSETS, models_folder(), root)))
    alone = bool(METHODS[config.method].without_text)
    prompts = config.sample_prompts or ("" if alone else result.prompt_of(config),)
    omega = 0.0 if alone else config.sample_omega  # as "Use it" has it
    images = []
    for prompt in prompts:
        preset = result.preset_for(config, identity, prompt)
        sampler = preset.sampler.model_copy(
            update={"steps": config.sample_steps, "width": config.size, "height": config.size}
        )
        rows = list(preset.rows)
        rows[-1] = rows[-1].model_copy(update={"weight": config.sample_weight})
        preset = preset.model_copy(update={"rows": tuple(rows), "omega": omega, "sampler": sampler})
        images += [event.image for event in engine.generate(preset) if isinstance(event, Done)]
    _forget(root, keep=identity)
    return Samples(step, tuple(prompts), tuple(images), config.sample_weight, omega)


def keep(made: Samples, folder: Path) -> list[Path]:
    """Write the pictures as ``step-N-1.png`` and on."""
    return [
        write_atomically(folder / f"step-{made.step:06d}-{number}.png", png_bytes(image))
        for number, image in enumerate(made.images, 1)
    ]


def class_pictures(config: TrainConfig, folder: Path, count: int, device: torch.device) -> None:
    """Draw ``count`` pictures of the superclass with the prior, for prior preservation."""
    engine = Engine(device=str(device))
    made = 0
    while made < count:
        preset = validate(
            {
                "base": config.base,
                "rows": [{"prompt": f"a {config.superclass}", "weight": config.sample_weight}],
                "sampler": {
                    "count": min(16, count - made),
                    "seed": config.seed + made,
                    "width": config.size,
                    "height": config.size,
                },
            }
        )
        for event in engine.generate(preset):
            if isinstance(event, Done):
                write_atomically(folder / f"class-{event.seed}.png", png_bytes(event.image))
                made += 1


def _forget(root: Path, keep: str) -> None:
    for path in root.iterdir():
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)
