"""The configs that a whole-model file leaves out, by family; sizes are read from its header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.families.network_configs import HEAD_WIDTH, network_config
from studio.errors import MissingModel
from studio.extensions import placed
from studio.library import ModelEntry, ModelFamily, family_of
from studio.library.control_networks import CONTROL_NETWORKS, PLAIN
from studio.library.family import VAE, Shapes, has, shapes_of
from studio.library.noise import IN_ONE_FILE, ZERO_SNR


def configs_of(header: Mapping[str, Any], entry: ModelEntry) -> dict[str, dict[str, Any]]:
    """Config by part of the pipeline, ``scheduler`` among them.

    Args:
        header: of the file, from :func:`studio.library.read_header`.
        entry: its ``family`` and ``prediction``.
    """
    shapes = shapes_of(header)
    family = family_of(entry.family)
    layout = family.in_file
    if layout is None:
        raise MissingModel(f"{entry.id!r} is one file; {family.title} is read from folders")
    if entry.kind == "controlnet":
        read = placed(CONTROL_NETWORKS[entry.form or PLAIN].in_file)
        return {"": read(shapes, family, layout)}
    if entry.kind == "vae":
        return {"vae": _vae(shapes, family)}
    configs = {
        "unet": network_config(shapes, family, layout),
        "vae": _vae(shapes, family),
        "scheduler": {**IN_ONE_FILE, "prediction_type": entry.prediction or family.predicts[0]},
    }
    if "ztsnr" in header:
        configs["scheduler"] |= ZERO_SNR
    for part, tower in layout.towers.items():
        prefix = next((p for p in tower.prefixes if has(shapes, p)), tower.prefixes[0])
        configs[part] = (
            _clip(shapes, f"{prefix}transformer.text_model.")
            if tower.names == "clip"
            else _open_clip(shapes, prefix, tower.unused)
        )
    return configs


def _vae(shapes: Shapes, family: ModelFamily) -> dict[str, Any]:
    """An autoencoder's, in either naming."""
    names = (
        f"{VAE}encoder.down.{{}}.block.0.conv1.weight",
        "encoder.down_blocks.{}.resnets.0.conv1.weight",
    )
    widths = []
    while key := next(
        (n.format(len(widths)) for n in names if n.format(len(widths)) in shapes), ""
    ):
        widths.append(shapes[key][0])
    latent = next(
        (
            shapes[k][1]
            for k in (f"{VAE}decoder.conv_in.weight", "decoder.conv_in.weight")
            if k in shapes
        ),
        family.latent_channels,
    )
    quant = has(shapes, f"{VAE}post_quant_conv.", "post_quant_conv.") or not widths
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": widths,
        "layers_per_block": 2,
        "latent_channels": latent,
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "scaling_factor": family.scaling,
        "use_quant_conv": quant,
        "use_post_quant_conv": quant,
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
        "num_attention_heads": max(1, hidden // HEAD_WIDTH),
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
