"""Steering Guidance, Table 6: with CFG++."""

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
from studio.experiments.subjects import MORE_PROMPTS

SCALES = (0.4, 0.7)
SAMPLER = {"scheduler": "ddim", "steps": 12}


def cells(study: Study) -> Iterator[Cell]:
    """CFG and ours as they are, and both with CFG++ at each λ."""
    for name, omega in (("CFG", 1.0), ("ours", 0.0)):
        training = Training("lora", "hero")
        yield Cell(name, study.preset(lora(study.scale), omega=omega, sampler=SAMPLER), training)
        for scale in SCALES:
            preset = study.preset(lora(scale), omega=omega, cfgpp=True, sampler=SAMPLER)
            yield Cell(f"{name}++, λ {scale:g}", preset, training)


def plus(name: str) -> tuple[str, ...]:
    """A guidance with CFG++ at every λ."""
    return tuple(f"{name}++, λ {scale:g}" for scale in SCALES)


EXPERIMENTS.register(
    "pg_cfgpp",
    Experiment(
        paper="Steering Guidance, Table 6",
        claim="With CFG++ too, the prior's unconditional term brings the subject out more.",
        cells=cells,
        claims=(
            Claim("subject, ours++ over CFG++", "clip-i", plus("ours"), plus("CFG")),
            Claim("subject, ours over CFG", "clip-i", ("ours",), ("CFG",)),
            Claim("text, ours++ as CFG++", "clip-t", plus("ours"), plus("CFG"), margin=0.01),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=1,
    ),
)
