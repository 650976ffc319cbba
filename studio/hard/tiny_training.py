"""A training of a few tiny steps, for attacks on trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from studio.hard.tiny import EDGE, models
from studio.library import Library
from studio.train import train
from studio.train.config import TrainConfig
from studio.train.events import Finished, TrainEvent

WEIGHTS = "pytorch_lora_weights.safetensors"


def config(folder: Path, **changes: Any) -> TrainConfig:
    """Settings of a LoRA's training on ``tiny``, whose two pictures are put into ``folder``."""
    images = folder / "pictures"
    images.mkdir(exist_ok=True)
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (EDGE, EDGE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / f"{number}.png")
    settings = {
        "method": "lora",
        "images": str(images),
        "base": "tiny",
        "name": "mine",
        "word": "<hero>",
        "superclass": "ghost",
        "template": "a {word} {superclass} on a hill",
        "steps": 2,
        "batch": 2,
        "checkpoint_every": 1,
        "rate": 1e-3,
    }
    return TrainConfig(**{**settings, **changes})


def trained(given: TrainConfig, **options: Any) -> tuple[dict[str, torch.Tensor], list[TrainEvent]]:
    """The weights that a training ends with, and its events."""
    path, events = finished(given, **options)
    return load_file(path / WEIGHTS), events


def finished(given: TrainConfig, **options: Any) -> tuple[Path, list[TrainEvent]]:
    """Where a training puts its result, and its events."""
    events = list(train(given, Library((models(),)), device="cpu", **options))
    (path,) = [event.path for event in events if isinstance(event, Finished)]
    return path, events


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest difference of two results' weights."""
    return max(float((one[name] - other[name]).abs().max()) for name in other)
