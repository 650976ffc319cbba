"""A random pipeline of Stable Diffusion 1.5's shape: speed does not depend on what weights say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH, TOKENS = 768, 77
RANK = 16
_START, _END = "<|startoftext|>", "<|endoftext|>"


def write_pipeline(
    folder: Path, unet: Mapping[str, Any], dtype: torch.dtype, device: str = "cpu"
) -> None:
    """Save a pipeline whose U-Net has the config ``unet`` ({}: SD 1.5's), and a LoRA for it.

    The text tower (one layer) and the VAE are small: neither is part of what is timed. ``device``
    draws the U-Net's weights: 860 million of them take a GPU no time.
    """
    torch.manual_seed(0)
    with torch.device(device):
        network = UNet2DConditionModel(**{"cross_attention_dim": WIDTH, "sample_size": 64, **unet})
    tokenizer = _tokenizer(folder / "tokenizer")
    StableDiffusionPipeline(
        unet=network,
        text_encoder=_text_encoder(tokenizer, network.config.cross_attention_dim),
        tokenizer=tokenizer,
        vae=AutoencoderKL(
            block_out_channels=(32,) * 4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
        ),
        scheduler=DDIMScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            steps_offset=1,
            clip_sample=False,
            set_alpha_to_one=False,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype=dtype).save_pretrained(folder)
    write_lora(folder / "lora", network, dtype)


def write_lora(folder: Path, network: nn.Module, dtype: torch.dtype) -> None:
    """A LoRA of rank 16 on every projection of the attentions."""
    folder.mkdir(parents=True)
    state = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            up, down = module.weight.shape
            state[f"unet.{name}.lora_A.weight"] = torch.randn(RANK, down).to(dtype) / down**0.5
            state[f"unet.{name}.lora_B.weight"] = torch.randn(up, RANK).to(dtype) / 100
    save_file(state, folder / "pytorch_lora_weights.safetensors")
    (folder / "card.json").write_text(json.dumps({"base": folder.parent.name}))


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """One token a letter: the benchmark's prompts need no more."""
    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), _START, _END]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}))
    merges.write_text("#version: 0.2\n")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=TOKENS)


def _text_encoder(tokenizer: CLIPTokenizer, width: int) -> CLIPTextModel:
    ids: Any = tokenizer  # its ids are single numbers, where the annotation allows lists
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=width,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=TOKENS,
            bos_token_id=ids.bos_token_id,
            eos_token_id=ids.eos_token_id,
            pad_token_id=ids.pad_token_id,
        )
    )
