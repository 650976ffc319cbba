"""A null-text concept as low-rank factors: pictures alone, under the null prompt.

The objective is the null-text network's (GCFG, Appendix D.2), every picture denoised without a text; the architecture
is not (Sec. 4.3, Eq. 5 and 6): the cross-attentions read the null prompt φ in place of constants, and of the
U-Net's weights only a low-rank Δ trains. Any generator that can give a concept may stand in the sum (Sec. 4.3). As
a row without a prompt it adds ``w·(ε_{θ+Δ}(z, φ) − ε_θ(z, φ))``; Δ takes no part in θ_ω, as no concept does. An
untrained one adds nothing. Its file has a sixteenth of the size of the starter's network, its pass costs what the
prior's costs. Rank, rate and steps are the studio's own choice.

Of Stable Diffusion XL, whose φ is zero, nothing in a cross-attention without bias gets a gradient: there the
self-attentions learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.train.adaptation import Adaptation, checkpointing
from studio.train.method import METHODS, Materials, Method
from studio.train.methods.lora import add_factors, save_factors

if TYPE_CHECKING:
    from torch import Tensor

    from studio.train.base import Base
    from studio.train.settings import TrainConfig
    from studio.train.trainee import Trainee


def under_null_prompt(config: TrainConfig, base: Base) -> Trainee:
    """A trainee on the base's network whose every caption is the empty string."""
    from studio.train.trainee import Trainee

    class NullPrompt(Trainee):
        def forward(
            self,
            latents: Tensor,
            times: Tensor,
            captions: Sequence[str] | None = None,
            features: Tensor | None = None,
        ) -> Tensor:
            """The network's output under the null prompt, whatever the captions are."""
            del captions
            return super().forward(latents, times, [""] * len(latents), features)

    checkpointing(config, base.network)
    return NullPrompt(base.network, base.family, base.reader())


class ConceptLoRA(Adaptation):
    """Low-rank factors that learn a concept without text."""

    def __init__(self, config: TrainConfig, base: Base, materials: Materials) -> None:
        del materials
        self.base = base
        add_factors(config, base)
        self.trainee = under_null_prompt(config, base)

    def save(self, folder: Path) -> None:
        """diffusers' LoRA file."""
        save_factors(self.base, folder)


METHODS.register(
    "concept-lora",
    Method(
        title="Concept LoRA (pictures alone)",
        trains="low-rank factors, from pictures alone under the null prompt (`--rank`, `--targets`)",
        files="`pytorch_lora_weights.safetensors`, for a row without a prompt",
        kind="lora",
        build=ConceptLoRA,
        settings=frozenset({"rank", "targets"}),
        defaults={"rate": 1e-4, "rank": 16, "steps": 1000},
        small={"rate": 2e-3, "batch": 16, "steps": 600, "targets": "attention+mlp"},
        fits=lambda family: True,
        losses=frozenset(),
        without_text="a concept has no text, so there is nothing to decouple or preserve",
        place=95,
    ),
)
