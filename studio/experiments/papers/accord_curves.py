"""ACCORD, Fig. 5: each loss lowers the discrepancy that it is made for."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
)
from studio.experiments.papers.accord_losses import BUDGET, every, trainings


def cells(study: Study) -> Iterator[Cell]:
    """The trainings themselves; no picture is made."""
    for method, side, training in trainings("hero"):
        yield Cell(f"{method} {side}", study.preset(), training)


LEARNING_WORD = ("visual-encoder",)

EXPERIMENTS.register(
    "accord_curves",
    Experiment(
        paper="ACCORD, Fig. 5",
        claim="In training, DDLoss keeps the denoising discrepancy down and PDLoss the prior one.",
        cells=cells,
        claims=(
            Claim(
                "denoising discrepancy, with below without",
                "denoising",
                every("with"),
                every("without"),
            ),
            Claim(
                "prior discrepancy, with below without",
                "prior",
                every("with", LEARNING_WORD),
                every("without", LEARNING_WORD),
            ),
        ),
        metrics=("denoising", "prior"),
        budget=BUDGET,
        pictures=False,
    ),
)
