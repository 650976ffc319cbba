"""Where cross-attention looks: while the prior is young, it is shown which token holds its part of the picture.

Queries of a convolutional network know their place only through the borders' zero padding, and from the diffusion
loss alone it takes most of the training until they find the token that holds their cells (`grounding`). A faint
cross-entropy on half of the heads says so at once; it fades away as the training goes on.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0

from studio.starter.stages.text_grounding import BLOCKS
from studio.starter.stages.tokenizer import MAX_TOKENS

WEIGHT = 0.1


def right_tokens(side: int) -> torch.Tensor:
    """For each cell of a map of ``side``² in reading order, the token that holds its part of the picture."""
    blocks_across = int(BLOCKS**0.5)
    lines = torch.arange(side) * blocks_across // side
    return MAX_TOKENS - BLOCKS + (lines[:, None] * blocks_across + lines[None]).flatten()


class LookingProcessor(AttnProcessor2_0):
    """diffusers' attention, which also notes how far the first half of the heads is from the right token."""

    def __init__(self, noted: list[torch.Tensor]) -> None:
        super().__init__()
        self.noted = noted

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        *args: Any,
        **more: Any,
    ) -> torch.Tensor:
        if encoder_hidden_states is not None and torch.is_grad_enabled():
            n, cells, _ = hidden_states.shape
            shown = attn.heads // 2
            query = attn.to_q(hidden_states).view(n, cells, attn.heads, -1)[:, :, :shown].float()
            to_key: Any = attn.to_k
            key = to_key(encoder_hidden_states).view(n, -1, query.shape[2] * 2, query.shape[3])
            key = key[:, :, :shown].float()
            scores = torch.einsum("nqhd,nkhd->nhqk", query, key) * attn.scale
            wanted = right_tokens(int(cells**0.5)).to(scores.device).expand(n, shown, -1)
            self.noted.append(F.cross_entropy(scores.flatten(0, 2), wanted.flatten()))
        return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **more)


class Looking:
    """Notes, at every cross-attention of ``unet``, the loss of looking elsewhere."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.noted: list[torch.Tensor] = []
        self.unet, self.watching = unet, False
        self.watch(True)

    def watch(self, on: bool) -> None:
        """Note from now on, or no more."""
        if on == self.watching:
            return
        self.watching = on
        self.unet.set_attn_processor(
            {
                n: LookingProcessor(self.noted) if on and "attn2" in n else AttnProcessor2_0()
                for n in self.unet.attn_processors
            }
        )

    def loss(self) -> torch.Tensor:
        """Mean cross-entropy over the layers since the last call."""
        total = torch.stack(self.noted).mean()
        self.noted.clear()
        return total
