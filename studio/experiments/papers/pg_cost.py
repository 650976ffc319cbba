"""Steering Guidance, Table 8: what a picture costs."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
    baselines,
    shipped,
)
from studio.experiments.subjects import SUBJECT_PROMPTS


def cells(study: Study) -> Iterator[Cell]:
    """Each guidance with the same LoRA."""
    row, training = shipped(study, "starter/lora-hero", "lora", "hero")
    for name, made in baselines(row, study.scale).items():
        yield Cell(name, study.preset(*made.rows, omega=made.omega), training, subject="hero")


EXPERIMENTS.register(
    "pg_cost",
    Experiment(
        paper="Steering Guidance, Table 8",
        claim="Personalization guidance costs what CFG does; AutoGuidance beside CFG, and "
        "subject-agnostic guidance, cost a pass more.",
        cells=cells,
        claims=(
            Claim(
                "no more evaluations than CFG", "forwards", ("ours, ω 0.6",), ("CFG",), margin=0.01
            ),
            Claim(
                "no more time than CFG, within 0.02 s",
                "seconds",
                ("ours, ω 0.6",),
                ("CFG",),
                margin=0.02,
            ),
            Claim(
                "fewer evaluations than CFG and AG", "forwards", ("ours, ω 0.6",), ("CFG and AG",)
            ),
            Claim("less time than CFG and AG", "seconds", ("ours, ω 0.6",), ("CFG and AG",)),
            Claim(
                "fewer evaluations than CFG and SAG", "forwards", ("ours, ω 0.6",), ("CFG and SAG",)
            ),
        ),
        metrics=("forwards", "seconds"),
        prompts=SUBJECT_PROMPTS,
        seeds=2,
    ),
)
