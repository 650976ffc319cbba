"""ACCORD, Table 3: its losses for a style."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
    Training,
    lora,
)
from studio.experiments.papers.accord_losses import BUDGET, LOSSES, every
from studio.experiments.subjects import STYLE_PROMPTS

METHODS = ("lora", "custom-diffusion")


def cells(study: Study) -> Iterator[Cell]:
    """A style without and with the losses."""
    for method in METHODS:
        for side, losses in (("without", {}), ("with", LOSSES[method])):
            training = Training(method, "blob", losses)
            yield Cell(f"{method} {side}", study.preset(lora(study.scale), omega=1.0), training)


EXPERIMENTS.register(
    "accord_style",
    Experiment(
        paper="ACCORD, Table 3",
        claim="For a style the losses make the text better followed and bring the texture nearer.",
        cells=cells,
        claims=(
            Claim(
                "texture, with nearer than without",
                "gram-d",
                every("with", METHODS),
                every("without", METHODS),
            ),
            Claim(
                "text, with over without",
                "clip-t",
                every("with", METHODS),
                every("without", METHODS),
            ),
        ),
        metrics=("gram-d", "clip-t", "clip-i", "judge-content"),
        prompts=STYLE_PROMPTS,
        seeds=2,
        budget=BUDGET,
    ),
)
