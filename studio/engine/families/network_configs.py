"""Configs of U-Nets and ControlNets in one file, read from their tensors' names and shapes.

Both namings are read: the original code's (``input_blocks``) and diffusers' own (``down_blocks``).
"""

from __future__ import annotations

import copy
from typing import Any

from studio.library import ModelFamily
from studio.library.family import CONTROL, UNET, FileLayout, Shapes, has

UNION_HEAD_WIDTH = 40  # of a head that weighs a ControlNet Union's maps
HEAD_WIDTH = 64  # of one attention head, where a family does not count the heads
PER_BLOCK = 2  # resnets in a level of the original code
_CROSS, _PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def network_config(shapes: Shapes, family: ModelFamily, layout: FileLayout) -> dict[str, Any]:
    """Config of a ``UNet2DConditionModel``.

    Args:
        shapes: by canonical name (:func:`studio.library.family.shapes_of`).
        layout: the family's whole-model file.

    Raises:
        KeyError: names the tensor that is needed and not there.
    """
    if "down_blocks.0.resnets.0.conv1.weight" in shapes:
        config, attends = _theirs(shapes, layout)
        ups = [has(shapes, f"up_blocks.{n}.attentions.") for n in range(len(attends))]
        last = shapes["conv_out.weight"][0]
    else:
        config, attends = _original(shapes, layout, UNET)
        ups, last = attends[::-1], shapes[f"{UNET}out.2.weight"][0]
    return {
        **config,
        "_class_name": "UNet2DConditionModel",
        "sample_size": family.size // family.latent_factor,
        "out_channels": last,
        "up_block_types": [(_CROSS if one else _PLAIN).format("Up") for one in ups],
    }


def controlnet_config(shapes: Shapes, family: ModelFamily, layout: FileLayout) -> dict[str, Any]:
    """Config of a ``ControlNetModel``; arguments and errors as :func:`network_config`'s."""
    if "down_blocks.0.resnets.0.conv1.weight" in shapes:
        config, _ = _theirs(shapes, layout)
        hint, blocks = (
            "controlnet_cond_embedding.conv_in.weight",
            "controlnet_cond_embedding.blocks",
        )
        # Every second block changes the width.
        wider = [f"{blocks}.{n}.weight" for n in range(1, _count(shapes, f"{blocks}."), 2)]
    else:
        config, _ = _original(shapes, layout, CONTROL)
        hint = f"{CONTROL}input_hint_block.0.weight"
        wider = [f"{CONTROL}input_hint_block.{n}.weight" for n in (4, 8, 12)]
    return {
        **config,
        "_class_name": "ControlNetModel",
        "conditioning_channels": shapes[hint][1],
        "conditioning_embedding_out_channels": [shapes[key][0] for key in (hint, *wider)],
    }


def controlnet_union_config(
    shapes: Shapes, family: ModelFamily, layout: FileLayout
) -> dict[str, Any]:
    """Config of a ``ControlNetUnionModel``; arguments and errors as :func:`network_config`'s."""
    kinds, width = shapes["task_embedding"]
    steps = shapes["control_add_embedding.linear_1.weight"][1] // kinds
    return {
        **controlnet_config(shapes, family, layout),
        "_class_name": "ControlNetUnionModel",
        "num_control_type": kinds,
        "num_trans_channel": width,
        "num_trans_head": max(1, width // UNION_HEAD_WIDTH),
        "num_trans_layer": _count(shapes, "transformer_layes."),
        "num_proj_channel": shapes["spatial_ch_projs.weight"][0],
        "addition_time_embed_dim": steps,
    }


def _original(shapes: Shapes, layout: FileLayout, prefix: str) -> tuple[dict[str, Any], list[bool]]:
    """What both kinds have in the original code's names, and which levels attend to text."""
    attends = ["CrossAttn" in kind for kind in layout.blocks]
    firsts = [1 + level * (PER_BLOCK + 1) for level in range(len(attends))]
    widths = [shapes[f"{prefix}input_blocks.{n}.0.out_layers.3.weight"][0] for n in firsts]
    config = _common(shapes, layout, widths, attends, PER_BLOCK)
    config["in_channels"] = shapes[f"{prefix}input_blocks.0.0.weight"][1]
    if "addition_embed_type" in config:
        embedding = shapes[f"{prefix}label_emb.0.0.weight"]
        config["projection_class_embeddings_input_dim"] = embedding[1]
    return config, attends


def _theirs(shapes: Shapes, layout: FileLayout) -> tuple[dict[str, Any], list[bool]]:
    """The same in diffusers' names; depths are counted, as distilled networks have fewer."""
    levels = range(_count(shapes, "down_blocks."))
    attends = [has(shapes, f"down_blocks.{n}.attentions.") for n in levels]
    widths = [shapes[f"down_blocks.{n}.resnets.0.conv1.weight"][0] for n in levels]
    config = _common(shapes, layout, widths, attends, _count(shapes, "down_blocks.0.resnets."))
    depths = [
        max(1, _count(shapes, f"down_blocks.{n}.attentions.0.transformer_blocks.")) for n in levels
    ]
    config |= {"in_channels": shapes["conv_in.weight"][1], "transformer_layers_per_block": depths}
    if "addition_embed_type" in config:
        embedding = shapes["add_embedding.linear_1.weight"]
        config["projection_class_embeddings_input_dim"] = embedding[1]
    return config, attends


def _common(
    shapes: Shapes, layout: FileLayout, widths: list[int], attends: list[bool], per_block: int
) -> dict[str, Any]:
    context = next((s[1] for k, s in shapes.items() if k.endswith("attn2.to_k.weight")), None)
    if context is None:
        raise KeyError("attn2.to_k.weight")
    return {
        "block_out_channels": widths,
        "layers_per_block": per_block,
        "cross_attention_dim": context,
        "down_block_types": [(_CROSS if one else _PLAIN).format("Down") for one in attends],
        "attention_head_dim": [max(1, width // HEAD_WIDTH) for width in widths],
        **copy.deepcopy(dict(layout.network)),
    }


def _count(shapes: Shapes, prefix: str) -> int:
    """How many numbers follow ``prefix``."""
    return len({key[len(prefix) :].split(".")[0] for key in shapes if key.startswith(prefix)})
