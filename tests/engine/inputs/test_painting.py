"""Inpainting networks of nine channels, against diffusers' inpainting pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from PIL import Image

from studio.engine import Engine
from studio.engine.inputs.start_image import encode
from studio.errors import IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from studio.train.checks import check
from studio.train.settings import TrainConfig
from tests.support import tiny, tiny_sdxl

ROWS = [{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}]
PAINTING = {"1.x": StableDiffusionInpaintPipeline, "XL": StableDiffusionXLInpaintPipeline}
BASES = {"1.x": "base", "XL": "xl"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, pipe in (
        ("base", tiny.pipeline(folder / "base")),
        ("xl", tiny_sdxl.pipeline(folder / "xl")),
    ):
        torch.manual_seed(7)
        wide = UNet2DConditionModel.from_config({**pipe.unet.config, "in_channels": 9})
        pipe.register_modules(unet=wide)
        pipe.save_pretrained(folder / f"{name}-inpaint")
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "start.png")
    mask = np.zeros((16, 16), np.uint8)
    mask[:, 6:] = 255
    mask[3:9, 7:9] = 130  # white to a network that knows black and white
    Image.fromarray(mask).save(folder / "mask.png")
    Image.new("L", (16, 16), 255).save(folder / "white.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def made(engine: Engine, base: str, init: dict[str, Any] | None, **fields: Any) -> list[np.ndarray]:
    fields.setdefault("rows", ROWS)
    sampler = {"steps": 5, "scheduler": "ddim", "seed": 3, **fields.pop("sampler", {})}
    if init:
        fields["init"] = {"image": "start.png", "keep_pixels": False, **init}
    preset = validate({"base": base, "sampler": sampler, **fields})
    done = [one for one in engine.generate(preset) if isinstance(one, Done)]
    return [np.asarray(one.image).astype(int) for one in done]


def theirs(root: Path, kind: str, engine: Engine, mask: str, strength: float) -> np.ndarray:
    """Their pipeline; what is black is put back after each step, as it is for other networks."""
    base = BASES[kind]
    pipe = PAINTING[kind].from_pretrained(root / f"{base}-inpaint", requires_aesthetics_score=False)
    pipe.set_progress_bar_config(disable=True)
    start, painted = Image.open(root / "start.png"), Image.open(root / mask)
    generator = torch.Generator().manual_seed(3)
    own = encode(engine.loader.vae(base), start, [generator])
    noise = torch.randn(own.shape, generator=generator)
    share = np.asarray(painted.resize((own.shape[3], own.shape[2]), Image.Resampling.BOX))
    white = torch.from_numpy(share.copy()).float()[None, None] / 255

    def put_back(pipe: Any, index: int, t: Any, values: dict[str, Any]) -> dict[str, Any]:
        later = pipe.scheduler.timesteps[-int(5 * strength) :][index + 1 : index + 2]
        kept = pipe.scheduler.add_noise(own, noise, later) if len(later) else own
        return {"latents": white * values["latents"] + (1 - white) * kept}

    begun: dict[str, Any] = {"generator": torch.Generator().manual_seed(3)}
    if strength == 1.0:  # theirs encodes nothing before the noise then
        begun = {"generator": generator, "latents": noise}
    image = pipe(
        "cat",
        negative_prompt="bad",
        image=start,
        mask_image=painted,
        width=16,
        height=16,
        strength=strength,
        num_inference_steps=5,
        guidance_scale=7.5,
        callback_on_step_end=put_back,
        **begun,
    ).images[0]
    return np.asarray(image).astype(int)


@pytest.mark.parametrize(
    ("kind", "mask", "strength"),
    [("1.x", "mask.png", 0.6), ("1.x", "white.png", 1.0), ("XL", "mask.png", 1.0)],
)
def test_as_a_base_it_is_diffusers(
    engine: Engine, root: Path, kind: str, mask: str, strength: float
) -> None:
    ours = made(engine, f"{BASES[kind]}-inpaint", {"mask": mask, "strength": strength})[0]
    assert np.abs(ours - theirs(root, kind, engine, mask, strength)).max() <= 1


def test_as_a_row_beside_others_it_is_a_plain_loop(engine: Engine, root: Path) -> None:
    """``ε_θ(z) + 3·(ε_9(z, m, c) − ε_θ(z)) + 2·(ε_θ(z, d) − ε_θ(z))``, kept where it is black."""
    rows = [
        {"prompt": "cat", "weight": 3.0, "model": "base-inpaint"},
        {"prompt": "dog", "weight": 2.0},
    ]
    ours = made(engine, "base", {"mask": "mask.png", "strength": 1.0}, rows=rows, omega=0.0)[0]
    pipe = tiny.load(root / "base")
    wide = UNet2DConditionModel.from_pretrained(root / "base-inpaint/unet")
    start = Image.open(root / "start.png")
    generator = torch.Generator().manual_seed(3)
    own = encode(pipe.vae, start, [generator])
    noise = torch.randn(own.shape, generator=generator)
    white = torch.from_numpy(np.array(Image.open(root / "mask.png"))).float()[None, None] / 255
    pixels = torch.from_numpy(np.array(start)).permute(2, 0, 1)[None] / 127.5 - 1
    around = pipe.vae.encode(pixels * (white < 0.5)).latent_dist.sample(generator)
    hard = (white >= 0.5).float()[:, :, ::2, ::2]
    beside = torch.cat([hard, around * pipe.vae.config.scaling_factor], 1)
    soft = torch.nn.functional.avg_pool2d(white, 2)
    null, cat, dog = tiny.encode(pipe, "", "cat", "dog")
    pipe.scheduler.set_timesteps(5)
    z = noise
    with torch.no_grad():
        for index, t in enumerate(pipe.scheduler.timesteps):
            free = pipe.unet(z, t, null).sample
            paint = wide(torch.cat([z, beside], 1), t, cat).sample
            said = free + 3.0 * (paint - free) + 2.0 * (pipe.unet(z, t, dog).sample - free)
            z = pipe.scheduler.step(said, t, z).prev_sample
            later = pipe.scheduler.timesteps[index + 1 : index + 2]
            kept = pipe.scheduler.add_noise(own, noise, later) if len(later) else own
            z = soft * z + (1 - soft) * kept
        image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).max() <= 1


def test_omega_leads_from_the_prior_to_the_network_as_base(engine: Engine) -> None:
    init = {"mask": "mask.png", "strength": 1.0}
    row = [{"prompt": "cat", "weight": 1.0, "model": "base-inpaint"}]
    tuned = made(engine, "base", init, rows=row, omega=1.0)[0]
    as_base = made(engine, "base-inpaint", init, rows=[{"prompt": "cat", "weight": 1.0}])[0]
    assert np.abs(tuned - as_base).max() <= 1
    between = made(engine, "base", init, rows=[{**row[0], "weight": 3.0}], omega=0.5)[0]
    assert np.abs(between - as_base).max() > 1


def test_soft_inpainting_says_when_a_place_joins_and_the_plan_what_it_reads(
    engine: Engine, root: Path
) -> None:
    """What it reads is black and white all the same: half white is white."""
    init = {"mask": "mask.png", "strength": 0.8, "feather": 0}
    soft = made(engine, "base-inpaint", {**init, "soft_inpainting": True})[0]
    hard = made(engine, "base-inpaint", init)[0]
    assert np.abs(soft - hard).max() > 1  # where it is grey
    row = {"prompt": "cat", "weight": 1.0, "model": "base-inpaint"}
    start = {"image": "start.png", "mask": "mask.png", "soft_inpainting": True}
    for more, count in (({}, 1), ({"soft_inpainting": False}, 0)):
        preset = validate({"base": "base", "rows": [row], "init": {**start, **more}})
        notes = compile_plan(preset, Library((root,))).notes
        assert sum("reads the mask in black and white" in one for one in notes) == count


def test_each_image_of_a_batch_has_its_own(engine: Engine) -> None:
    init = {"mask": "mask.png", "strength": 0.8}
    batch = made(engine, "base-inpaint", init, sampler={"count": 2})
    for index, image in enumerate(batch):
        alone = made(engine, "base-inpaint", init, sampler={"seed": 3 + index})[0]
        assert np.abs(image - alone).max() <= 1


def test_without_a_picture_all_is_painted_and_said(engine: Engine, root: Path) -> None:
    """As with any picture whose mask is white: nothing of it is seen."""
    alone = made(engine, "base-inpaint", None)[0]
    pipe = tiny.load(root / "base-inpaint")
    generator = torch.Generator().manual_seed(3)
    z = torch.randn((1, 4, 8, 8), generator=generator)
    around = pipe.vae.encode(torch.zeros(1, 3, 16, 16)).latent_dist.sample(generator)
    scaled = around.detach() * pipe.vae.config.scaling_factor
    null, cat, bad = tiny.encode(pipe, "", "cat", "bad")
    pipe.scheduler.set_timesteps(5)
    with torch.no_grad():
        for t in pipe.scheduler.timesteps:
            seen = torch.cat([z, torch.ones(1, 1, 8, 8), scaled], 1)
            free, one, two = (pipe.unet(seen, t, text).sample for text in (null, cat, bad))
            said = free + 7.5 * (one - free) - 6.5 * (two - free)
            z = pipe.scheduler.step(said, t, z).prev_sample
        image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    assert np.abs(alone - expected).max() <= 1
    notes = compile_plan(validate({"base": "base-inpaint", "rows": ROWS[:1]}), Library((root,)))
    assert any("all of it is painted" in note for note in notes.notes)


def test_a_training_on_one_is_refused(root: Path) -> None:
    config = TrainConfig(
        name="mine",
        method="lora",
        base="base-inpaint",
        images=str(root),
        superclass="dog",
        word="<sks>",
    )
    with pytest.raises(IncompatibleModels, match="paints into pictures") as caught:
        check(config, Library((root,))["base-inpaint"])
    assert caught.value.field == "base"
