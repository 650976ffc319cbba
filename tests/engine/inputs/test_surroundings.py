"""What lies under the mask of a picture to start from, where it is not what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image

from studio.diffusion.sampling import Picture
from studio.engine.inputs.start_image import Pictures
from studio.engine.inputs.surroundings import replaced, surrounded
from studio.plan import Plan
from studio.preset import Init
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, ours

SIZE = (96, 64)


def scene() -> tuple[Image.Image, Image.Image]:
    """Green on the left, blue on the right, with a red thing in the middle; a mask over it."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:, :48], pixels[:, 48:] = (0, 200, 0), (0, 0, 200)
    pixels[20:44, 36:60] = (255, 0, 0)
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[16:48, 32:64] = 255
    return Image.fromarray(pixels), Image.fromarray(mask)


def test_what_is_masked_has_the_colours_around_it_and_the_rest_stays() -> None:
    image, mask = scene()
    found, given = np.asarray(surrounded(image, mask)).astype(int), np.asarray(image).astype(int)
    black = np.asarray(mask) == 0
    assert np.array_equal(found[black], given[black])
    inside = found[16:48, 32:64]
    assert inside[..., 0].max() < 10  # nothing of the red thing is left
    left, right = inside[:, :8].mean((0, 1)), inside[:, -8:].mean((0, 1))
    assert left[1] > left[2] + 50 and right[2] > right[1] + 50


def test_what_is_masked_all_over_is_grey_and_far_from_the_rest_its_mean() -> None:
    image, _ = scene()
    assert surrounded(image, Image.new("L", SIZE, 255)).getcolors() == [(96 * 64, (128, 128, 128))]
    wide = Image.new("RGB", (4000, 8), (10, 20, 30))
    mask = Image.new("L", wide.size, 255)
    mask.paste(0, (0, 0, 40, 8))
    wide.paste((250, 0, 0), (40, 0, 4000, 8))
    far = surrounded(wide, mask).getpixel((3900, 4))
    assert far == (10, 20, 30)


def test_a_start_begins_with_it_where_steps_run_over_it(tmp_path: Path) -> None:
    image, mask = scene()
    image.save(tmp_path / "image.png")
    mask.resize((48, 32)).save(tmp_path / "mask.png")  # one of its aspect

    def start(**fields: float | str) -> np.ndarray:
        given = {"image": "image.png", "mask": "mask.png", "under_mask": "surroundings", **fields}
        plan = Plan(passes=(), steps=1)
        found = Pictures.read(plan, Init.model_validate(given), SIZE, [tmp_path]).start
        assert found is not None
        return np.asarray(found).astype(int)

    plain = np.asarray(image).astype(int)
    assert start()[20:44, 36:60, 0].max() < 60  # of the red thing
    assert np.array_equal(start()[:12], plain[:12])
    for other in ({"under_mask": "picture"}, {"mask": ""}, {"strength": 0.0}):
        assert np.array_equal(start(**other), plain)
    around = start(area="mask", padding=4)  # the part is made as large as the picture
    assert around[16:48, 32:64, 0].mean() < 60


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return folder


@pytest.mark.parametrize("content", ["noise", "nothing"])
def test_latents_under_a_mask_are_as_diffusers_begins_with_them(root: Path, content: str) -> None:
    size = 32
    Image.new("RGB", (size, size), (200, 40, 10)).save(root / "start.png")
    Image.new("L", (size, size), 255).save(root / "all.png")
    generator = torch.Generator().manual_seed(SEED)
    drawn = torch.randn(1, 4, size // 2, size // 2, generator=generator)  # as the encoding is
    latents = torch.zeros_like(drawn)
    if content == "noise":
        latents = torch.randn(drawn.shape, generator=generator.clone_state())
    pipe = StableDiffusionImg2ImgPipeline(
        **tiny.load(root / "base").components, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    expected = pipe(
        "a cat",
        image=latents,
        strength=0.7,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=generator,
    ).images[0]
    init = {"image": "start.png", "mask": "all.png", "strength": 0.7, "under_mask": content}
    rows = [{"prompt": "a cat", "weight": SCALE}]
    found = ours(root, size=size, rows=rows, init={**init, "keep_pixels": False})
    assert difference(found, np.asarray(expected).astype(int)) <= 2
    plain = {**init, "under_mask": "picture", "keep_pixels": False}
    assert difference(found, ours(root, size=size, rows=rows, init=plain)) > 2


def test_at_strength_1_and_where_the_mask_keeps_nothing_of_it_is_seen(root: Path) -> None:
    size = 32
    start = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(start).save(root / "noisy.png")
    soft = Image.new("L", (size, size))
    soft.paste(255, (5, 5, 19, 23))  # off the latents' grid, so that some are half of it
    soft.save(root / "soft.png")
    rows = [{"prompt": "a cat", "weight": SCALE}]

    def made(content: str, strength: float) -> np.ndarray:
        init = {"image": "noisy.png", "mask": "soft.png", "strength": strength}
        init |= {"under_mask": content, "keep_pixels": False}
        return ours(root, size=size, rows=rows, init=init)

    for content in ("noise", "nothing"):
        assert difference(made(content, 1.0), made("picture", 1.0)) == 0
        assert difference(made(content, 0.7), made("picture", 0.7)) > 2


def test_latents_are_mixed_where_a_mask_is_grey_and_stay_without_one() -> None:
    latent, noise = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3)
    mask = torch.rand(1, 1, 3, 3)
    init = Init(image="-", mask="-", under_mask="noise")
    found = replaced(Picture(latent, 0, mask), init, noise)
    assert found is not None
    expected = (1 - mask.double()) * latent.double() + mask.double() * noise.double()
    assert found.begun is not None and found.latent is latent
    assert torch.allclose(found.begun.double(), expected, atol=1e-6)
    for picture, asked in (
        (Picture(latent, 0, None), init),
        (Picture(latent, 0, mask), Init(image="-")),
        (Picture(latent, 0, mask), None),
    ):
        assert replaced(picture, asked, noise) is picture
    assert replaced(None, init, noise) is None
