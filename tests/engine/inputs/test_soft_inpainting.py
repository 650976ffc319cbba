"""Masks whose greys say how strongly a place is changed (Levin & Fried 2023)."""

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
from studio.engine.inputs.masks import feathered, strengths
from studio.engine.inputs.start_image import Pictures, encode
from studio.engine.inputs.surroundings import replaced
from studio.events import Done
from studio.library import Library
from studio.plan import Plan, compile_plan
from studio.preset import Init, validate
from tests.support.soft_masks import lay_out

ROWS = [{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}]
CONFIG = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
FLOW = {"prediction_type": sampling.FLOW, "flow_shift": 3.0}
# Those that draw no noise of their own, each of the kinds that it knows.
KINDS = [
    (name, flow)
    for name, kind in sampling.SCHEDULERS.items()
    for flow in (False, *([True] if kind.flow else []))
    if not kind.random
]
STEPS = 10


def network() -> tuple[Any, list[Tensor]]:
    """A random network that mixes places, ``(step, z, t) → ε``, and what it has seen."""
    torch.manual_seed(5)
    layer = torch.nn.Conv2d(4, 4, 3, padding=1).double()
    seen: list[Tensor] = []

    def said(step: int, z: Tensor, t: Tensor) -> Tensor:
        seen.append(z)
        with torch.no_grad():
            return torch.tanh(layer(z) + 0.001 * t)

    return said, seen


def drawn(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 4, 4, 8, generator=generator, dtype=torch.float64)


def scheduler_of(name: str, flow: bool) -> Any:
    scheduler = sampling.make_scheduler(name, FLOW if flow else CONFIG)
    scheduler.set_timesteps(STEPS)
    return scheduler


def finished(scheduler: Any, picture: Picture, noise: Tensor) -> tuple[Tensor, list[Tensor]]:
    said, seen = network()
    steps = list(sampling.sample(said, noise, scheduler, [torch.Generator()], picture))
    return steps[-1].latent, seen


def of_the_paper(
    scheduler: Any, clean: Tensor, noise: Tensor, change: Tensor, first: int
) -> Tensor:
    """Its algorithm as its authors run it: step ``i`` begins with the picture where ``1 − m > i/n``."""
    said, _ = network()
    sampling.begin(scheduler, first)
    times = scheduler.timesteps[first:]
    keep, z = 1 - change, clean
    for index, t in enumerate(times):
        alpha, sigma = sampling.noise_level(scheduler, t)  # that of its network
        noisy = (alpha * clean + sigma * noise) / scheduler.scale_model_input(torch.ones(1), t)
        masked = (keep > index / len(times) + 1e-9).double()
        z = noisy * masked + z * (1 - masked) if index else noisy
        output = said(index, scheduler.scale_model_input(z, t), t)
        z = scheduler.step(output, t, z, return_dict=False)[0]
    return z


@pytest.mark.parametrize("first", [0, 4])
@pytest.mark.parametrize(("name", "flow"), KINDS)
def test_a_grey_mask_is_the_papers_algorithm(name: str, flow: bool, first: int) -> None:
    clean, noise = drawn(0), drawn(1)
    first *= scheduler_of(name, flow).order
    change = torch.linspace(0, 1, 32, dtype=torch.float64).reshape(1, 1, 4, 8)
    change[0, 0, 0, 4:] = torch.tensor([0.1, 0.3, 0.5, 0.7], dtype=torch.float64)
    picture = Picture(clean, first, change, soft=True)
    found, _ = finished(scheduler_of(name, flow), picture, noise)
    expected = of_the_paper(scheduler_of(name, flow), clean, noise, change, first)
    joins = (change * len(scheduler_of(name, flow).timesteps[first:]) >= 1 - 1e-9).expand_as(clean)
    assert torch.allclose(found[joins], expected[joins], atol=1e-6)
    assert torch.equal(found[~joins], clean[~joins])  # theirs denoises these once


def test_a_place_is_painted_in_as_many_steps_as_its_strength_says() -> None:
    greys = torch.tensor([0.0, 0.05, 0.1, 0.29, 0.5, 0.7, 0.99, 1 - 1e-7, 1.0])
    picture = Picture(torch.zeros(1), 0, greys, soft=True)
    for steps, expected in (
        (10, [0, 0, 1, 2, 5, 7, 9, 10, 10]),
        (1, [0, 0, 0, 0, 0, 0, 0, 1, 1]),
    ):
        painted = sum(picture.joined(done, steps) for done in range(steps))
        assert isinstance(painted, Tensor) and painted.tolist() == expected
        last = picture.joined(steps, steps)
        assert isinstance(last, Tensor) and (last > 0).tolist() == [one > 0 for one in expected]


@pytest.mark.parametrize(("name", "flow"), KINDS)
def test_a_hard_mask_is_kept_as_without_it(name: str, flow: bool) -> None:
    clean, noise = drawn(0), drawn(1)
    mask = (torch.arange(32).reshape(1, 1, 4, 8) % 3 > 0).double()
    first = 4 * scheduler_of(name, flow).order
    soft, hard = (
        finished(scheduler_of(name, flow), Picture(clean, first, mask, soft=one), noise)[0]
        for one in (True, False)
    )
    assert torch.equal(soft, hard)


def test_what_begins_otherwise_is_white_alone() -> None:
    latent, noise = torch.randn(1, 4, 2, 2), torch.randn(1, 4, 2, 2)
    mask = torch.tensor([[0.0, 0.5], [0.9, 1.0]])[None, None]
    init = Init(image="-", mask="-", under_mask="noise", soft_inpainting=True)
    found = replaced(Picture(latent, 0, mask, soft=True), init, noise)
    assert found is not None and found.begun is not None
    assert torch.equal(found.begun[..., 1, 1], noise[..., 1, 1])
    assert torch.equal(found.begun.flatten(2)[..., :3], latent.flatten(2)[..., :3])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    lay_out(folder)
    for name, level in (("black", 0), ("nearly", 250), ("white", 255)):
        Image.new("L", (16, 16), level).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def made(engine: Engine, scheduler: str = "ddim", mask: str = "", **init: Any) -> np.ndarray:
    start = {"image": "start.png", "mask": mask and f"{mask}.png", "keep_pixels": False, **init}
    sampler = {"steps": 6, "scheduler": scheduler, "seed": 3}
    preset = validate({"base": "base", "rows": ROWS, "sampler": sampler, "init": start})
    done = next(one for one in engine.generate(preset) if isinstance(one, Done))
    return np.asarray(done.image).astype(int)


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("scheduler", ["ddim", "dpm++", "euler_a", "heun"])
def test_white_is_image_to_image_to_the_bit(
    engine: Engine, scheduler: str, strength: float
) -> None:
    plain = made(engine, scheduler, strength=strength)
    for mask in ("white", "nearly"):
        soft = made(engine, scheduler, mask, strength=strength, soft_inpainting=True)
        assert np.array_equal(soft, plain)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_black_is_the_picture(engine: Engine, root: Path, strength: float) -> None:
    found = made(engine, mask="black", strength=strength, soft_inpainting=True)
    vae = engine.loader.vae("base")
    start = Image.open(root / "start.png")
    latent = encode(vae, start, [torch.Generator().manual_seed(3)])
    kept = np.asarray(engine.loader.family("base").decode(vae, latent)[0]).astype(int)
    assert np.abs(found - kept).max() <= 1
    own = made(engine, mask="black", strength=strength, soft_inpainting=True, keep_pixels=True)
    assert np.array_equal(own, np.asarray(start).astype(int))


def test_a_hard_mask_makes_the_same_picture_and_a_grey_one_another(engine: Engine) -> None:
    given = {"strength": 0.7, "feather": 0}
    for keeps in (False, True):
        hard = made(engine, mask="hard", **given, keep_pixels=keeps)
        soft = made(engine, mask="hard", **given, keep_pixels=keeps, soft_inpainting=True)
        assert np.array_equal(soft, hard)
    mixed = made(engine, mask="rising", **given)
    assert np.abs(made(engine, mask="rising", **given, soft_inpainting=True) - mixed).max() > 2


def test_the_brighter_the_more_is_changed(engine: Engine) -> None:
    """The first columns are as the picture comes out of the autoencoder, the last as without a mask."""
    black = made(engine, mask="black", strength=1.0)
    soft = made(engine, mask="rising", strength=1.0, soft_inpainting=True, feather=0)
    change = np.abs(soft - black).mean(axis=(0, 2))
    assert change[:2].mean() < change[6:10].mean() < change[-2:].mean()


def test_a_file_of_nearly_black_or_white_is_so_and_its_edges_fade() -> None:
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:, :9], pixels[:, 9:30], pixels[:, 30:] = 4, range(120, 141), 250
    whole = np.asarray(strengths(Image.fromarray(pixels), 0))
    assert whole[0, 0] == 0 and whole[0, 8] == 0 and whole[0, 35] == 255
    assert np.array_equal(whole[0, 9:30], pixels[0, 9:30])
    hard = Image.fromarray(
        np.where(np.arange(40) >= 20, 255, 0).astype(np.uint8)[None].repeat(40, 0)
    )
    assert np.array_equal(np.asarray(strengths(hard, 8.4)), np.asarray(feathered(hard, 8)))


@pytest.mark.parametrize("area", ["picture", "mask"])
def test_what_is_pasted_follows_the_strengths(root: Path, area: str) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[8:56, 8:56] = np.linspace(30, 255, 48).round()
    Image.fromarray(mask).save(root / "part.png")
    Image.new("RGB", (64, 64), "red").save(root / "red.png")
    init = Init(image="red.png", mask="part.png", feather=6, padding=0, soft_inpainting=True)
    init = init.model_copy(update={"area": area})
    found = Pictures.read(Plan(passes=(), steps=1), init, (64, 64), [root])
    assert found.soft and found.paste is not None and found.start_mask is not None
    paste = found.paste.resize((64, 64), Image.Resampling.NEAREST)
    strength = np.asarray(found.start_mask).astype(int)
    other = np.abs(np.asarray(paste).astype(int) - np.minimum(255, 2 * strength))
    # Strengths are resampled without steps; the part of 48 pixels is made of 64.
    assert (other[12:-12, 12:-12] if area == "mask" else other).max() <= (
        8 if area == "mask" else 0
    )
    whole = found.paste if area == "mask" else found.paste.crop((8, 8, 56, 56))
    shown = np.asarray(whole)
    assert shown[24, 10] == 2 * mask[32, 18] and shown[24, 30] == 255  # far from an edge
    assert shown[24, 0] < 10 and shown[24, 47] < 150  # no hard seam


@pytest.mark.parametrize("area", ["picture", "mask"])
def test_colours_around_it_replace_what_is_white_alone(root: Path, area: str) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 16:32], mask[:, 32:] = 128, 255
    Image.fromarray(mask).save(root / "steps.png")
    pixels = np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(root / "busy.png")
    given = {"image": "busy.png", "mask": "steps.png", "feather": 0, "padding": 64, "area": area}
    init = Init.model_validate({**given, "under_mask": "surroundings", "soft_inpainting": True})
    start = Pictures.read(Plan(passes=(), steps=1), init, (64, 64), [root]).start
    found = np.asarray(start).astype(int)
    assert np.array_equal(found[:, :32], pixels[:, :32])
    assert found[:, 48:].std(axis=0).mean() < pixels[:, 48:].std(axis=0).mean() / 4


def test_the_plan_says_where_it_changes_nothing(root: Path) -> None:
    def notes(**init: Any) -> list[str]:
        start = {"image": "start.png", "soft_inpainting": True, **init}
        preset = validate({"base": "base", "rows": ROWS, "init": start})
        found = compile_plan(preset, Library((root,))).notes
        return [one for one in found if one.startswith("init.soft_inpainting")]

    assert len(notes()) == 1 and "no mask" in notes()[0]
    assert not notes(mask="rising.png") and not notes(strength=0.0)
    assert not notes(soft_inpainting=False)
