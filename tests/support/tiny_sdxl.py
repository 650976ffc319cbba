"""Stable Diffusion XL on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.support import tiny

WIDTHS = (16, 20)


def unet() -> UNet2DConditionModel:
    """A U-Net of two levels that is told of pooled text and size."""
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        cross_attention_dim=sum(WIDTHS),
        attention_head_dim=(1, 2),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 2),
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=WIDTHS[1] + 6 * 4,
    )


def pipeline(folder: Path, zeros: bool = True) -> StableDiffusionXLPipeline:
    """A random XL pipeline of two levels whose towers have different widths."""
    torch.manual_seed(1)
    tokenizer = tiny._tokenizer(folder / "_tokenizer")

    def tower(kind: type, width: int) -> Any:
        return kind(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=width,
                intermediate_size=24,
                num_hidden_layers=3,
                num_attention_heads=2,
                max_position_embeddings=24,
                projection_dim=width,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )

    vae = AutoencoderKL(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=16,
        scaling_factor=0.13025,
    )
    pipe = StableDiffusionXLPipeline(
        vae=vae,
        unet=unet(),
        text_encoder=tower(CLIPTextModel, WIDTHS[0]),
        text_encoder_2=tower(CLIPTextModelWithProjection, WIDTHS[1]),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        force_zeros_for_empty_prompt=zeros,
        scheduler=DDIMScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
    )
    pipe.set_progress_bar_config(disable=True)
    pipe.save_pretrained(folder)
    return pipe


def load(root: Path, name: str = "xl") -> StableDiffusionXLPipeline:
    pipe = StableDiffusionXLPipeline.from_pretrained(root / name)
    pipe.set_progress_bar_config(disable=True)
    return pipe
