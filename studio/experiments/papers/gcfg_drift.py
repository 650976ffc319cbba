"""GCFG, Fig. 2, 8b and 10: the unconditional term drifts with training; the prior's does not."""

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

METHODS = ("lora", "dreambooth")
STEPS = (20, 60)


def cells(study: Study) -> Iterator[Cell]:
    """After a short and a long training: the model's own unconditional term, and the prior's."""
    for method in METHODS:
        for steps in STEPS:
            for term, omega in (("own", 1.0), ("the prior's", 0.0)):
                yield Cell(
                    name(method, steps, term),
                    study.preset(lora(study.scale), omega=omega),
                    Training(method, "hero", {"steps": 2 if study.quick else steps}),
                )


def name(method: str, steps: int, term: str) -> str:
    """The name of a cell."""
    return f"{method}, {steps} steps, {term}"


def every(steps: int, term: str) -> tuple[str, ...]:
    """The cells of both methods."""
    return tuple(name(method, steps, term) for method in METHODS)


EXPERIMENTS.register(
    "gcfg_drift",
    Experiment(
        paper="GCFG, Fig. 2, 8b and 10",
        claim="Training moves the unconditional prediction away from the prior's; taking it from the "
        "prior gives better pictures of the concept.",
        cells=cells,
        claims=(
            Claim(
                "less drift after 20 steps than after 60",
                "drift",
                every(20, "own"),
                every(60, "own"),
            ),
            Claim(
                "subject, the prior's over own",
                "clip-i",
                every(60, "the prior's"),
                every(60, "own"),
            ),
            Claim(
                "vision, the prior's over own",
                "vision-i",
                every(60, "the prior's"),
                every(60, "own"),
            ),
        ),
        metrics=("drift", "clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=1,
    ),
)
