"""Starting from a picture, against diffusers' image-to-image and inpainting pipelines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from studio.diffusion import sampling
from studio.engine import Engine
from studio.engine.inputs.masks import feathered
from studio.engine.inputs.start_image import Pictures, encode
from studio.errors import BadPreset, MissingFile, StudioError
from studio.events import Done, Preview
from studio.library import Library
from studio.plan import Plan
from studio.preset import Init, validate
from tests.support import tiny

ROWS = [{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}]
LORA = [{"prompt": "cat", "weight": 3.0, "model": {"lora": "base/style"}}]
SCHEDULERS = list(sampling.SCHEDULERS)
RANDOM = [name for name, kind in sampling.SCHEDULERS.items() if kind.random]
# Started in the middle, diffusers' own lose a step (PNDM) or take weights of too high an order.
MENDED = ["lms", "pndm"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.lora(folder / "base/style", tiny.pipeline(folder / "base").unet)
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "start.png")
    Image.fromarray(np.repeat(pixels, 2, axis=1)).save(folder / "wide.png")
    mask = np.zeros((16, 16), np.uint8)
    mask[:, 6:] = 255  # whole positions of latents
    Image.fromarray(mask).save(folder / "mask.png")
    Image.new("L", (16, 16)).save(folder / "black.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def make(engine: Engine, scheduler: str = "ddim", **fields: Any) -> list[Done]:
    fields.setdefault("rows", ROWS)
    sampler = {"steps": 6, "scheduler": scheduler, "seed": 3, **fields.pop("sampler", {})}
    preset = validate({"base": "base", "sampler": sampler, **fields})
    return [event for event in engine.generate(preset) if isinstance(event, Done)]


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@cache
def loaded(kind: Any, root: Path, lora: bool) -> tuple[Any, dict[str, Any]]:
    """diffusers' pipeline, whose scheduler each test sets, and its own scheduler's config."""
    pipe = kind.from_pretrained(root / "base", safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    if lora:
        pipe.load_lora_weights(root / "base/style")
    return pipe, dict(pipe.scheduler.config)


def theirs(
    kind: Any, root: Path, scheduler: str, lora: bool = False, **arguments: Any
) -> np.ndarray:
    pipe, own = loaded(kind, root, lora)
    pipe.scheduler = sampling.make_scheduler(scheduler, own)
    pipe_eta = sampling.SCHEDULERS[scheduler].eta or 0.0  # the pipelines' own is 0
    words: dict[str, Any] = {"negative_prompt": "bad", "guidance_scale": 7.5}
    if lora:
        words = {"guidance_scale": 3.0}
    generator = torch.Generator().manual_seed(3)
    image = Image.open(root / "start.png")
    made = pipe(
        "cat",
        image=image,
        num_inference_steps=6,
        generator=generator,
        eta=pipe_eta,
        **words,
        **arguments,
    )
    return pixels(made.images[0])


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_image_to_image_is_diffusers(
    engine: Engine, root: Path, scheduler: str, strength: float
) -> None:
    ours = make(engine, scheduler, init={"image": "start.png", "strength": strength})[0]
    begun = int(6 * strength)
    twice = {"heun": begun - 1, "dpm2": begun - 1, "dpm2_a": begun - 1, "pndm": 1}
    assert ours.forwards == 2 * (begun + twice.get(scheduler, 0))
    if strength == 1.0 or scheduler not in MENDED:
        expected = theirs(StableDiffusionImg2ImgPipeline, root, scheduler, strength=strength)
        assert np.abs(pixels(ours.image) - expected).max() <= 1


def test_image_to_image_with_a_lora_is_diffusers(engine: Engine, root: Path) -> None:
    ours = make(engine, rows=LORA, omega=1.0, init={"image": "start.png", "strength": 0.7})[0]
    expected = theirs(StableDiffusionImg2ImgPipeline, root, "ddim", lora=True, strength=0.7)
    assert np.abs(pixels(ours.image) - expected).max() <= 2


# An ancestral sampler draws its noise after a second encoding that ours does not need.
@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name not in RANDOM])
@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_inpainting_is_diffusers_with_a_four_channel_network(
    engine: Engine, root: Path, scheduler: str, strength: float
) -> None:
    if strength < 1 and scheduler in MENDED:
        return
    init = {"image": "start.png", "mask": "mask.png", "strength": strength, "keep_pixels": False}
    ours = make(engine, scheduler, init=init)[0]
    expected = theirs(
        StableDiffusionInpaintPipeline,
        root,
        scheduler,
        strength=strength,
        width=16,
        height=16,
        mask_image=Image.open(root / "mask.png"),
    )
    assert np.abs(pixels(ours.image) - expected).max() <= 1


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_is_black_is_kept(engine: Engine, root: Path, scheduler: str) -> None:
    init = {"image": "start.png", "mask": "black.png", "strength": 0.8, "keep_pixels": False}
    made = make(engine, scheduler, init=init)[0]
    vae = engine.loader.vae("base")
    generator = torch.Generator().manual_seed(3)
    latent = encode(vae, Image.open(root / "start.png"), [generator])
    kept = engine.loader.family("base").decode(vae, latent)[0]
    assert np.abs(pixels(made.image) - pixels(kept)).max() <= 1


@pytest.mark.parametrize("feather", [0, 4])
def test_kept_pixels_are_the_pictures_own(engine: Engine, root: Path, feather: int) -> None:
    init = {"image": "start.png", "mask": "mask.png", "strength": 1.0, "feather": feather}
    pasted = pixels(make(engine, init=init)[0].image)
    through = pixels(make(engine, init={**init, "keep_pixels": False})[0].image)
    given, white = pixels(Image.open(root / "start.png")), pixels(Image.open(root / "mask.png")) > 0
    assert (pasted[~white] == given[~white]).all()
    assert (through[~white] != given[~white]).any()
    assert (pasted[:, 6 + feather :] == through[:, 6 + feather :]).all()
    if feather:  # the pixel at the edge is nearly the old one's
        edge = np.abs(pasted[:, 6] - given[:, 6]).sum()
        assert edge < np.abs(through[:, 6] - given[:, 6]).sum() / 2


def test_a_thin_stroke_stays_white_under_a_feather() -> None:
    stroke = np.zeros((32, 32), np.uint8)
    stroke[:, 15:17] = 255
    faded = np.asarray(feathered(Image.fromarray(stroke), 6))
    assert (faded[stroke == 0] == 0).all() and faded[:, 15:17].min() > 250


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("mask", ["", "mask.png"])
def test_a_batch_is_its_single_images(engine: Engine, scheduler: str, mask: str) -> None:
    init = {"image": "start.png", "strength": 0.6, "mask": mask}
    rows = [{"prompt": "a", "weight": 3.0, "mask": "mask.png"}, *LORA]
    more: dict[str, Any] = {
        "rows": rows,
        "init": init,
        "guidance_rescale": 0.5,
        "apg": {"eta": 0.3},
    }
    batch = make(engine, scheduler, sampler={"count": 2}, **more)
    for done in batch:
        single = make(engine, scheduler, sampler={"seed": done.seed}, **more)[0]
        assert np.abs(pixels(single.image) - pixels(done.image)).max() <= 1


def test_ranges_count_noise_levels_of_the_whole_schedule(engine: Engine) -> None:
    """At strength a half the first half of the noise is never there."""
    rows = [{"prompt": "a", "weight": 3.0, "range": [0.0, 0.5]}]
    assert make(engine, rows=rows, init={"image": "start.png", "strength": 0.5})[0].forwards == 3
    rows = [{"prompt": "a", "weight": 3.0, "range": [0.5, 1.0]}]
    assert make(engine, rows=rows, init={"image": "start.png", "strength": 0.5})[0].forwards == 6


def test_another_aspect_is_cropped_and_steps_are_counted(engine: Engine) -> None:
    preset = validate(
        {
            "base": "base",
            "rows": ROWS,
            "sampler": {"steps": 10},
            "init": {"image": "wide.png", "strength": 0.3},
        }
    )
    events = list(engine.generate(preset))
    assert [event.step for event in events if isinstance(event, Preview)] == [1, 2, 3]
    assert isinstance(events[-1], Done) and events[-1].image.size == (16, 16)


@pytest.mark.parametrize(
    ("init", "error", "field"),
    [
        ({"image": "none.png"}, MissingFile, "init.image"),
        ({"image": "../../etc/passwd"}, MissingFile, "init.image"),
        ({"image": "start.png", "mask": "none.png"}, MissingFile, "init.mask"),
        ({"image": "start.png", "mask": "wide.png"}, BadPreset, "init.mask"),
    ],
)
def test_mistakes_name_their_field(
    engine: Engine, init: dict[str, Any], error: type[StudioError], field: str
) -> None:
    with pytest.raises(error) as caught:
        make(engine, init=init)
    assert caught.value.field == field
    assert make(engine)


def test_one_generation_reads_the_schedule_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(engine.loader.family("base"))
    read, reads = kind.scheduler_config, []
    monkeypatch.setattr(
        kind, "scheduler_config", lambda self, entry: reads.append(entry) or read(self, entry)
    )
    assert len(make(engine, sampler={"count": 9})) == 9  # more than one batch
    assert len(reads) == 1


FLOWS = [name for name, kind in sampling.SCHEDULERS.items() if kind.flow and not kind.random]


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("black", [False, True])
def test_a_flow_starts_from_and_keeps_a_picture(name: str, black: bool) -> None:
    """``z = (1 − σ)·x₀ + σ·ε`` at the first step; the true flow leads back to ``x₀``."""
    scheduler = sampling.make_scheduler(name, {"prediction_type": sampling.FLOW, "flow_shift": 3.0})
    scheduler.set_timesteps(6)
    clean, noise = (
        torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)
    )
    picture = sampling.Picture(
        clean, 2 * scheduler.order, torch.zeros(1, 1, 3, 3) if black else None
    )
    seen: list[torch.Tensor] = []

    def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        if not step:
            alpha, sigma = sampling.noise_level(scheduler, t)
            assert torch.allclose(z, alpha * clean + sigma * noise, atol=1e-5)
        seen.append(z)
        return torch.zeros_like(z) if black else noise - clean

    generators = [torch.Generator() for _ in range(2)]
    *_, last = sampling.sample(denoise, noise, scheduler, generators, picture)
    assert len(seen) == (7 if scheduler.order == 2 else 4)
    assert torch.allclose(last.latent, clean, atol=1e-4)


def test_latents_are_enlarged_where_a_picture_is_smaller(engine: Engine, root: Path) -> None:
    """Bicubic between the latents of the picture's own size; one that is as large is taken as it is."""
    vae, first = engine.loader.vae("base", ""), [torch.Generator().manual_seed(1)]

    def latents(size: int, enlarge: str) -> torch.Tensor:
        init = Init(image="start.png", enlarge=enlarge)  # type: ignore[arg-type]
        pictures = Pictures.read(Plan((), 4), init, (size, size), [root])
        found = pictures.starting(
            0, vae, (size // 2, size // 2), [torch.Generator().manual_seed(1)]
        )
        assert found is not None
        return found.latent

    own = encode(vae, Image.open(root / "start.png"), first)
    expected = torch.nn.functional.interpolate(own, size=(16, 16), mode="bicubic")
    assert torch.equal(latents(32, "latents"), expected)
    assert not torch.equal(latents(32, "pixels"), expected)
    for size in (16, 8):
        assert torch.equal(latents(size, "latents"), latents(size, "pixels"))


def test_a_wide_picture_is_enlarged_by_its_middle(engine: Engine, root: Path) -> None:
    both = [
        make(
            engine, init={"image": "wide.png", "enlarge": way}, sampler={"width": 48, "height": 32}
        )
        for way in ("pixels", "latents")
    ]
    assert all(one[0].image.size == (48, 32) for one in both)
    assert (pixels(both[0][0].image) != pixels(both[1][0].image)).any()
