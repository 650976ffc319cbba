"""The configs that a whole-model file leaves out, by family; sizes are read from its header."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from studio.library import ModelEntry

_CROSS, _PLAIN = "CrossAttn{}Block2D", "{}Block2D"
_SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "timestep_spacing": "leading",
    "prediction_type": "epsilon",
}
_UNET = {
    "sd1": {"layers": (_CROSS, _CROSS, _CROSS, _PLAIN), "attention_head_dim": 8},
    "sd2": {"layers": (_CROSS, _CROSS, _CROSS, _PLAIN), "use_linear_projection": True},
    "sdxl": {
        "layers": (_PLAIN, _CROSS, _CROSS),
        "use_linear_projection": True,
        "transformer_layers_per_block": [1, 2, 10],
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
    },
}
_SCALING = {"sd1": 0.18215, "sd2": 0.18215, "sdxl": 0.13025}
_HEAD_WIDTH = 64


def configs_of(header: Mapping[str, Any], entry: ModelEntry) -> dict[str, dict[str, Any]]:
    """Config by part of the pipeline, ``scheduler`` among them.

    Args:
        header: of the file, from :func:`studio.library.read_header`.
        entry: its ``family`` and ``prediction``.
    """
    shapes = {key: tuple(value["shape"]) for key, value in header.items() if "shape" in value}
    family = entry.family
    configs = {
        "unet": _unet(shapes, family),
        "vae": _vae(shapes, family),
        "scheduler": {**_SCHEDULER, "prediction_type": entry.prediction or "epsilon"},
    }
    if "ztsnr" in header:
        configs["scheduler"] |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    if family == "sd2":
        # The network was trained on the last layer but one, so the last is not even loaded.
        configs["text_encoder"] = _open_clip(shapes, "cond_stage_model.model.", drop=1)
    elif family == "sdxl":
        configs["text_encoder"] = _clip(shapes, "conditioner.embedders.0.transformer.text_model.")
        configs["text_encoder_2"] = _open_clip(shapes, "conditioner.embedders.1.model.", drop=0)
    else:
        configs["text_encoder"] = _clip(shapes, "cond_stage_model.transformer.text_model.")
    return configs


_Shapes = Mapping[str, tuple[int, ...]]


def _unet(shapes: _Shapes, family: str) -> dict[str, Any]:
    prefix = "model.diffusion_model."
    template = copy.deepcopy(_UNET[family])
    layers = template.pop("layers")
    per_block = 2
    widths = [
        shapes[f"{prefix}input_blocks.{1 + level * (per_block + 1)}.0.out_layers.3.weight"][0]
        for level in range(len(layers))
    ]
    context = next(v[1] for k, v in shapes.items() if k.endswith("attn2.to_k.weight"))
    config = {
        "_class_name": "UNet2DConditionModel",
        "sample_size": 64 if family == "sd1" else 96,
        "in_channels": shapes[f"{prefix}input_blocks.0.0.weight"][1],
        "out_channels": shapes[f"{prefix}out.2.weight"][0],
        "block_out_channels": widths,
        "layers_per_block": per_block,
        "cross_attention_dim": context,
        "down_block_types": [kind.format("Down") for kind in layers],
        "up_block_types": [kind.format("Up") for kind in reversed(layers)],
        "attention_head_dim": [max(1, width // _HEAD_WIDTH) for width in widths],
    }
    if family == "sdxl":
        config["sample_size"] = 128
        config["projection_class_embeddings_input_dim"] = shapes[f"{prefix}label_emb.0.0.weight"][1]
    return {**config, **template}


def _vae(shapes: _Shapes, family: str) -> dict[str, Any]:
    prefix = "first_stage_model."
    widths = []
    while (key := f"{prefix}encoder.down.{len(widths)}.block.0.conv1.weight") in shapes:
        widths.append(shapes[key][0])
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": widths,
        "layers_per_block": 2,
        "latent_channels": shapes.get(f"{prefix}post_quant_conv.weight", (4, 4))[1],
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "scaling_factor": _SCALING[family],
    }


def _clip(shapes: _Shapes, prefix: str) -> dict[str, Any]:
    """OpenAI's CLIP text tower in transformers' own names."""
    vocabulary, hidden = shapes.get(f"{prefix}embeddings.token_embedding.weight", (49408, 768))
    return _tower(
        vocabulary,
        hidden,
        activation="quick_gelu",
        pad=1,
        positions=shapes.get(f"{prefix}embeddings.position_embedding.weight", (77,))[0],
        intermediate=shapes.get(f"{prefix}encoder.layers.0.mlp.fc1.weight", (3072,))[0],
        layers=_count(shapes, f"{prefix}encoder.layers.", 12),
    )


def _open_clip(shapes: _Shapes, prefix: str, drop: int) -> dict[str, Any]:
    """OpenCLIP's text tower, whose names diffusers converts."""
    vocabulary, hidden = shapes.get(f"{prefix}token_embedding.weight", (49408, 1024))
    blocks = f"{prefix}transformer.resblocks."
    config = _tower(
        vocabulary,
        hidden,
        activation="gelu",
        pad=0,
        positions=shapes.get(f"{prefix}positional_embedding", (77,))[0],
        intermediate=shapes.get(f"{blocks}0.mlp.c_fc.weight", (4096,))[0],
        layers=_count(shapes, blocks, 24) - drop,
    )
    return {**config, "projection_dim": shapes.get(f"{prefix}text_projection", (0, hidden))[1]}


def _tower(
    vocabulary: int,
    hidden: int,
    *,
    activation: str,
    pad: int,
    positions: int,
    intermediate: int,
    layers: int,
) -> dict[str, Any]:
    return {
        "model_type": "clip_text_model",
        "architectures": ["CLIPTextModel"],
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, hidden // _HEAD_WIDTH),
        "max_position_embeddings": positions,
        "hidden_act": activation,
        "pad_token_id": pad,
        "bos_token_id": 49406,
        "eos_token_id": 49407,
        "projection_dim": hidden,
    }


def _count(shapes: _Shapes, prefix: str, default: int) -> int:
    """How many numbered blocks follow ``prefix``."""
    numbers = {int(key[len(prefix) :].split(".")[0]) for key in shapes if key.startswith(prefix)}
    return len(numbers) or default
