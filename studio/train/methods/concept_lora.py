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

from studio.train.method import METHODS, Method
from studio.train.methods.lora import LoRA

METHODS.register(
    "concept-lora",
    Method(
        title="Concept LoRA (pictures alone)",
        trains="low-rank factors, from pictures alone under the null prompt (`--rank`, `--targets`)",
        files="`pytorch_lora_weights.safetensors`, for a row without a prompt",
        kind="lora",
        build=LoRA,  # which reads no caption where there is none
        settings=frozenset({"rank", "targets"}),
        defaults={"rate": 1e-4, "rank": 16, "steps": 1000},
        small={"rate": 2e-3, "batch": 16, "steps": 600, "targets": "attention+mlp"},
        fits=lambda family: True,
        losses=frozenset(),
        without_text="a concept has no text, so there is nothing to decouple or preserve",
        place=95,
    ),
)
