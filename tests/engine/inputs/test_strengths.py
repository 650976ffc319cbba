"""Strengths of a mask where they meet other things: samplers, rounds, several images, notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.diffusion import sampling
from studio.diffusion.sampling import Picture
from studio.engine import Engine
from studio.engine.inputs.start_image import Pictures
from studio.events import Done
from studio.library import Library
from studio.plan import Plan
from studio.preset import Init, validate
from tests.support.soft_masks import lay_out

ROWS = [{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}]
CONFIG = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
FLOW = {"prediction_type": sampling.FLOW, "flow_shift": 3.0}
KINDS = [
    (name, flow)
    for name, kind in sampling.SCHEDULERS.items()
    for flow in (False, *([True] if kind.flow else []))
]


@pytest.mark.parametrize("first", [0, 4])
@pytest.mark.parametrize(("name", "flow"), KINDS)
def test_what_waits_has_the_noise_that_the_network_is_told(
    name: str, flow: bool, first: int
) -> None:
    scheduler = sampling.make_scheduler(name, FLOW if flow else CONFIG)
    scheduler.set_timesteps(10)
    clean, noise = torch.full((1, 4, 2, 2), 2.0).double(), torch.ones(1, 4, 2, 2).double()
    mask = torch.tensor([[0.0, 0.01], [0.5, 1.0]]).double()[None, None]
    picture = Picture(clean, first * scheduler.order, mask, soft=True)
    wrong: list[tuple[int, float, float]] = []

    def said(step: int, z: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = sampling.noise_level(scheduler, t)
        expected = float(2 * alpha + sigma)
        if abs(float(z[0, 0, 0, 0]) - expected) > 2e-3:
            wrong.append((step, float(z[0, 0, 0, 0]), expected))
        return torch.zeros_like(z)

    generators = [torch.Generator().manual_seed(1)]
    steps = list(sampling.sample(said, noise, scheduler, generators, picture))
    assert not wrong
    assert torch.equal(steps[-1].latent[..., 0, :], clean[..., 0, :])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    hard = lay_out(folder)
    Image.fromarray((hard > 0).astype(np.uint8) * 60).save(folder / "faint.png")
    return folder


def made(
    root: Path, mask: str = "rising", dtype: torch.dtype = torch.float32, **fields: Any
) -> list[Done]:
    start = {"image": "start.png", "mask": f"{mask}.png", "keep_pixels": False, "feather": 0}
    start |= {"soft_inpainting": True, **fields.pop("init", {})}
    sampler = {"steps": 6, "scheduler": "ddim", "seed": 3, **fields}
    preset = validate({"base": "base", "rows": ROWS, "sampler": sampler, "init": start})
    engine = Engine(device="cpu", dtype=dtype, library=Library((root,)), image_roots=[root])
    return [one for one in engine.generate(preset) if isinstance(one, Done)]


def pixels(done: Done) -> np.ndarray:
    return np.asarray(done.image).astype(int)


@pytest.mark.parametrize("scheduler", ["euler_a", "dpm2_a", "ddpm"])
def test_a_sampler_that_draws_noise_leaves_black_alone(root: Path, scheduler: str) -> None:
    first, again = (made(root, "hard", scheduler=scheduler)[0] for _ in range(2))
    other = made(root, "hard", scheduler=scheduler, seed=4)[0]
    assert np.array_equal(pixels(first), pixels(again))
    change = np.abs(pixels(first) - pixels(other)).mean(axis=(0, 2))
    assert change[:3].max() < change[10:].min()


def test_each_of_several_images_has_its_own_noise_where_it_waits(root: Path) -> None:
    """One of several is the same as made alone: what waits has its own noise, not the first's."""
    several = made(root, count=3)
    alone = made(root, seed=4)[0]
    assert several[1].seed == 4 and np.abs(pixels(several[1]) - pixels(alone)).max() <= 1
    assert np.abs(pixels(several[0]) - pixels(several[1])).max() > 2


def test_rounds_go_on_from_what_the_last_has_made(root: Path) -> None:
    once, twice = (made(root, init={"loops": loops})[-1] for loops in (1, 2))
    change = np.abs(pixels(once) - pixels(twice)).mean(axis=(0, 2))
    assert change[-3:].mean() > change[:2].mean()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_black_and_paints_white_wholly(root: Path, dtype: torch.dtype) -> None:
    for name, level in (("black", 0), ("white", 255)):
        Image.new("L", (16, 16), level).save(root / f"{name}.png")
    kept, dark = (pixels(made(root, one, dtype, steps=4)[0]) for one in ("black", "faint"))
    assert np.array_equal(kept, dark)  # too dark for 3 steps
    white = pixels(made(root, "white", dtype)[0])
    plain = pixels(made(root, dtype=dtype, init={"mask": "", "soft_inpainting": False})[0])
    assert np.array_equal(white, plain) and np.abs(white - kept).max() > 2


def test_at_strength_one_a_hard_mask_begins_with_its_picture(root: Path) -> None:
    """As image-to-image of strength 1 does; off, it begins with noise alone."""
    given = {"strength": 1.0}
    off = made(root, "hard", init={**given, "soft_inpainting": False})[0]
    soft = made(root, "hard", init=given)[0]
    assert np.abs(pixels(soft) - pixels(off)).max() > 0
    for under in ("surroundings", "noise", "nothing"):
        with_it = {**given, "under_mask": under}
        hard = made(root, "hard", init={**with_it, "soft_inpainting": False})[0]
        seen = made(root, "hard", init=with_it)[0]
        assert np.array_equal(pixels(hard)[:, 9:], pixels(off)[:, 9:]) or under == "surroundings"
        assert np.abs(pixels(seen) - pixels(soft)).max() > 0


def test_a_mask_too_dark_for_the_steps_is_said(root: Path) -> None:
    def notes(steps: int, mask: str = "faint") -> str:
        return " ".join(made(root, mask, steps=steps)[0].notes)

    assert "init.mask: too dark for the 3 steps" in notes(4)
    assert "too dark" not in notes(12) and "too dark" not in notes(4, "rising")


def read(root: Path, mask: Image.Image, steps: int = 20, **init: Any) -> Pictures:
    mask.save(root / "drawn.png")
    Image.effect_noise(mask.size, 90).convert("RGB").save(root / "busy.png")
    given = {"image": "busy.png", "mask": "drawn.png", "soft_inpainting": True, **init}
    return Pictures.read(Plan(passes=(), steps=steps), Init(**given), mask.size, [root])


def disc(level: int = 255, across: int = 24) -> Image.Image:
    y, x = np.mgrid[:64, :64] - 32
    return Image.fromarray(((x**2 + y**2 < (across / 2) ** 2) * level).astype(np.uint8))


@pytest.mark.parametrize("area", ["picture", "mask"])
def test_colours_around_it_replace_a_mask_under_a_wide_feather(root: Path, area: str) -> None:
    found = read(root, disc(), under_mask="surroundings", feather=40, area=area, padding=32)
    assert found.start is not None and not found.notes
    inside = np.asarray(found.start).astype(int)[26:38, 26:38]
    assert inside.std(axis=(0, 1)).mean() < 20  # noise of 90 before


def test_what_the_feather_leaves_of_what_begins_otherwise_is_said(root: Path) -> None:
    for under in ("noise", "nothing"):
        found = read(root, disc(across=40), under_mask=under, feather=40)
        assert len(found.notes) == 1 and "% of the mask's white" in found.notes[0]
        assert not read(root, disc(), under_mask=under, feather=0).notes
        assert "nowhere wholly white" in read(root, disc(130), under_mask=under).notes[0]
    assert "nowhere wholly white" in read(root, disc(130), under_mask="surroundings").notes[0]
    off = read(root, disc(130), under_mask="noise", soft_inpainting=False)
    assert not off.notes


def test_more_greys_than_steps_are_said(root: Path) -> None:
    greys = Image.fromarray(
        np.repeat(np.arange(0, 256, 32).astype(np.uint8), 8)[None].repeat(64, 0)
    )
    found = read(root, greys, steps=4).notes
    assert len(found) == 1 and "7 greys of the mask become 4 strengths" in found[0]
    assert not read(root, greys, steps=8).notes and not read(root, disc(), steps=1).notes


def test_strengths_are_made_larger_without_steps(root: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[24:40, 24:40] = np.linspace(40, 240, 16).round()
    found = read(root, Image.fromarray(mask), feather=0, area="mask", padding=0).start_mask
    assert found is not None and found.size == (64, 64)
    line = np.asarray(found)[32].astype(int)
    assert np.diff(line).max() <= 8 and len(set(line)) > 32  # 13 from pixel to pixel before
