"""Stages `faces`, `animals`, `food`: null-text concepts by the studio's own `train concept`.

The first two are networks; food is a LoRA under the null prompt, of a sixteenth of the size.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from studio.library import LORA_FILE
from studio.starter.common import SEED, batch_for, precision, write_json
from studio.starter.pictures import food
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, HELD_OUT, STYLES
from studio.starter.pictures.data import Pictures, compose
from studio.starter.stages.lora import LORA, save_half
from studio.starter.trainer import Example, train_in


@dataclass(frozen=True)
class Concept:
    """What a concept learns, by which of the studio's methods.

    Attributes:
        slugs: its drawings, those that were held out from the prior included.
        batch: on a CPU and on a GPU.
        backgrounds: how many each drawing stands on, in turn.
    """

    slugs: tuple[str, ...]
    method: str
    batch: tuple[int, int]
    backgrounds: int = len(BACKGROUNDS)
    settings: dict[str, Any] = field(default_factory=dict)


NETWORK: dict[str, Any] = {"rate": 4e-4, "ema": 0.995, "warmup": 30}


def _of(group: str) -> tuple[str, ...]:
    return tuple(content.slug for content in CONTENTS + HELD_OUT if content.group == group)


CONCEPTS = {
    "faces": Concept(_of("face"), "concept", (32, 128), settings=NETWORK),
    "animals": Concept(_of("animal"), "concept", (32, 128), settings=NETWORK),
    "food": Concept(
        tuple(food.slugs()), "concept-lora", (16, 48), 4, {**LORA, "rank": 16, "ema": 0.99}
    ),
}


def train(work: Path, folder: str, minutes: float, device: torch.device) -> None:
    """Train (or go on training) the concept ``folder`` of :data:`CONCEPTS`; saved under that name."""
    concept = CONCEPTS[folder]
    settings = {
        "method": concept.method,
        "minutes": minutes,
        "batch": batch_for(device, *concept.batch),
        "rate_schedule": "cosine",
        "beta2": 0.98,
        "time_power": 0.6,
        "seed": SEED,
        "precision": precision(device),
        **concept.settings,
    }
    made = train_in(work, folder, lambda: examples(work, concept), settings, device)
    if made is None:
        return
    figures = dict(made.figures)
    shutil.rmtree(work / folder, ignore_errors=True)
    if (made.folder / LORA_FILE).exists():
        save_half(made.folder / LORA_FILE, work / folder / LORA_FILE)
        figures["rank"] = settings["rank"]
    else:
        shutil.copytree(made.folder, work / folder)
    write_json(figures, work / "figures" / f"{folder}.json")


def examples(work: Path, concept: Concept) -> Iterator[Example]:
    """Every drawing of the concept in every style on its backgrounds."""
    pictures, colours, number = Pictures.load(work), list(BACKGROUNDS), 0
    for slug in concept.slugs:
        for style in STYLES:
            row = pictures.row(slug, style)
            if row is None:
                continue
            for _ in range(concept.backgrounds):
                colour = colours[number % len(colours)]
                number += 1
                name = f"{slug}-{style}-{colour}.png"
                yield name, compose(pictures.rgba[row], colour), f"{slug} in {style} on {colour}"
