"""Custom Diffusion: keys and values of every cross-attention, and the word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.train.adaptation import Adaptation, save_word, with_word
from studio.train.method import METHODS, Materials, Method

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig


class CustomDiffusion(Adaptation):
    """Keys and values of every cross-attention, and the word."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        from diffusers.models.attention_processor import CustomDiffusionAttnProcessor2_0

        del materials
        self.network: Any = base.network
        modules = dict(base.network.named_modules())
        processors: dict[str, Any] = {}
        for name in self.network.attn_processors:
            attention: Any = modules[name.removesuffix(".processor")]
            cross = attention.is_cross_attention
            processors[name] = CustomDiffusionAttnProcessor2_0(
                train_kv=cross,
                train_q_out=False,
                hidden_size=attention.inner_dim,
                cross_attention_dim=attention.cross_attention_dim if cross else None,
            )
            if cross:
                processors[name].to_k_custom_diffusion.load_state_dict(attention.to_k.state_dict())
                processors[name].to_v_custom_diffusion.load_state_dict(attention.to_v.state_dict())
                processors[name].to(base.device)
        self.network.set_attn_processor(processors)
        self.trainee = with_word(config, base)

    def save(self, folder: Path) -> None:
        """diffusers' Custom Diffusion file and the word."""
        self.network.save_attn_procs(folder, safe_serialization=True)
        save_word(self.trainee, folder)


METHODS.register(
    "custom-diffusion",
    Method(
        title="Custom Diffusion",
        trains="keys and values of every cross-attention, and the word's vectors",
        files="`pytorch_custom_diffusion_weights.safetensors` and `learned_embeds.safetensors`",
        kind="custom-diffusion",
        build=CustomDiffusion,
        settings=frozenset({"vectors", "token_rate"}),
        defaults={"rate": 1e-5, "token_rate": 1e-5, "batch": 2, "steps": 1000},
        small={"rate": 1e-3, "token_rate": 5e-3, "batch": 8, "steps": 300},
        learns_word=True,
        place=50,
    ),
)
