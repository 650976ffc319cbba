"""FLUX.1 on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from transformers import CLIPTextModel

from tests.support import tiny, tiny_sd3
from tests.support.tiny_sana import tokenizer


def pipeline(folder: Path, guided: bool = True, heads: int = 2) -> FluxPipeline:
    """A random pipeline; ``guided``: its network takes a distilled guidance, as [dev]'s does.

    ``heads``: of eight numbers each, the network's width.
    """
    torch.manual_seed(5)
    letters, words = tiny._tokenizer(folder / "_tokenizer"), tokenizer()
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=heads,
        joint_attention_dim=tiny_sd3.T5_WIDTH,
        pooled_projection_dim=tiny_sd3.WIDTH,
        guidance_embeds=guided,
        axes_dims_rope=(2, 2, 4),
    )
    for parameter in transformer.parameters():  # some begin at zero, and would hide what a row does
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    pipe = FluxPipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=tiny_sd3.autoencoder(),
        text_encoder=CLIPTextModel(tiny_sd3.clip_config(letters)),
        tokenizer=letters,
        text_encoder_2=tiny_sd3.t5(words),
        tokenizer_2=words,
    )
    pipe.save_pretrained(folder)
    return pipe
