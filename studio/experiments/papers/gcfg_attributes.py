"""GCFG, Table 3: the share of a prompt's attributes that is there, over the number of rows."""

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

PROMPTS = (
    "a sunglasses face | in flat style | on a blue background",
    "a clown | in glossy style | on a green background",
    "an angry face | in noto style | on a purple background",
    "a cowboy face | in tweet style | on a white background",
    "a crying face | in flat style | on a pink background",
    "an alien | in noto style | on a yellow background",
)


def cells(study: Study) -> Iterator[Cell]:
    """One row for all attributes, two, three; each of these with a concept row too."""
    row, training = concept(study)
    weight = study.scale * 0.75
    asked = {
        "1 row": (plain(weight),),
        "2 rows": (plain(weight, "{first}"), plain(weight, "{rest}")),
        "3 rows": (plain(weight, "{first}"), plain(weight, "{second}"), plain(weight, "{third}")),
    }
    for name, rows in asked.items():
        yield Cell(name, study.preset(*rows), subject="faces")
        with_concept = ({**row, "weight": 1.5}, *rows)
        yield Cell(f"{name} and faces", study.preset(*with_concept), training, subject="faces")


EXPERIMENTS.register(
    "gcfg_attributes",
    Experiment(
        paper="GCFG, Table 3 (its protocol, a classifier in place of people)",
        claim="A prompt's attributes are found in the picture however many rows it is split into, and "
        "beside a concept row too.",
        cells=cells,
        claims=(
            Claim("3 rows as 1", "judge-attributes", ("3 rows",), ("1 row",), margin=0.05),
            Claim("2 rows as 1", "judge-attributes", ("2 rows",), ("1 row",), margin=0.05),
            Claim(
                "with the concept as without",
                "judge-attributes",
                ("1 row and faces", "3 rows and faces"),
                ("1 row", "3 rows"),
                margin=0.05,
            ),
        ),
        metrics=("judge-attributes", "judge-content", "judge-style", "judge-background"),
        prompts=PROMPTS,
        seeds=4,
    ),
)
