"""Tiny random models in the libraries' own formats, for tests of logic rather than of pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH = 16


def unet(seed: int = 0, width: int = WIDTH, **more: Any) -> UNet2DConditionModel:
    """A two-level U-Net of a few thousand parameters, latents 4×8×8, text ``width`` wide."""
    torch.manual_seed(seed)
    config = {
        "sample_size": 8,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (8, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": width,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**config, **more})


def _tokenizer(folder: Path) -> CLIPTokenizer:
    folder.mkdir(parents=True, exist_ok=True)
    words = ["<|startoftext|>", "<|endoftext|>"]
    letters = [chr(c) for c in range(33, 127)]
    vocab = {t: i for i, t in enumerate([*letters, *(x + "</w>" for x in letters), *words])}
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=24
    )


def pipeline(
    folder: Path,
    seed: int = 0,
    prediction: str = "epsilon",
    spacing: str = "trailing",
    width: int = WIDTH,
    **more: Any,
) -> StableDiffusionPipeline:
    """A whole random pipeline saved at ``folder``; text tower and VAE never depend on ``seed``.

    ``width``: of the text's states. ``more``: of the U-Net's config.
    """
    torch.manual_seed(99)
    tokenizer = _tokenizer(folder / "_tokenizer")
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=24,
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
        scaling_factor=0.5,
    )
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type=prediction,
        timestep_spacing=spacing,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    pipe = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet(seed, width, **more),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    pipe.save_pretrained(folder)
    return pipe


def controlnet(folder: Path, source: UNet2DConditionModel, base: str) -> ControlNetModel:
    """A random ControlNet whose residuals are not zero, for latents half the picture's edge."""
    torch.manual_seed(5)
    net = ControlNetModel.from_unet(source, conditioning_embedding_out_channels=(4, 8))
    for parameter in net.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.05)
    net.save_pretrained(folder)
    (folder / "card.json").write_text(json.dumps({"base": base, "control": "map"}))
    return net


def lora(folder: Path, network: UNet2DConditionModel, seed: int = 1, scale: float = 0.3) -> dict:
    """A LoRA on every attention projection and one convolution, in diffusers' file format.

    Returns the weight change Δ by parameter name.
    """
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig, get_peft_model_state_dict

    torch.manual_seed(seed)
    copy = UNet2DConditionModel.from_config(network.config)
    copy.load_state_dict(network.state_dict())
    copy.add_adapter(
        LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k", "to_v", "to_out.0", "conv1"])
    )
    for name, parameter in copy.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter) * scale
    state = convert_state_dict_to_diffusers(get_peft_model_state_dict(copy))
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=state)
    delta = {}
    for name, module in copy.named_modules():
        if hasattr(module, "lora_A") and "default" in getattr(module, "lora_A", {}):
            delta[name + ".weight"] = module.get_delta_weight("default").detach().clone()
    return delta


def library(folder: Path) -> StableDiffusionPipeline:
    """A base with a ControlNet (``base/guide``) and a LoRA (``base/style``); returns the base."""
    pipe = pipeline(folder / "base")
    controlnet(folder / "base/guide", pipe.unet, "base")
    lora(folder / "base/style", pipe.unet)
    return pipe


def load(folder: Path) -> StableDiffusionPipeline:
    """A saved pipeline, silent."""
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def encode(pipe: StableDiffusionPipeline, *prompts: str) -> list[torch.Tensor]:
    """Each prompt's states by the pipeline's own encoding, (1, tokens, width)."""
    return [pipe.encode_prompt(prompt, "cpu", 1, False)[0] for prompt in prompts]


@torch.no_grad()
def ddim(
    pipe: StableDiffusionPipeline,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    steps: int = 4,
    seed: int = 3,
) -> np.ndarray:
    """The picture that ``predict(z, t)`` leads to, as a plain loop over diffusers' scheduler.

    Returns:
        pixels (height, width, 3) in 0 … 255, as integers that can be subtracted.
    """
    scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(steps)
    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(seed))
    for t in scheduler.timesteps:
        z = scheduler.step(predict(z, t), t, z).prev_sample
    image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    return ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)
