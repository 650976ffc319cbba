"""Layers of transformers by the names of the original code, which keeps some as one.

A file of FLUX.1 or Stable Diffusion 3 in the original names changes one matrix, such as
``double_blocks.0.img_attn.qkv``, whose rows are those of ``to_q``, ``to_k`` and ``to_v`` one after
another. The change is found for the whole matrix, whatever the kind of adapter, and its rows go to
the layers that hold them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.adapters.changes import Change, Delta
from studio.engine.networks.rounded import unfolded

AND = "+"  # between the names of layers that are one in the original code
_IMAGE, _TEXT = ("to_q", "to_k", "to_v"), ("add_q_proj", "add_k_proj", "add_v_proj")


def _attention(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"attn.{name}" for name in names)


_KREA = {
    "attn.wq": ("attn.to_q",),
    "attn.wk": ("attn.to_k",),
    "attn.wv": ("attn.to_v",),
    "attn.wo": ("attn.to_out.0",),
    "attn.gate": ("attn.to_gate",),
    "mlp.gate": ("ff.gate",),
    "mlp.up": ("ff.up",),
    "mlp.down": ("ff.down",),
}
# Blocks of the original code → diffusers' blocks, and layers within them.
_BLOCKS: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("double_blocks", "transformer_blocks"): {
        "img_attn.qkv": _attention(_IMAGE),
        "txt_attn.qkv": _attention(_TEXT),
        "img_attn.proj": ("attn.to_out.0",),
        "txt_attn.proj": ("attn.to_add_out",),
        "img_mlp.0": ("ff.net.0.proj",),
        "img_mlp.2": ("ff.net.2",),
        "txt_mlp.0": ("ff_context.net.0.proj",),
        "txt_mlp.2": ("ff_context.net.2",),
        "img_mod.lin": ("norm1.linear",),
        "txt_mod.lin": ("norm1_context.linear",),
    },
    ("single_blocks", "single_transformer_blocks"): {
        "linear1": (*_attention(_IMAGE), "proj_mlp"),
        "linear2": ("proj_out",),
        "modulation.lin": ("norm.linear",),
    },
    ("joint_blocks", "transformer_blocks"): {
        "x_block.attn.qkv": _attention(_IMAGE),
        "context_block.attn.qkv": _attention(_TEXT),
        "x_block.attn.proj": ("attn.to_out.0",),
        "context_block.attn.proj": ("attn.to_add_out",),
        "x_block.mlp.fc1": ("ff.net.0.proj",),
        "x_block.mlp.fc2": ("ff.net.2",),
        "context_block.mlp.fc1": ("ff_context.net.0.proj",),
        "context_block.mlp.fc2": ("ff_context.net.2",),
        "x_block.adaLN_modulation.1": ("norm1.linear",),
        "context_block.adaLN_modulation.1": ("norm1_context.linear",),
    },
    ("blocks", "transformer_blocks"): _KREA,
    ("txtfusion.layerwise_blocks", "text_fusion.layerwise_blocks"): _KREA,
    ("txtfusion.refiner_blocks", "text_fusion.refiner_blocks"): _KREA,
}
_ALONE = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "first": "img_in",
    "last.linear": "final_layer.linear",
    "tmlp.0": "time_embed.linear_1",
    "tmlp.2": "time_embed.linear_2",
    "tproj.1": "time_mod_proj",
    "txtmlp.1": "txt_in.linear_1",
    "txtmlp.3": "txt_in.linear_2",
    "txtfusion.projector": "text_fusion.projector",
}


def original_names(network: nn.Module) -> Iterator[tuple[str, str]]:
    """(layers joined by :data:`AND`, their name in the original code) of such a transformer."""
    if not hasattr(network, "transformer_blocks"):
        return
    modules: dict[str, Any] = dict(network.named_modules())
    layers = {name for name, m in modules.items() if getattr(m, "weight", None) is not None}
    for (theirs, ours), inner in _BLOCKS.items():
        for number in range(len(modules.get(ours, ()))):
            for name, within in inner.items():
                found = [f"{ours}.{number}.{one}" for one in within]
                if layers.issuperset(found):
                    yield AND.join(found), f"{theirs}.{number}.{name}"
    yield from ((layer, name) for name, layer in _ALONE.items() if layer in layers)


class Together(nn.Module):
    """Layers as the one that they are in the original code: their outputs one after another."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        weights = [unfolded(layer.weight).detach() for layer in layers]
        self.weight = nn.Parameter(torch.cat(weights), requires_grad=False)
        biases = [layer.bias for layer in layers if isinstance(layer.bias, Tensor)]
        whole = len(biases) == len(layers)
        self.bias = torch.cat([bias.detach() for bias in biases]) if whole else None
        self.rows = [len(weight) for weight in weights]

    def apart(self, delta: Delta) -> list[Delta]:
        """The change of each layer, from that of all."""
        biases: Sequence[Tensor | None] = (
            [None] * len(self.rows) if delta.bias is None else delta.bias.split(self.rows)
        )
        weights = self._weights(delta.weight)
        return [Delta(weight, bias) for weight, bias in zip(weights, biases, strict=True)]

    def _weights(self, change: Change | None) -> Sequence[Change | None]:
        if change is None:
            return [None] * len(self.rows)
        if isinstance(change, Tensor):
            return [part.contiguous() for part in change.split(self.rows)]
        down, up = change
        return [(down, part.contiguous()) for part in up.split(self.rows)]
