"""GCFG, Fig. 9 and 11: a row's weight through zero."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
    plain,
)

WEIGHTS = (-4.0, -2.0, 0.0, 2.0, 4.0)
PROMPTS = (
    "an apple | on a yellow background",
    "a car | on a green background",
    "a cat face | on a blue background",
    "a house | on a pink background",
    "a robot | on a red background",
    "a star | on a purple background",
)


def cells(study: Study) -> Iterator[Cell]:
    """The first row stays, the second's weight runs from negative to positive."""
    for weight in WEIGHTS:
        rows = (plain(study.scale, "{first}"), plain(weight * study.scale / 4, "{second}"))
        yield Cell(f"second row {weight:+g}", study.preset(*rows), at=weight)


EXPERIMENTS.register(
    "gcfg_signs",
    Experiment(
        paper="GCFG, Fig. 9 and 11",
        claim="A row of positive weight brings in what it names, the same row with a negative weight "
        "drives it out, while the other row is kept.",
        cells=cells,
        claims=(
            Claim("+4 over 0", "judge-background", ("second row +4",), ("second row +0",)),
            Claim("0 over −4", "judge-background", ("second row +0",), ("second row -4",)),
            Claim(
                "the content at +4 as at 0",
                "judge-content",
                ("second row +4",),
                ("second row +0",),
                margin=0.1,
            ),
            Claim(
                "the content at −4 as at 0",
                "judge-content",
                ("second row -4",),
                ("second row +0",),
                margin=0.1,
            ),
        ),
        metrics=("judge-background", "judge-content"),
        prompts=PROMPTS,
        seeds=8,
        about="weight of the second row",
    ),
)
