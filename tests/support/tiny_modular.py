"""Tiny random transformers in diffusers' modular pipelines, with text read letter by letter.

The pipelines are those of Qwen-Image and FLUX.2 [klein]; they end at the latents, and what reads
their prompts is a table of random states, since no test of guidance is about either.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    QwenImageTransformer2DModel,
)
from diffusers.modular_pipelines.flux2.modular_blocks_flux2_klein_base import (
    Flux2KleinBaseAutoBlocks,
)
from diffusers.modular_pipelines.qwenimage.modular_blocks_qwenimage import QwenImageAutoBlocks
from torch import Tensor, nn

WIDTH, LAYERS = 16, 28


class Letters:
    """A tokenizer of single letters; it fills up to ``max_length`` where it is asked to."""

    def apply_chat_template(self, messages: list[dict[str, str]], **_: Any) -> str:
        return messages[0]["content"]

    def __call__(self, text: Any, padding: Any = True, max_length: int = 0, **_: Any) -> Any:
        ids = [[ord(letter) % 97 + 1 for letter in one] or [1] for one in _several(text)]
        length = max_length if padding == "max_length" else max(map(len, ids))
        padded = torch.tensor([one + [0] * (length - len(one)) for one in ids])
        return _Encoding(input_ids=padded, attention_mask=(padded > 0).long())


class _Encoding(SimpleNamespace):
    def __getitem__(self, name: str) -> Tensor:
        return getattr(self, name)

    def to(self, _: Any) -> _Encoding:
        return self


class States(nn.Module):
    """A text tower whose layers are each a random table."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.tables = nn.ModuleList([nn.Embedding(99, WIDTH) for _ in range(LAYERS)])

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def forward(self, input_ids: Tensor, **_: Any) -> Any:
        return SimpleNamespace(hidden_states=[table(input_ids) for table in self.tables])


def _several(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def qwen() -> Any:
    """Qwen-Image's pipeline up to the latents."""
    torch.manual_seed(3)
    network = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(8, 4, 4),
    )
    return _ready(QwenImageAutoBlocks(), network)


def flux2() -> Any:
    """FLUX.2 [klein] base's pipeline up to the latents."""
    torch.manual_seed(4)
    network = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    return _ready(Flux2KleinBaseAutoBlocks(), network)


def _ready(blocks: Any, network: nn.Module) -> Any:
    for name in [one for one in blocks.sub_blocks if one.startswith("decode")]:
        blocks.sub_blocks.pop(name)
    pipe = blocks.init_pipeline()
    for parameter in network.parameters():  # some begin at zero, and would hide what a row does
        parameter.data.add_(torch.randn_like(parameter) * 0.2)
    pipe.update_components(
        transformer=network.eval(),
        text_encoder=States(),
        tokenizer=Letters(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.7),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe
