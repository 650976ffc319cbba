"""GCFG, Fig. 8a: the concept row's weight against the prompt row's."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    Cell,
    Claim,
    Experiment,
    Study,
    concept,
    plain,
)

CONCEPT = (0.0, 1.0, 2.0, 3.0)
CONTROL = (0.5, 1.5, 6.0)
# What is asked for is style and background; the concept row alone says that it is a face.
PROMPTS = (
    "in flat style on a blue background",
    "in glossy style on a pink background",
    "in noto style on a green background",
    "in tweet style on a white background",
)


def cell(concept_weight: float, control_weight: float) -> str:
    """The name of a cell."""
    return f"concept {concept_weight:g}, prompt {control_weight:g}"


def cells(study: Study) -> Iterator[Cell]:
    """Every pair of weights; those of the prompt are shares of the papers' 7.5."""
    row, training = concept(study)
    for control in CONTROL:
        for weight in CONCEPT:
            rows = ({**row, "weight": weight}, plain(study.scale * control / 4))
            yield Cell(
                cell(weight, control),
                study.preset(*rows),
                training,
                line=f"prompt {control:g}",
                at=weight,
                subject="faces",
            )


def at_concept(weight: float) -> tuple[str, ...]:
    """The cells of one weight of the concept row."""
    return tuple(cell(weight, control) for control in CONTROL)


def at_control(weight: float) -> tuple[str, ...]:
    """The cells of one weight of the prompt row, where there is a concept row."""
    return tuple(cell(concept_weight, weight) for concept_weight in CONCEPT[1:])


EXPERIMENTS.register(
    "gcfg_weights",
    Experiment(
        paper="GCFG, Fig. 8a",
        claim="A higher weight of the concept row brings the concept out, a higher weight of the "
        "control row the prompt; the two are traded by their weights.",
        cells=cells,
        claims=(
            Claim(
                "concept 2 is nearer to faces than 0", "clip-i", at_concept(2.0), at_concept(0.0)
            ),
            Claim(
                "prompt 6 is followed more than 0.5",
                "judge-attributes",
                at_control(6.0),
                at_control(0.5),
            ),
            Claim(
                "the prompt is followed more at concept 0 than at 3",
                "judge-attributes",
                at_concept(0.0),
                at_concept(3.0),
            ),
        ),
        metrics=("clip-i", "kid", "judge-attributes", "clip-t"),
        prompts=PROMPTS,
        seeds=4,
        about="weight of the concept row",
    ),
)
