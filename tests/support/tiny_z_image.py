"""Z-Image on a tiny random pipeline in diffusers' own format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
from transformers import Qwen3Config, Qwen3Model

from tests.support import tiny_sd3
from tests.support.tiny_sana import SHIFT, tokenizer

WIDTH = 16
CHAT = "{% for one in messages %}<bos>{{ one['content'] }}<eos>{% endfor %}"


def chatting() -> Any:
    """One token a character, in a template of a conversation."""
    words = tokenizer()
    words.chat_template = CHAT
    words.padding_side = "right"
    return words


def qwen(words: Any, layers: int = 2) -> Qwen3Config:
    """A language model of :data:`WIDTH`."""
    return Qwen3Config(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )


def shaken(network: torch.nn.Module, by: float = 0.1) -> Any:
    """``network`` with no layer at zero, which would hide what a row does."""
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * by)
    return network


def pipeline(folder: Path) -> ZImagePipeline:
    """A random pipeline; its autoencoder halves the edges once."""
    torch.manual_seed(6)
    words = chatting()
    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=16,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[2, 2, 4],
        axes_lens=[600, 64, 64],
    )
    pipe = ZImagePipeline(
        transformer=shaken(transformer),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=SHIFT),
        vae=tiny_sd3.autoencoder(),
        text_encoder=Qwen3Model(qwen(words)),
        tokenizer=words,
    )
    pipe.save_pretrained(folder)
    return pipe
