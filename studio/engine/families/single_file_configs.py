"""The configs that a whole-model file leaves out, by family; sizes are read from its header."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from studio.errors import MissingModel
from studio.library import ModelEntry, ModelFamily, family_of
from studio.library.family import UNET, FileLayout, Shapes, canonical, has

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
_HEAD_WIDTH = 64


def configs_of(header: Mapping[str, Any], entry: ModelEntry) -> dict[str, dict[str, Any]]:
    """Config by part of the pipeline, ``scheduler`` among them.

    Args:
        header: of the file, from :func:`studio.library.read_header`.
        entry: its ``family`` and ``prediction``.
    """
    shapes = {
        canonical(key): tuple(value["shape"]) for key, value in header.items() if "shape" in value
    }
    family = family_of(entry.family)
    layout = family.in_file
    if layout is None:
        raise MissingModel(f"{entry.id!r} is one file; {family.title} is read from folders")
    configs = {
        "unet": _unet(shapes, family, layout),
        "vae": _vae(shapes, family),
        "scheduler": {**_SCHEDULER, "prediction_type": entry.prediction or "epsilon"},
    }
    if "ztsnr" in header:
        configs["scheduler"] |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    for part, tower in layout.towers.items():
        prefix = next((p for p in tower.prefixes if has(shapes, p)), tower.prefixes[0])
        configs[part] = (
            _clip(shapes, f"{prefix}transformer.text_model.")
            if tower.names == "clip"
            else _open_clip(shapes, prefix, tower.unused)
        )
    return configs


def _unet(shapes: Shapes, family: ModelFamily, layout: FileLayout) -> dict[str, Any]:
    prefix = UNET
    template = copy.deepcopy(dict(layout.network))
    layers = layout.blocks
    per_block = 2
    widths = [
        shapes[f"{prefix}input_blocks.{1 + level * (per_block + 1)}.0.out_layers.3.weight"][0]
        for level in range(len(layers))
    ]
    context = next(v[1] for k, v in shapes.items() if k.endswith("attn2.to_k.weight"))
    config = {
        "_class_name": "UNet2DConditionModel",
        "sample_size": family.size // family.latent_factor,
        "in_channels": shapes[f"{prefix}input_blocks.0.0.weight"][1],
        "out_channels": shapes[f"{prefix}out.2.weight"][0],
        "block_out_channels": widths,
        "layers_per_block": per_block,
        "cross_attention_dim": context,
        "down_block_types": [kind.format("Down") for kind in layers],
        "up_block_types": [kind.format("Up") for kind in reversed(layers)],
        "attention_head_dim": [max(1, width // _HEAD_WIDTH) for width in widths],
    }
    if "addition_embed_type" in template:
        config["projection_class_embeddings_input_dim"] = shapes[f"{prefix}label_emb.0.0.weight"][1]
    return {**config, **template}


def _vae(shapes: Shapes, family: ModelFamily) -> dict[str, Any]:
    prefix = "first_stage_model."
    widths = []
    while (key := f"{prefix}encoder.down.{len(widths)}.block.0.conv1.weight") in shapes:
        widths.append(shapes[key][0])
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": widths,
        "layers_per_block": 2,
        "latent_channels": shapes.get(
            f"{prefix}post_quant_conv.weight", (4, family.latent_channels)
        )[1],
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "scaling_factor": family.scaling,
    }


def _clip(shapes: Shapes, prefix: str) -> dict[str, Any]:
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


def _open_clip(shapes: Shapes, prefix: str, drop: int) -> dict[str, Any]:
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


def _count(shapes: Shapes, prefix: str, default: int) -> int:
    """How many numbered blocks follow ``prefix``."""
    numbers = {int(key[len(prefix) :].split(".")[0]) for key in shapes if key.startswith(prefix)}
    return len(numbers) or default
