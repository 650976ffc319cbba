"""ACCORD, Table 6: what PDLoss draws the target's cosines to."""

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
from studio.experiments.papers.accord_losses import BUDGET, PD
from studio.experiments.subjects import MORE_PROMPTS

TARGETS = {"none": {}, "superclass": PD}
TARGETS |= {name: {**PD, "pdloss_target": name} for name in ("0", "-1")}


def cells(study: Study) -> Iterator[Cell]:
    """The visual encoder without PDLoss and with each target."""
    for name, settings in TARGETS.items():
        row = lora(study.scale, image="assets/examples/training/hero-1.png")
        training = Training("visual-encoder", "hero", settings)
        yield Cell(f"target {name}", study.preset(row, omega=1.0), training)


EXPERIMENTS.register(
    "accord_targets",
    Experiment(
        paper="ACCORD, Table 6",
        claim="The lower PDLoss's target, the better the text is followed and the less of the subject "
        "comes through; the superclass's cosine is the balance.",
        cells=cells,
        claims=(
            Claim("text, target −1 over none", "clip-t", ("target -1",), ("target none",)),
            Claim("text, target 0 over none", "clip-t", ("target 0",), ("target none",)),
            Claim(
                "subject, superclass over target −1",
                "clip-i",
                ("target superclass",),
                ("target -1",),
            ),
        ),
        metrics=("clip-t", "clip-i", "vision-i", "judge-attributes"),
        prompts=MORE_PROMPTS,
        seeds=1,
        budget=BUDGET,
    ),
)
