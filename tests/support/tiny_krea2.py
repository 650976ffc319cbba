"""Krea 2 on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, Krea2Pipeline, Krea2Transformer2DModel
from transformers import Qwen3VLConfig, Qwen3VLModel

from tests.support import tiny_qwen
from tests.support.tiny_z_image import WIDTH, chatting, shaken

LAYERS = 35  # of the text's states twelve are read, the last after the 35th layer


def transformer() -> Krea2Transformer2DModel:
    """One block of each kind, as it begins."""
    return Krea2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=16,
        timestep_embed_dim=8,
        text_hidden_dim=WIDTH,
        text_num_attention_heads=2,
        text_num_key_value_heads=1,
        text_intermediate_size=16,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(2, 2, 4),
    )


def pipeline(folder: Path, distilled: bool = False) -> Krea2Pipeline:
    """A random pipeline; its autoencoder halves the edges once."""
    torch.manual_seed(13)
    words = chatting()
    network = transformer()
    text = Qwen3VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 16,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "rope_scaling": {"rope_type": "default", "mrope_section": [2, 1, 1]},
        },
        vision_config={**tiny_qwen.SEES, "deepstack_visual_indexes": []},
    )
    pipe = Krea2Pipeline(
        transformer=shaken(network, 0.5),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=1.0),
        vae=tiny_qwen.autoencoder(),
        text_encoder=shaken(Qwen3VLModel(text)),
        tokenizer=words,
        is_distilled=distilled,
    )
    pipe.save_pretrained(folder)
    return pipe
