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
    "an apple | in noto style on a yellow background",
    "a car | in flat style on a green background",
    "a cat face | in tweet style on a blue background",
    "a house | in glossy style on a pink background",
    "a robot | in flat style on a red background",
    "a star | in noto style on a purple background",
    "a fish | in tweet style on a white background",
    "a pizza | in glossy style on a gray background",
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
            Claim("brought in at +4", "judge-attributes", ("second row +4",), ("second row +0",)),
            Claim("driven out at −4", "judge-attributes", ("second row +0",), ("second row -4",)),
            Claim(
                "the content at +4 as at 0",
                "judge-content",
                ("second row +4",),
                ("second row +0",),
                margin=0.1,
            ),
            Claim(
                "the content at −2 as at 0",
                "judge-content",
                ("second row -2",),
                ("second row +0",),
                margin=0.1,
            ),
        ),
        metrics=("judge-attributes", "judge-background", "judge-style", "judge-content"),
        prompts=PROMPTS,
        seeds=4,
        about="weight of the second row",
    ),
)
