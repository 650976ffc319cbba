"""ERNIE-Image on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    ErnieImagePipeline,
    ErnieImageTransformer2DModel,
    FlowMatchEulerDiscreteScheduler,
)
from transformers import Mistral3Config, Mistral3Model

from tests.support import tiny_flux2
from tests.support.tiny_sana import SHIFT, tokenizer
from tests.support.tiny_z_image import WIDTH, shaken


def pipeline(folder: Path) -> ErnieImagePipeline:
    """A random pipeline without its prompt enhancer; its autoencoder halves the edges once, and packs."""
    torch.manual_seed(12)
    words = tokenizer()
    transformer = ErnieImageTransformer2DModel(
        in_channels=16,
        out_channels=16,
        hidden_size=16,
        num_attention_heads=2,
        num_layers=1,
        ffn_hidden_size=24,
        text_in_dim=WIDTH,
        rope_axes_dim=(2, 2, 4),
    )
    text = Mistral3Config(
        text_config={
            "model_type": "ministral3",
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
        },
        vision_config={
            "hidden_size": 8,
            "intermediate_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "head_dim": 8,
            "image_size": 28,
        },
    )
    pipe = ErnieImagePipeline(
        transformer=shaken(transformer, 0.4),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT),
        vae=tiny_flux2.autoencoder(),
        text_encoder=shaken(Mistral3Model(text)),
        tokenizer=words,
    )
    pipe.save_pretrained(folder)
    return pipe
