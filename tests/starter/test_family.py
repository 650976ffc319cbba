"""End to end on the shipped models: trained weights, whole runs, diffusers as the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engine import Engine
from studio.events import Done
from studio.home import ASSETS, PRESETS
from studio.library import Library
from studio.preset import Preset, validate

STARTER = ASSETS / "starter"
COLOURS = {
    "white": (255, 255, 255),
    "blue": (66, 118, 222),
    "green": (76, 168, 92),
    "yellow": (250, 220, 90),
    "purple": (132, 78, 184),
    "pink": (250, 180, 204),
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(device="cpu")


def make(engine: Engine, **fields: object) -> list[Done]:
    return [e for e in engine.generate(validate(fields)) if isinstance(e, Done)]


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def background_of(image: Image.Image) -> str:
    """The named colour nearest to the median of a picture's border."""
    array = pixels(image)
    border = np.concatenate(
        [
            array[:4].reshape(-1, 3),
            array[-4:].reshape(-1, 3),
            array[:, :4].reshape(-1, 3),
            array[:, -4:].reshape(-1, 3),
        ]
    )
    middle = np.median(border, axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(middle - COLOURS[name]).sum()))


def test_plain_guidance_is_diffusers_own_pipeline(engine: Engine) -> None:
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(STARTER, safety_checker=None)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    prompt = "a rocket in noto style on a blue background"
    theirs = pipe(
        prompt,
        guidance_scale=5.0,
        num_inference_steps=25,
        width=128,
        height=128,
        generator=torch.Generator().manual_seed(7),
    ).images[0]
    ours = make(engine, rows=[{"prompt": prompt, "weight": 5.0}], sampler={"seed": 7, "steps": 25})[
        0
    ]
    assert np.abs(pixels(ours.image) - pixels(theirs)).max() <= 2
    assert ours.forwards == 50


@pytest.mark.parametrize("colour", COLOURS)
def test_the_prompt_controls_the_background(engine: Engine, colour: str) -> None:
    done = make(
        engine,
        rows=[{"prompt": f"a car in flat style on a {colour} background"}],
        sampler={"count": 3, "steps": 15},
    )
    assert [background_of(d.image) for d in done].count(colour) >= 2


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.json")), ids=lambda p: p.stem)
def test_every_shipped_preset_generates(engine: Engine, path: Path) -> None:
    preset = Preset.load(path)
    if preset.base != "starter":
        pytest.skip(f"{preset.base} needs a GPU and a hub")
    done = [e for e in engine.generate(preset) if isinstance(e, Done)]
    assert len(done) == preset.sampler.count
    assert all(pixels(d.image).std() > 20 for d in done)
    assert done[0].image.size == (256, 256)


def test_each_kind_of_row_moves_the_picture(engine: Engine) -> None:
    plain = {"prompt": "a lion on a white background", "weight": 4.0}
    sampler = {"steps": 8, "seed": 3}
    still = make(engine, rows=[plain], sampler=sampler)[0]
    for row in (
        {"model": "starter/animals", "weight": 2.0},
        {"model": {"lora": "starter/lora-hero"}, "prompt": "a hero", "weight": 3.0},
        {"prompt": "on a blue background", "weight": -4.0},
        {
            "prompt": "a cat face",
            "weight": 3.0,
            "control": {"type": "canny", "image": "assets/examples/cat.png"},
        },
    ):
        moved = make(engine, rows=[plain, row], sampler=sampler)[0]
        assert np.abs(pixels(moved.image) - pixels(still.image)).mean() > 2, row


def test_omega_and_decoupling_are_wired(engine: Engine) -> None:
    def image(omega: float, delta: float) -> np.ndarray:
        rows = [
            {
                "prompt": "a hero AND in flat style",
                "weight": 4.0,
                "model": {"lora": "starter/lora-hero"},
            }
        ]
        return pixels(
            make(engine, rows=rows, omega=omega, decoupling=delta, sampler={"steps": 8})[0].image
        )

    corner = image(0.0, 0.0)
    assert np.abs(image(1.0, 0.0) - corner).mean() > 1
    assert np.abs(image(0.0, 1.0) - corner).mean() > 1


def test_the_family_is_whole_and_small() -> None:
    entries = {e.id: e for e in Library().entries() if e.id.startswith("starter")}
    kinds = {"base", "concept", "lora", "embedding", "controlnet", "vae"}
    assert {e.kind for e in entries.values()} == kinds
    assert {
        "starter",
        "starter/faces",
        "starter/animals",
        "starter/canny",
        "starter/fine",
        "starter/lora-hero",
        "starter/lora-blob",
        "starter/lora-fox",
        "starter/food",
        "starter/lora-polar",
        "starter/lora-glossy",
        "starter/word-hero",
    } <= set(entries)
    files = [f for f in STARTER.rglob("*") if f.is_file()]
    assert max(f.stat().st_size for f in files) < 15e6
    assert sum(f.stat().st_size for f in files) < 90e6
    assert not [f for f in files if f.suffix in {".bin", ".ckpt", ".pt", ".pth"}]
