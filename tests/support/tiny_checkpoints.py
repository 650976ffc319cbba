"""Parts of whole models with each family's topology and tiny widths, and files of single parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from studio.engine.families import single_file
from tests.support import tiny_files, tiny_pictures

CROSS = "CrossAttn{}Block2D"
PLAIN = "{}Block2D"
PROMPT, SIZE = "a photo of a cat, sharp", 64


def unet(family: str, channels: int = 4) -> UNet2DConditionModel:
    """The family's topology with tiny widths."""
    xl = family == "sdxl"
    layers = (PLAIN, CROSS, CROSS) if xl else (CROSS, CROSS, CROSS, PLAIN)
    extra: dict[str, Any] = (
        {"attention_head_dim": 8}
        if family == "sd1"
        else {"attention_head_dim": 1, "use_linear_projection": True}
    )
    if xl:
        extra |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 32 + 6 * 256,
            "transformer_layers_per_block": [1, 2, 10],
        }
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        block_out_channels=(*(32,) * (len(layers) - 2), 64, 64),
        down_block_types=[kind.format("Down") for kind in layers],
        up_block_types=[kind.format("Up") for kind in reversed(layers)],
        cross_attention_dim=64 if xl else 32,
        **extra,
    )


def tower(kind: type, activation: str, pad: int) -> Any:
    return kind(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=1,
            hidden_act=activation,
            projection_dim=32,
            pad_token_id=pad,
            bos_token_id=49406,
            eos_token_id=49407,
        )
    )


def parts(family: str) -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    found = {
        "unet": unet(family),
        "vae": AutoencoderKL(
            block_out_channels=(32,) * 4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            layers_per_block=2,
            scaling_factor=0.13025 if family == "sdxl" else 0.18215,
        ),
    }
    clip = family != "sd2"
    found["text_encoder"] = tower(CLIPTextModel, "quick_gelu" if clip else "gelu", 1 if clip else 0)
    if family == "sdxl":
        found["text_encoder_2"] = tower(CLIPTextModelWithProjection, "gelu", 0)
    return found


def scheduler(prediction: str) -> DDIMScheduler:
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        clip_sample=False,
        set_alpha_to_one=False,
        prediction_type=prediction,
    )


def pipeline(family: str, networks: dict[str, torch.nn.Module], prediction: str = "epsilon") -> Any:
    """diffusers' own pipeline of the parts."""
    clip, open_clip = single_file._clip_tokenizer("<|endoftext|>"), single_file._clip_tokenizer("!")
    common = {**networks, "scheduler": scheduler(prediction)}
    if family == "sdxl":
        return StableDiffusionXLPipeline(**common, tokenizer=clip, tokenizer_2=open_clip)
    return StableDiffusionPipeline(
        **common,
        tokenizer=open_clip if family == "sd2" else clip,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def theirs(
    family: str, networks: dict[str, torch.nn.Module], prediction: str = "epsilon"
) -> np.ndarray:
    """The picture of diffusers' own pipeline of the parts."""
    return tiny_pictures.theirs(pipeline(family, networks, prediction), PROMPT, SIZE)


def ours(root: Path, base: str, **fields: Any) -> np.ndarray:
    """The engine's picture of the same prompt."""
    row = {"prompt": PROMPT, "weight": tiny_pictures.SCALE, **fields.pop("row", {})}
    return tiny_pictures.ours(root, base, SIZE, rows=[row], **fields)


def controlnet(family: str) -> ControlNetModel:
    """A random ControlNet of the family's topology whose residuals are not zero."""
    torch.manual_seed(5)
    net = ControlNetModel.from_unet(
        unet(family), conditioning_embedding_out_channels=(16, 32, 96, 256)
    )
    for parameter in net.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.02)
    return net


def original_controlnet(net: ControlNetModel) -> dict[str, torch.Tensor]:
    """Its tensors in the original code's names, as ``control_v11p_sd15_canny`` has them."""
    levels = len(net.config.block_out_channels)
    state = {}
    for key, value in net.state_dict().items():
        module, _, kind = key.rpartition(".")
        if match := re.match(r"controlnet_down_blocks\.(\d+)", module):
            name = f"zero_convs.{match[1]}.0"
        elif module == "controlnet_mid_block":
            name = "middle_block_out.0"
        elif match := re.match(r"controlnet_cond_embedding\.blocks\.(\d+)", module):
            name = f"input_hint_block.{2 * int(match[1]) + 2}"
        elif module.startswith("controlnet_cond_embedding."):
            name = f"input_hint_block.{0 if module.endswith('conv_in') else 14}"
        else:
            name = tiny_files.unet_name(module, levels)
        state[f"control_model.{name}.{kind}"] = value.clone().contiguous()
    return state


def save(state: dict[str, torch.Tensor], path: Path) -> None:
    """A safetensors file of ``state``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in state.items()}, path)
