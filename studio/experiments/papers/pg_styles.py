"""Steering Guidance, Table 5 (PairCustom): ω for a style's LoRA."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
    shipped,
)
from studio.experiments.subjects import STYLE_PROMPTS

OMEGAS = (0.0, 0.5, 1.0)


def cells(study: Study) -> Iterator[Cell]:
    """A style's LoRA over ω."""
    row, training = shipped(study, "starter/lora-blob", "lora", "blob")
    for omega in OMEGAS:
        preset = study.preset({**row, "weight": study.scale, "prompt": "{prompt}"}, omega=omega)
        yield Cell(f"ω {omega:g}", preset, training, at=omega, subject="blob")


EXPERIMENTS.register(
    "pg_styles",
    Experiment(
        paper="Steering Guidance, Table 5 (PairCustom)",
        claim="A style's LoRA with the prior's unconditional term (ω = 0) comes nearer to the style "
        "than with CFG.",
        cells=cells,
        claims=(
            Claim("nearer in texture, ω 0 over CFG", "gram-d", ("ω 0",), ("ω 1",)),
            Claim("nearer under CLIP, ω 0 over CFG", "clip-i", ("ω 0",), ("ω 1",)),
            Claim("content as with CFG", "judge-content", ("ω 0",), ("ω 1",), margin=0.1),
        ),
        metrics=("gram-d", "clip-i", "judge-content", "judge-background"),
        prompts=STYLE_PROMPTS,
        seeds=8,
        about="ω",
    ),
)
