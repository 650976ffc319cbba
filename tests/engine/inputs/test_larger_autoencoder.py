"""An autoencoder that makes more pixels of a latent than the base's own: the same latents, larger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from studio.engine.inputs.passes import resized
from studio.errors import BadPreset
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, ours

ROW = {"prompt": "a cat", "weight": SCALE}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tiny.library(tmp_path)
    torch.manual_seed(9)
    large = AutoencoderKL(
        block_out_channels=(4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=2,
        scaling_factor=0.5,
    )
    large.save_pretrained(tmp_path / "large")
    checks = np.indices((32, 32)).sum(0) // 8 % 2 * 255
    Image.fromarray(np.uint8(checks)).convert("RGB").save(tmp_path / "map.png")
    return tmp_path


def theirs(root: Path, pipe: Any, **more: Any) -> np.ndarray:
    """diffusers' latents at the base's own size, decoded by the larger autoencoder."""
    pipe.set_progress_bar_config(disable=True)
    latents = pipe(
        "a cat",
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        width=16,
        height=16,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
        **more,
    ).images
    large = AutoencoderKL.from_pretrained(root / "large")
    with torch.no_grad():
        pixels = large.decode(latents / 0.5).sample[0].permute(1, 2, 0)
    return (pixels / 2 + 0.5).clamp(0, 1).mul(255).round().numpy().astype(int)


def test_the_picture_is_that_of_the_same_latents(root: Path) -> None:
    found = ours(root, vae="large", rows=[ROW])
    assert found.shape == (32, 32, 3)
    assert difference(found, theirs(root, tiny.load(root / "base"))) <= 1
    assert ours(root, rows=[ROW]).shape == (16, 16, 3)


def test_one_inside_its_base_keeps_its_own_factor(root: Path) -> None:
    (root / "large").rename(root / "base" / "fine")
    assert ours(root, vae="base/fine", rows=[ROW]).shape == (32, 32, 3)


def test_a_control_map_is_read_at_the_size_that_its_network_knows(root: Path) -> None:
    with Image.open(root / "map.png") as image:
        pixels, small = (
            np.asarray(one, np.float32) / 255
            for one in (image, image.resize((16, 16), Image.Resampling.BOX))
        )
    found = resized(torch.from_numpy(pixels).permute(2, 0, 1)[None], 2, 4)
    assert np.allclose(found[0].permute(1, 2, 0).numpy(), small, atol=1 / 255)  # Pillow rounds
    assert resized(found, 2, 2) is found  # of the base's own factor
    row = ROW | {"control": {"type": "map", "image": "map.png"}}
    under = ours(root, vae="large", rows=[row])
    assert under.shape == (32, 32, 3)
    assert difference(under, ours(root, vae="large", rows=[ROW])) > 3


def test_sizes_are_multiples_of_its_own(root: Path) -> None:
    with pytest.raises(BadPreset, match="must be a multiple of 4"):
        ours(root, vae="large", rows=[ROW], size=18)
