"""ACCORD, Tables 1 and 2: its losses beside two methods."""

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

# The weights' shares of the error's gradient: about 0.3 and 0.1-0.3. The paper's 0.1-0.3 and 0.001-0.003
# are for Stable Diffusion; here 0.002 had a share of 0.01-0.03.
DD, PD = {"ddloss": 0.3}, {"pdloss": 0.02}
METHODS = ("lora", "visual-encoder")  # one that leaves the word as it is, one that learns it
# Which losses reach what trains: the word's own vectors, or only the network (ACCORD, Sec. 4.1).
LOSSES = {
    "lora": DD,
    "dreambooth": DD,
    "custom-diffusion": {**DD, **PD},
    "visual-encoder": {**DD, **PD},
}
# Discrepancies are measured as often in trainings without the losses; that changes no number.
BUDGET = {"steps": 60, "batch": 8, "measure_every": 6}


def trainings(subject: str) -> Iterator[tuple[str, str, Training]]:
    """Every method without and with its losses."""
    for method in METHODS:
        yield method, "without", Training(method, subject)
        yield method, "with", Training(method, subject, LOSSES[method])


def cells(study: Study) -> Iterator[Cell]:
    """CFG on each model."""
    for method, side, training in trainings("hero"):
        row = lora(study.scale)
        if method == "visual-encoder":
            row |= {"image": "assets/examples/training/hero-1.png"}
        yield Cell(f"{method} {side}", study.preset(row, omega=1.0), training)


def every(side: str, methods: tuple[str, ...] = METHODS) -> tuple[str, ...]:
    """The cells of one side."""
    return tuple(f"{method} {side}" for method in methods)


EXPERIMENTS.register(
    "accord_losses",
    Experiment(
        paper="ACCORD, Tables 1 and 2",
        claim="DDLoss (and PDLoss where the word trains) make pictures follow the text better and keep "
        "the subject, whatever the method.",
        cells=cells,
        claims=(
            Claim("text, with the losses over without", "clip-t", every("with"), every("without")),
            Claim("subject no worse", "clip-i", every("with"), every("without"), margin=0.02),
            *(
                Claim(
                    f"text, {method}",
                    "clip-t",
                    every("with", (method,)),
                    every("without", (method,)),
                )
                for method in METHODS
            ),
        ),
        metrics=("clip-t", "clip-i", "vision-i", "judge-attributes"),
        prompts=MORE_PROMPTS,
        seeds=1,
        budget=BUDGET,
    ),
)
