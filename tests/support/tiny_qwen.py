"""Qwen-Image on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
)
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from tests.support.tiny_z_image import WIDTH, chatting, shaken

SEES = {
    "depth": 1,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_heads": 2,
    "out_hidden_size": WIDTH,
}


def autoencoder() -> AutoencoderKLQwenImage:
    """Halves the edges once; each channel has a mean and a deviation."""
    return AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1],
        num_res_blocks=1,
        temperal_downsample=[False],
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.2, 0.8, 1.1, 0.9],
    )


def pipeline(folder: Path) -> QwenImagePipeline:
    """A random pipeline; its autoencoder halves the edges once."""
    torch.manual_seed(9)
    words = chatting()
    transformer = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(2, 2, 4),
    )
    vae = autoencoder()
    text = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
        },
        vision_config=SEES,
    )
    pipe = QwenImagePipeline(
        transformer=shaken(transformer, 0.4),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=1.0),
        vae=vae,
        text_encoder=shaken(Qwen2_5_VLForConditionalGeneration(text)),
        tokenizer=words,
    )
    pipe.save_pretrained(folder)
    return pipe
