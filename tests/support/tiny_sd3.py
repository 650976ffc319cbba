"""Stable Diffusion 3 on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
)

from tests.support import tiny
from tests.support.tiny_sana import SHIFT, tokenizer

WIDTH, T5_WIDTH = 8, 24


def clip_config(words: CLIPTokenizer) -> CLIPTextConfig:
    """Of a CLIP of :data:`WIDTH` that reads 24 tokens."""
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=WIDTH,
        max_position_embeddings=24,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )


def t5(words: Any) -> T5EncoderModel:
    """A T5 of :data:`T5_WIDTH`."""
    config = T5Config(
        vocab_size=len(words), d_model=T5_WIDTH, d_kv=4, d_ff=16, num_layers=1, num_heads=2
    )
    return T5EncoderModel(config)


def autoencoder() -> AutoencoderKL:
    """It halves the edges once; its latents are moved before they are scaled."""
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=1.5305,
        shift_factor=0.0609,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def pipeline(folder: Path, with_t5: bool = True) -> StableDiffusion3Pipeline:
    """A random pipeline; its autoencoder halves the edges once, its network takes two positions together."""
    torch.manual_seed(3)
    letters, words = tiny._tokenizer(folder / "_tokenizer"), tokenizer()
    first, second = (CLIPTextModelWithProjection(clip_config(letters)) for _ in range(2))
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=T5_WIDTH,
        caption_projection_dim=16,
        pooled_projection_dim=2 * WIDTH,
        out_channels=4,
        pos_embed_max_size=16,
    )
    for parameter in transformer.parameters():  # some begin at zero, and would hide what a row does
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    pipe = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT),
        vae=autoencoder(),
        text_encoder=first,
        tokenizer=letters,
        text_encoder_2=second,
        tokenizer_2=letters,
        text_encoder_3=t5(words) if with_t5 else None,
        tokenizer_3=words if with_t5 else None,
    )
    pipe.save_pretrained(folder)
    return pipe
