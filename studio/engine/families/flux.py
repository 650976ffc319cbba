"""FLUX.1: a flow, a transformer on packed latents, T5's text beside CLIP's pooled one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from studio.engine.families.base import Text
from studio.engine.families.modular import Modular


class Flux(Modular):
    """``FluxTransformer2DModel``: two by two latent positions are one of the network's.

    FLUX.1 [dev] takes its distilled guidance as a number beside its text; rows are guided beside it.
    """

    reads = "diffusers.modular_pipelines.flux.encoders:FluxTextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {
        "states": "prompt_embeds",
        "pooled": "pooled_prompt_embeds",
    }
    longest: ClassVar[Mapping[str, int]] = {"tokenizer_2": 512}

    def reads_guidance(self, network: Any) -> bool:
        """[dev] does, [schnell] does not."""
        return bool(network.config.guidance_embeds)

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """Packed, each position with its place; unpacked again."""
        batch, _, height, width = latents.shape
        tall, wide = height // 2, width // 2
        scale = self.record.distilled if text.distilled is None else text.distilled
        read = torch.full((batch,), scale, device=t.device, dtype=torch.float32)
        output = network(
            hidden_states=packed(latents),
            timestep=t.expand(batch).to(latents.dtype) / 1000,
            guidance=read if self.reads_guidance(network) else None,
            pooled_projections=text.pooled,
            encoder_hidden_states=text.states,
            txt_ids=torch.zeros(text.states.shape[1], 3).to(latents),
            img_ids=places(tall, wide).to(latents),
            return_dict=False,
        )[0]
        return unpacked(output, tall, wide)


def packed(latents: Tensor) -> Tensor:
    """(batch, channels, 2h, 2w) → (batch, h·w, 4·channels)."""
    batch, channels, height, width = latents.shape
    cells = latents.reshape(batch, channels, height // 2, 2, width // 2, 2)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, 4 * channels)


def unpacked(tokens: Tensor, height: int, width: int) -> Tensor:
    """(batch, h·w, 4·channels) → (batch, channels, 2h, 2w)."""
    batch, _, inner = tokens.shape
    cells = tokens.reshape(batch, height, width, inner // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return cells.reshape(batch, inner // 4, 2 * height, 2 * width)


def places(height: int, width: int) -> Tensor:
    """(h·w, 3): nothing, row and column of each of the network's positions."""
    found = torch.zeros(height, width, 3)
    found[..., 1] = torch.arange(height)[:, None]
    found[..., 2] = torch.arange(width)
    return found.reshape(-1, 3)
