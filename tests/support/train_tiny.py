"""A tiny base with a CLIP of its own, and a few pictures, for tests of training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from studio.library import Library
from studio.train import resolve, train
from studio.train.config import TrainConfig
from studio.train.events import Finished, Losses, TrainEvent
from studio.train.prepare import prepare
from studio.train.step import Stepper
from tests.support import tiny

CAPTIONS = {
    "0.png": "a <hero> ghost on a red hill",
    "1.png": "a <hero> ghost beside a lamp",
    "2.png": "a drawing of a <hero> ghost",
    "3.png": "a <hero> ghost",
}


def base(home: Path, name: str = "tiny", **options: Any) -> None:
    """``models/NAME``: a random pipeline with a CLIP whose text tower reads the same tokens."""
    folder = home / "models" / name
    pipeline = tiny.pipeline(folder, **options)
    text = pipeline.text_encoder.config.to_dict()
    torch.manual_seed(3)
    model = CLIPModel(
        CLIPConfig(
            text_config=text,
            projection_dim=12,
            vision_config={
                "hidden_size": 8,
                "intermediate_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "image_size": 16,
                "patch_size": 8,
            },
        )
    )
    model.text_model.load_state_dict(pipeline.text_encoder.state_dict())
    model.save_pretrained(folder / "clip")
    CLIPImageProcessor(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
    ).save_pretrained(folder / "clip")


def pictures(
    folder: Path, captions: dict[str, str] | None = None, size: tuple[int, int] = (16, 16)
) -> Path:
    """Pictures of plain noise with their caption file."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = CAPTIONS if captions is None else captions
    for number, name in enumerate(captions):
        rng = np.random.default_rng(number)
        pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "captions.json").write_text(json.dumps(captions))
    return folder


def mask(folder: Path, name: str) -> None:
    """What of a picture counts: some of it, by halves."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(9).integers(0, 2, (16, 16)).astype(np.uint8) * 255
    Image.fromarray(pixels).save(folder / name)


def settings(folder: Path, method: str = "lora", **changes: Any) -> dict[str, Any]:
    """Settings of a training of a few tiny steps."""
    given = {
        "method": method,
        "images": str(folder),
        "base": "tiny",
        "name": "mine",
        "steps": 3,
        "batch": 2,
        "seed": 5,
        "checkpoint_every": 1000,
        **changes,
    }
    if method != "concept":
        given = {
            "word": "<hero>",
            "superclass": "ghost",
            "captions": str(folder / "captions.json"),
            **given,
        }
    return given


def config(folder: Path, method: str = "lora", **changes: Any) -> TrainConfig:
    return resolve(settings(folder, method, **changes), Library())


def run(config: TrainConfig, **options: Any) -> list[TrainEvent]:
    return list(train(config, device="cpu", **options))


def stepper(config: TrainConfig, accelerator: Any) -> Stepper:
    """A training that is prepared, for its steps alone."""
    preparing = prepare(config, Library(), accelerator, resume=False)
    while True:
        try:
            next(preparing)
        except StopIteration as end:
            return Stepper(config, end.value, accelerator)


def losses_of(events: Iterable[TrainEvent]) -> list[Losses]:
    return [event for event in events if isinstance(event, Losses)]


def result_of(events: Iterable[TrainEvent]) -> Path:
    return next(event.path for event in events if isinstance(event, Finished))


def tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor below a result's folder."""
    return {
        f"{file.name}/{key}": value
        for file in sorted(path.rglob("*.safetensors"))
        for key, value in load_file(file).items()
    }


def same(left: Path, right: Path) -> bool:
    one, two = tensors(left), tensors(right)
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)
