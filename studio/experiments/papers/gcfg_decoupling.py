"""GCFG, Fig. 5 and Sec. 4.4: decoupled conditions give more diverse pictures."""

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

DELTAS = (0.0, 0.5, 1.0)
PROMPTS = (
    "a sunflower | in tweet style | on a purple background",
    "a cat face | in glossy style | on a green background",
    "a rocket | in noto style | on a yellow background",
    "a house | in flat style | on a pink background",
    "an owl | in tweet style | on a blue background",
    "a robot | in glossy style | on an orange background",
)


def cells(study: Study) -> Iterator[Cell]:
    """The same parts, joint at δ = 0 and apart at δ = 1."""
    for delta in DELTAS:
        row = plain(study.scale * 0.75, "{parts}")
        yield Cell(f"δ {delta:g}", study.preset(row, decoupling=delta), at=delta)


EXPERIMENTS.register(
    "gcfg_decoupling",
    Experiment(
        paper="GCFG, Fig. 5 and Sec. 4.4",
        claim="Conditions that guide apart give more diverse pictures than the joint prompt, and "
        "still what was asked for.",
        cells=cells,
        claims=(
            Claim("more diverse at δ 1", "diversity", ("δ 1",), ("δ 0",)),
            Claim(
                "attributes at δ 1 as at δ 0", "judge-attributes", ("δ 1",), ("δ 0",), margin=0.1
            ),
        ),
        metrics=("diversity", "judge-attributes", "judge-content", "judge-style"),
        prompts=PROMPTS,
        seeds=8,
        about="δ",
    ),
)
