"""LoRA beside textual inversion (Steering Guidance, Supplement A: two learned vectors)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.train.adaptation import Adaptation, save_word, with_word
from studio.train.method import METHODS, Materials, Method
from studio.train.methods.lora import DEFAULTS, SMALL, add_factors, save_factors

if TYPE_CHECKING:
    from studio.train.base import Base
    from studio.train.settings import TrainConfig


class LoRAWithWord(Adaptation):
    """Low-rank factors and the word's vectors."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        del materials
        self.base = base
        add_factors(config, base)
        self.trainee = with_word(config, base)

    def save(self, folder: Path) -> None:
        """diffusers' LoRA file and the word."""
        save_factors(self.base, folder)
        save_word(self.trainee, folder)


METHODS.register(
    "lora+ti",
    Method(
        title="LoRA and textual inversion",
        trains="low-rank factors and the word's vectors",
        files="`pytorch_lora_weights.safetensors` and `learned_embeds.safetensors`",
        kind="lora",
        build=LoRAWithWord,
        settings=frozenset({"rank", "targets", "vectors", "token_rate"}),
        defaults={**DEFAULTS, "token_rate": 1e-4, "vectors": 2},
        small={**SMALL, "token_rate": 5e-3},
        learns_word=True,
        place=40,
    ),
)
