"""GCFG, Table 1: concept pictures without any control."""

from __future__ import annotations

from collections.abc import Iterator

from studio.experiments.experiment import (
    EXPERIMENTS,
    MODEL,
    Cell,
    Claim,
    Experiment,
    Study,
    Training,
    lora,
)

METHODS = ("ti", "dreambooth", "custom-diffusion", "oft", "lora")
# The running average that is saved must be as short as the training is.
CONCEPT = Training("concept", "faces", {"ema": 0.9})


def cells(study: Study) -> Iterator[Cell]:
    """The word alone for the methods that learn one, the concept row alone for ours."""
    for method in METHODS:
        row = lora(study.scale)
        yield Cell(method, study.preset(row, omega=1.0), Training(method, "faces"))
    for weight in (1.0, 1.5):
        row = {"model": MODEL, "weight": weight}
        yield Cell(f"concept, w {weight:g}", study.preset(row), CONCEPT)
    if study.base == "starter":  # the paper trains until the loss converges
        row = {"model": "starter/faces", "weight": 1.0}
        yield Cell("concept, as shipped", study.preset(row), subject="faces")


EXPERIMENTS.register(
    "gcfg_fid",
    Experiment(
        paper="GCFG, Table 1",
        claim="A null-text concept network comes nearer to the concept's pictures than textual "
        "inversion, DreamBooth, Custom Diffusion, OFT and LoRA.",
        cells=cells,
        claims=tuple(
            Claim(f"nearer than {method}", "kid", ("concept, w 1",), (method,))
            for method in METHODS
        ),
        metrics=("kid", "cmmd", "clip-i", "diversity"),
        prompts=("a {subject} face",),
        seeds=16,
        budget={"steps": 240},
    ),
)
