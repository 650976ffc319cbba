"""Painting around a mask alone ("only masked"), against diffusers' ``padding_mask_crop``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline
from PIL import Image

from studio.engine import Engine
from studio.engine.inputs.frame import Frame
from studio.engine.inputs.masks import feathered
from studio.engine.inputs.start_image import Pictures
from studio.errors import BadPreset
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny

ROWS = [{"prompt": "cat", "weight": 4.0}]
WHOLE = (48, 40)  # of the picture, in pixels
AREA: dict[str, Any] = {
    "image": "start.png",
    "mask": "mask.png",
    "area": "mask",
    "padding": 4,
    "feather": 0,
    "strength": 1.0,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    pixels = np.random.default_rng(0).integers(0, 255, (WHOLE[1], WHOLE[0], 3), np.uint8)
    Image.fromarray(pixels).save(folder / "start.png")
    mask = np.zeros((WHOLE[1], WHOLE[0]), np.uint8)
    mask[12:20, 28:36] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(np.repeat(np.repeat(mask, 2, 0), 2, 1)).save(folder / "large.png")
    Image.fromarray(255 - mask).save(folder / "rest.png")
    Image.new("L", WHOLE).save(folder / "black.png")
    return folder


def made(root: Path, rows: Any = ROWS, size: int = 16, **init: Any) -> np.ndarray:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    sampler = {"steps": 4, "scheduler": "ddim", "seed": 3, "width": size, "height": size}
    asked = {"base": "base", "rows": rows, "sampler": sampler, "init": {**AREA, **init}}
    (done,) = (e for e in engine.generate(validate(asked)) if isinstance(e, Done))
    return np.asarray(done.image).astype(int)


def pixels(root: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(root / name)).astype(int)


def test_it_is_what_diffusers_makes_of_a_cropped_mask(root: Path) -> None:
    parts = tiny.load(root / "base").components
    pipe = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    expected = pipe(
        "cat",
        image=Image.open(root / "start.png"),
        mask_image=Image.open(root / "mask.png"),
        padding_mask_crop=4,
        width=16,
        height=16,
        strength=1.0,
        num_inference_steps=4,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    found = made(root)
    assert found.shape == (WHOLE[1], WHOLE[0], 3)
    assert np.abs(found - np.asarray(expected).astype(int)).max() <= 2


def test_it_is_the_part_made_alone_and_put_back(root: Path) -> None:
    box = (24, 8, 40, 24)  # the mask and 4 pixels more, which is as wide as high
    Image.open(root / "start.png").crop(box).save(root / "part.png")
    Image.open(root / "mask.png").crop(box).save(root / "part-mask.png")
    part = {"image": "part.png", "mask": "part-mask.png", "area": "picture", "strength": 0.5}
    expected = pixels(root, "start.png")
    expected[8:24, 24:40] = made(root, **part)
    assert np.array_equal(made(root, strength=0.5), expected)
    assert np.array_equal(made(root, strength=0.5, mask="large.png"), expected)


def test_outside_the_mask_no_pixel_changes(root: Path) -> None:
    found, start = made(root, size=32, feather=2), pixels(root, "start.png")
    outside = pixels(root, "mask.png") == 0
    assert np.array_equal(found[outside], start[outside])
    assert not np.array_equal(found, start)


def test_masks_and_controls_of_rows_are_of_the_same_part(root: Path) -> None:
    inside, outside = ([{**ROWS[0], "mask": name}] for name in ("mask.png", "rest.png"))
    plain = made(root, padding=0)  # the part is what the mask holds
    assert np.abs(made(root, inside, padding=0) - plain).max() <= 1
    assert np.abs(made(root, outside, padding=0) - plain).max() > 1
    assert np.array_equal(
        made(root, outside, padding=0), made(root, [{"prompt": "", "weight": 4.0}], padding=0)
    )
    box = (24, 8, 40, 24)
    Image.open(root / "start.png").crop(box).save(root / "cut.png")
    rows = [
        {**ROWS[0], "control": {"type": "map", "image": name}} for name in ("start.png", "cut.png")
    ]
    Image.open(root / "mask.png").crop(box).save(root / "cut-mask.png")
    whole = made(root, rows[:1])[8:24, 24:40]
    alone = made(root, rows[1:], image="cut.png", mask="cut-mask.png", area="picture")
    assert np.array_equal(whole, alone)


def test_traces_of_a_saved_mask_are_no_part_of_it(root: Path) -> None:
    """JPEG and WebP leave some beside what was painted."""
    mask = np.asarray(Image.open(root / "mask.png")).copy()
    mask[0, 0] = mask[-1, -1] = 5
    Image.fromarray(mask).save(root / "traces.png")
    assert np.array_equal(made(root, mask="traces.png"), made(root))


def test_a_squeezed_part_is_squeezed_in_its_latents_too(root: Path) -> None:
    mask = np.zeros((WHOLE[1], WHOLE[0]), np.uint8)
    mask[20:24] = 255  # all across, which no square holds
    Image.fromarray(mask).save(root / "across.png")
    image, across = (Image.open(root / name) for name in ("start.png", "across.png"))
    frame = Frame.around(image.convert("RGB"), across, (64, 64), 4)
    assert frame.box == (0, 0, 48, 40)
    plan = compile_plan(validate({"base": "base", "rows": ROWS}), Library((root,)))
    init = validate({"init": {**AREA, "mask": "across.png", "enlarge": "latents"}}).init
    small = Pictures.read(plan, init, (64, 64), [root]).small
    assert small is not None and small.size == (48, 40)


def test_a_fade_is_that_of_the_whole_mask(root: Path) -> None:
    mask = Image.open(root / "large.png")
    frame = Frame.around(Image.new("RGB", mask.size), mask, (16, 16), 8)
    for pixels_ in (1, 4):
        near = frame.near(mask, 4 * pixels_, lambda one, by=pixels_: feathered(one, by))
        assert np.array_equal(near, feathered(mask, pixels_).crop(frame.box))


def test_a_mask_of_another_aspect_or_of_nothing_is_refused_by_name(root: Path) -> None:
    with pytest.raises(BadPreset, match=r"^init\.mask: is black all over"):
        made(root, mask="black.png")
    Image.new("L", (16, 16), 255).save(root / "square.png")
    with pytest.raises(BadPreset, match=r"^rows\.0\.mask: is 16x16.* init\.image, 48x40"):
        made(root, [{**ROWS[0], "mask": "square.png"}])


@pytest.mark.parametrize(
    ("init", "said"),
    [
        ({"mask": ""}, "needs a mask"),
        ({"keep_pixels": False}, "keeps its own pixels"),
        ({"padding": -1}, "padding"),
        ({"area": "face"}, "area"),
    ],
)
def test_what_cannot_be_is_refused(init: dict[str, Any], said: str) -> None:
    with pytest.raises(BadPreset, match=rf"^init.*{said}"):
        validate({"init": {**AREA, **init}})


@pytest.mark.parametrize(
    ("hole", "size", "padding", "box"),
    [
        ((10, 10, 20, 20), (64, 64), 5, (5, 5, 25, 25)),
        ((10, 10, 20, 20), (128, 64), 0, (5, 10, 25, 20)),  # grown to the aspect
        ((0, 0, 10, 20), (64, 64), 0, (0, 0, 20, 20)),  # moved in from the edge
        ((0, 0, 100, 30), (64, 64), 0, (0, 0, 100, 50)),  # too low for the aspect: squeezed
    ],
)
def test_the_part_around_a_mask(
    hole: tuple[int, int, int, int], size: tuple[int, int], padding: int, box: tuple[int, ...]
) -> None:
    image, mask = Image.new("RGB", (100, 50)), Image.new("L", (100, 50))
    mask.paste(255, hole)
    frame = Frame.around(image, mask, size, padding)
    assert frame.box == box
    twice = frame.part(Image.new("L", (200, 100)))
    assert twice.size == (2 * (box[2] - box[0]), 2 * (box[3] - box[1]))
