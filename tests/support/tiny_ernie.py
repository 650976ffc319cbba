"""ERNIE-Image on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    ErnieImagePipeline,
    ErnieImageTransformer2DModel,
    FlowMatchEulerDiscreteScheduler,
)
from transformers import Mistral3Model

from tests.support import tiny_flux2
from tests.support.tiny_mistral import config
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
    pipe = ErnieImagePipeline(
        transformer=shaken(transformer, 0.4),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT),
        vae=tiny_flux2.autoencoder(),
        text_encoder=shaken(Mistral3Model(config(len(words), layers=2, kind="ministral3"))),
        tokenizer=words,
    )
    pipe.save_pretrained(folder)
    return pipe
