"""Steering Guidance, Fig. 9: how long to train."""

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

STEPS = (20, 40, 60, 100)


def cells(study: Study) -> Iterator[Cell]:
    """Checkpoints of one training each, with CFG and with ours."""
    for name, omega in (("CFG", 1.0), ("ours", 0.0)):
        for steps in STEPS:
            yield Cell(
                f"{name}, {steps} steps",
                study.preset(lora(study.scale), omega=omega),
                Training("lora", "hero", {"steps": steps if not study.quick else 2}),
                line=name,
                at=steps,
            )


def all_of(name: str, steps: tuple[int, ...] = STEPS) -> tuple[str, ...]:
    """A guidance after these steps."""
    return tuple(f"{name}, {number} steps" for number in steps)


EXPERIMENTS.register(
    "pg_best_step",
    Experiment(
        paper="Steering Guidance, Fig. 9",
        claim="With ours fewer training steps give as much of the subject as more steps with CFG.",
        cells=cells,
        claims=(
            Claim("subject, ours over CFG, all steps", "clip-i", all_of("ours"), all_of("CFG")),
            Claim(
                "subject, ours one checkpoint earlier over CFG",
                "clip-i",
                all_of("ours", STEPS[:-1]),
                all_of("CFG", STEPS[1:]),
            ),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=1,
        about="training steps",
    ),
)
