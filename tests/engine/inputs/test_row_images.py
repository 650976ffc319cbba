"""InstructPix2Pix: the picture in the row, its two guidances as two rows, ω on a wider network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny

TEXT, PICTURE = 6.0, 1.5  # their scales


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    torch.manual_seed(11)
    unet = UNet2DConditionModel.from_config({**pipe.unet.config, "in_channels": 8})
    StableDiffusionInstructPix2PixPipeline(
        vae=pipe.vae,
        text_encoder=pipe.text_encoder,
        tokenizer=pipe.tokenizer,
        unet=unet,
        scheduler=pipe.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder / "instruct")
    wide = UNet2DConditionModel.from_config({**pipe.unet.config, "in_channels": 9})
    pipe.register_modules(unet=wide)
    pipe.save_pretrained(folder / "inpaint")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)).save(
        folder / "room.png"
    )
    return folder


def rows(model: str | None = "instruct") -> list[dict]:
    """``s_I·(ε(z, I, ∅) − ε(z, ∅, ∅)) + s_T·(ε(z, I, T) − ε(z, I, ∅))`` (their Eq. 3)."""
    common = {"model": model, "image": "room.png"}
    return [
        {**common, "weight": PICTURE},
        {**common, "prompt": "make it red", "weight": TEXT, "reference": {"prompt": ""}},
    ]


def make(root: Path, exact: bool = True, **fields: object) -> list[np.ndarray]:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=exact)
    fields.setdefault("sampler", {"steps": 3, "scheduler": "ddim", "seed": 3})
    preset = validate({"base": "base", "rows": rows(), **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def theirs(root: Path) -> np.ndarray:
    pipe = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        root / "instruct", safety_checker=None
    )
    pipe.set_progress_bar_config(disable=True)
    image = pipe(
        "make it red",
        Image.open(root / "room.png"),
        num_inference_steps=3,
        guidance_scale=TEXT,
        image_guidance_scale=PICTURE,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    return np.asarray(image).astype(int)


@pytest.mark.parametrize(
    "fields",
    [
        {"omega": 1.0},  # a fine-tune of the prior, all of whose weight change is in θ_ω
        {"base": "instruct", "rows": rows(None)},
    ],
)
def test_two_rows_are_their_pipeline(root: Path, fields: dict) -> None:
    assert np.abs(make(root, **fields)[0] - theirs(root)).max() <= 1


def test_shared_work_and_batches_change_nothing(root: Path) -> None:
    sampler = {"steps": 3, "scheduler": "ddim", "seed": 3, "count": 2}
    batch = make(root, exact=False, omega=1.0, sampler=sampler)
    assert len(batch) == 2 and np.abs(batch[0] - theirs(root)).max() <= 1


@pytest.mark.parametrize("omega", [0.0, 0.5])
def test_omega_interpolates_with_the_prior_widened_by_zeros(root: Path, omega: float) -> None:
    ours = make(root, omega=omega, rows=rows()[:1])[0]
    prior = StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
    tuned = UNet2DConditionModel.from_pretrained(root / "instruct/unet")
    weak = UNet2DConditionModel.from_config(tuned.config)
    state = {}
    for name, value in prior.unet.state_dict().items():
        if name == "conv_in.weight":
            value = torch.cat([value, torch.zeros_like(value)], dim=1)
        state[name] = value + omega * (tuned.state_dict()[name] - value)
    weak.load_state_dict(state)
    null = prior.encode_prompt("", "cpu", 1, False)[0]
    pixels = (
        torch.from_numpy(np.array(Image.open(root / "room.png"))).permute(2, 0, 1)[None] / 127.5 - 1
    )
    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    prior.scheduler.set_timesteps(3)
    with torch.no_grad():
        picture = prior.vae.encode(pixels).latent_dist.mode()
        for t in prior.scheduler.timesteps:
            free = weak(torch.cat([z, torch.zeros_like(z)], 1), t, null).sample
            told = tuned(torch.cat([z, picture], 1), t, null).sample
            z = prior.scheduler.step(free + PICTURE * (told - free), t, z).prev_sample
        image = prior.vae.decode(z / prior.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).max() <= 1


@pytest.mark.parametrize(
    ("row", "field", "told"),
    [
        ({"image": "room.png"}, "rows.0.image", "takes no picture to edit"),
        ({"model": "instruct", "image": "absent.png"}, "rows.0.image", "no image"),
        ({"model": "inpaint", "image": "room.png"}, "rows.0.image", "takes no picture to edit"),
    ],
)
def test_what_is_refused(root: Path, row: dict, field: str, told: str) -> None:
    with pytest.raises(StudioError, match=told) as caught:
        make(root, rows=[row])
    assert caught.value.field == field


def test_an_editing_row_without_a_picture_sees_zeros_and_says_so(root: Path) -> None:
    """ε(z, ∅_I, c_T), which InstructPix2Pix is trained on too (Brooks et al. 2023, Sec. 3.2.1)."""
    row = {"prompt": "make it red", "weight": 1.0}
    as_row = make(root, omega=1.0, rows=[{**row, "model": "instruct"}])[0]
    assert np.array_equal(as_row, make(root, base="instruct", rows=[row])[0])
    pipe = StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
    tuned = UNet2DConditionModel.from_pretrained(root / "instruct/unet")
    states = pipe.encode_prompt("make it red", "cpu", 1, False)[0]

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return tuned(torch.cat([z, torch.zeros_like(z)], 1), t, states).sample

    assert np.abs(as_row - tiny.ddim(pipe, predict, steps=3)).max() <= 1
    preset = validate({"base": "base", "rows": [{**row, "model": "instruct"}]})
    (note,) = compile_plan(preset, Library((root,))).notes
    assert note.startswith("rows.0: instruct changes a picture") and "zeros" in note
    asked = validate({"base": "base", "rows": rows()})
    assert not compile_plan(asked, Library((root,))).notes


def test_a_shared_preset_carries_the_picture(root: Path) -> None:
    from studio.share import embed_images

    preset = validate({"base": "base", "rows": rows()})
    carried = embed_images(preset, [root])
    assert all(row.image.startswith("data:image/png;base64,") for row in carried.rows)
