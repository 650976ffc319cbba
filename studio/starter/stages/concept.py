"""Stage `concept`: null-text networks of faces and animals, by the studio's own `train concept`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from studio.starter.common import SEED, batch_for, precision, write_json
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, HELD_OUT, STYLES
from studio.starter.pictures.data import Pictures, compose
from studio.starter.trainer import Example, train_in

FOLDERS = {"face": "faces", "animal": "animals"}
BATCH, BATCH_GPU = 32, 128


def train(work: Path, group: str, minutes: float, device: torch.device) -> None:
    """Train (or go on training) the concept network of ``group``; saved as ``faces/`` or ``animals/``.

    It sees every content of the group, held-out ones included, in all styles on all backgrounds.
    """
    folder = FOLDERS[group]
    settings = {
        "method": "concept",
        "minutes": minutes,
        "batch": batch_for(device, BATCH, BATCH_GPU),
        "rate": 4e-4,
        "ema": 0.995,
        "rate_schedule": "cosine",
        "warmup": 30,
        "beta2": 0.98,
        "time_power": 0.6,
        "seed": SEED,
        "precision": precision(device),
    }
    made = train_in(work, folder, lambda: examples(work, group), settings, device)
    if made is None:
        return
    shutil.rmtree(work / folder, ignore_errors=True)
    shutil.copytree(made.folder, work / folder)
    write_json(made.figures, work / "figures" / f"{folder}.json")


def examples(work: Path, group: str) -> Iterator[Example]:
    """Every content of ``group`` in every style on every background."""
    pictures = Pictures.load(work)
    for content in CONTENTS + HELD_OUT:
        for style in STYLES:
            row = pictures.row(content.slug, style)
            if content.group != group or row is None:
                continue
            for colour in BACKGROUNDS:
                name = f"{content.slug}-{style}-{colour}.png"
                text = f"{content.name} in {style} style on {colour}"
                yield name, compose(pictures.rgba[row], colour), text
