"""A random pipeline of a few thousand weights with a LoRA: so small that a thousand runs take minutes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import torch

from studio.bench.random_models import write_lora, write_pipeline
from studio.hard.watch import Watch

EDGE = 64  # pixels, of latents of 8²
_UNET = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 1,
    "cross_attention_dim": 16,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}


@lru_cache(maxsize=1)
def models() -> Path:
    """A folder with ``tiny``, ``tiny/lora`` and ``tuned``, kept while the process runs."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="studio-tiny-"))
    atexit.register(shutil.rmtree, folder, True)
    Watch.allow(folder)
    write_pipeline(folder / "tiny", _UNET, torch.float32)
    torch.manual_seed(1)
    shutil.copytree(folder / "tiny", folder / "tuned")
    shutil.rmtree(folder / "tuned/lora")
    _changed(folder / "tuned/unet/diffusion_pytorch_model.safetensors")
    return folder


def another_lora(folder: Path) -> None:
    """A LoRA for ``tiny`` in a folder of its own."""
    from diffusers import UNet2DConditionModel

    network = UNet2DConditionModel.from_pretrained(models() / "tiny/unet")
    write_lora(folder, network, torch.float32)


def _changed(file: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(file)
    save_file({name: w + 0.02 * torch.randn_like(w) for name, w in state.items()}, file)
