"""Steering Guidance, Tables 1 and 2: guidances compared, each at its best λ."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    MODEL,
    Cell,
    Claim,
    Experiment,
    Study,
    Training,
    baselines,
)
from studio.experiments.subjects import MORE_PROMPTS

SCALES = (0.5, 1.0, 1.75)  # of the study's λ
NAMES = ("CFG", "AG", "SAG", "ours, ω 0.6")


def cells(study: Study) -> Iterator[Cell]:
    """Every guidance at every λ, with the same LoRA."""
    for share in SCALES:
        made = baselines({"model": MODEL}, share * study.scale)
        for name in NAMES:
            yield Cell(
                at(name, share),
                study.preset(*made[name].rows, omega=made[name].omega),
                Training("lora", "hero"),
                line=name,
                at=share * study.scale,
            )


def at(name: str, share: float) -> str:
    """The name of a cell."""
    return f"{name}, λ × {share:g}"


EXPERIMENTS.register(
    "pg_baselines",
    Experiment(
        paper="Steering Guidance, Tables 1 and 2",
        claim="Personalization guidance brings the subject out more than CFG and follows the text "
        "better than AutoGuidance, each at its best λ.",
        cells=cells,
        claims=(
            Claim("subject, ours (ω 0.6) over CFG", "clip-i", ("ours, ω 0.6",), ("CFG",)),
            Claim("subject, ours (ω 0.6) over SAG", "clip-i", ("ours, ω 0.6",), ("SAG",)),
            Claim("text, ours (ω 0.6) over AG", "clip-t", ("ours, ω 0.6",), ("AG",)),
            Claim("text, ours (ω 0.6) as CFG", "clip-t", ("ours, ω 0.6",), ("CFG",), margin=0.01),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=1,
        about="λ",
        scatter=("clip-t", "clip-i"),
        groups={name: tuple(at(name, share) for share in SCALES) for name in NAMES},
        chosen_by=("clip-i", "clip-t"),
    ),
)
