"""Control rows: any number, each with its own map, strength and range, and none beyond its row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image

from studio.engine import Engine
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.support import tiny

SAMPLER = {"steps": 4, "scheduler": "ddim", "seed": 3}


def noise(size: tuple[int, int], mode: str = "RGB", seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.library(folder)
    other = tiny.controlnet(folder / "base/other", pipe.unet, "base")
    for parameter in other.parameters():
        parameter.data.mul_(-0.7)
    other.save_pretrained(folder / "base/other")
    noise((16, 16)).save(folder / "map.png")
    noise((40, 24), seed=1).save(folder / "wide.png")
    noise((30, 70), "L", seed=2).save(folder / "tall.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


def made(engine: Engine, rows: list[dict], **sampler: int) -> list[np.ndarray]:
    preset = validate({"base": "base", "rows": rows, "sampler": {**SAMPLER, **sampler}})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def control(image: str, strength: float, model: str = "base/guide") -> dict:
    return {"control": {"type": "map", "image": image, "strength": strength, "model": model}}


def bound(root: Path, name: str, image: str, strength: float) -> Callable[..., torch.Tensor]:
    """``ε(z, c, map)`` by diffusers' own ControlNet and U-Net, one forward each."""
    net = ControlNetModel.from_pretrained(root / "base" / name)
    pipe = tiny.load(root / "base")
    pixels = np.array(Image.open(root / image).convert("RGB").resize((16, 16), Image.LANCZOS))
    seen = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255.0

    def predict(z: torch.Tensor, t: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        down, mid = net(z, t, text, seen, conditioning_scale=strength, return_dict=False)
        return pipe.unet(
            z, t, text, down_block_additional_residuals=down, mid_block_additional_residual=mid
        ).sample

    return predict


@pytest.mark.parametrize("image", ["map.png", "wide.png", "tall.png"])
def test_diffusers_controlnet_pipeline(engine: Engine, root: Path, image: str) -> None:
    """There the map reaches both halves of CFG: a row that puts it under the null prompt too."""
    pipe = StableDiffusionControlNetPipeline.from_pretrained(
        root / "base",
        controlnet=ControlNetModel.from_pretrained(root / "base/guide"),
        safety_checker=None,
    )
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        "cat",
        Image.open(root / image),
        width=16,
        height=16,
        num_inference_steps=4,
        guidance_scale=7.5,
        controlnet_conditioning_scale=0.7,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    mapped = control(image, 0.7)
    ours = made(
        engine,
        [
            {"prompt": "", "weight": 1.0, **mapped},
            {"prompt": "cat", "weight": 7.5, "reference": {"prompt": ""}, **mapped},
        ],
    )[0]
    assert np.abs(ours - np.asarray(theirs).astype(int)).max() <= 1


def test_residuals_reach_only_their_own_row(engine: Engine, root: Path) -> None:
    """Two maps, two ControlNets, a plain row and a LoRA row, against one forward for each."""
    ours = made(
        engine,
        [
            {"prompt": "cat", "weight": 3.0, **control("map.png", 0.7)},
            {"prompt": "dog", "weight": -2.0, **control("wide.png", 1.4, "base/other")},
            {"prompt": "hat", "weight": 1.5},
            {"prompt": "hat", "weight": 1.0, "model": {"lora": "base/style"}},
        ],
    )[0]
    pipe, styled = tiny.load(root / "base"), tiny.load(root / "base")
    styled.load_lora_weights(root / "base/style")
    null, cat, dog, hat = tiny.encode(pipe, "", "cat", "dog", "hat")
    first = bound(root, "guide", "map.png", 0.7)
    second = bound(root, "other", "wide.png", 1.4)

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = pipe.unet(z, t, null).sample
        return (
            free
            + 3.0 * (first(z, t, cat) - free)
            - 2.0 * (second(z, t, dog) - free)
            + 1.5 * (pipe.unet(z, t, hat).sample - free)
            + 1.0 * (styled.unet(z, t, hat).sample - free)
        )

    assert np.abs(ours - tiny.ddim(pipe, predict)).max() <= 1


def test_a_control_row_in_a_part_of_the_steps(engine: Engine, root: Path) -> None:
    row = {"prompt": "cat", "weight": 3.0, "range": [0.0, 0.5], **control("map.png", 0.7)}
    ours = made(engine, [row])[0]
    pipe = tiny.load(root / "base")
    null, cat = tiny.encode(pipe, "", "cat")
    mapped = bound(root, "guide", "map.png", 0.7)

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = pipe.unet(z, t, null).sample
        return free + 3.0 * (mapped(z, t, cat) - free) if t >= 500 else free

    assert np.abs(ours - tiny.ddim(pipe, predict)).max() <= 1


def test_every_image_of_a_batch_gets_the_map(engine: Engine) -> None:
    rows = [
        {"prompt": "cat", "weight": 3.0, **control("map.png", 0.7)},
        {"prompt": "dog", "weight": 2.0},
    ]
    batch = made(engine, rows, count=3)
    without = made(
        engine, [{k: v for k, v in row.items() if k != "control"} for row in rows], count=3
    )
    for index, image in enumerate(batch):
        assert np.abs(image - made(engine, rows, seed=3 + index)[0]).max() <= 1
        assert np.abs(image - without[index]).max() > 2


def test_strength_zero_is_no_map(engine: Engine) -> None:
    with_map = made(engine, [{"prompt": "cat", "weight": 3.0, **control("map.png", 0.0)}])[0]
    assert np.abs(with_map - made(engine, [{"prompt": "cat", "weight": 3.0}])[0]).max() <= 1


def test_a_damaged_controlnet_is_named(root: Path, tmp_path: Path) -> None:
    from studio.errors import StudioError

    folder = Path(shutil.copytree(root, tmp_path / "models"))
    engine = Engine(device="cpu", library=Library((folder,)), image_roots=[folder])
    made(engine, [{"prompt": "cat"}])
    file = folder / "base/guide/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(StudioError, match="base/guide") as caught:
        made(engine, [{"prompt": "cat", **control("map.png", 1.0)}])
    assert caught.value.field == "rows.0.control.model" and "\n" not in str(caught.value)
    assert made(engine, [{"prompt": "cat"}])
