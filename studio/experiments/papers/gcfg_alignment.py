"""GCFG, Table 2: is the text still followed."""

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
    plain,
)

# The running average that is saved must be as short as the training is.
CONCEPT = Training("concept", "faces", {"ema": 0.9})
METHODS = ("ti", "dreambooth", "custom-diffusion")
PROMPTS = (
    "a {subject} face in flat style on a blue background",
    "a {subject} face in glossy style on a green background",
    "a {subject} face in noto style on a purple background",
    "a {subject} face in tweet style on a white background",
    "a {subject} face in flat style on a pink background",
    "a {subject} face in noto style on an orange background",
)


def cells(study: Study) -> Iterator[Cell]:
    """The prompt to the trained model, or to the prior beside the concept row."""
    for method in METHODS:
        yield Cell(method, study.preset(lora(study.scale), omega=1.0), Training(method, "faces"))
    for weight in (1.0, 2.0):
        rows = ({"model": MODEL, "weight": weight}, plain(study.scale, "{without}"))
        yield Cell(f"concept, w {weight:g}", study.preset(*rows), CONCEPT)


EXPERIMENTS.register(
    "gcfg_alignment",
    Experiment(
        paper="GCFG, Table 2",
        claim="A concept row beside the prior's prompt follows the text better than DreamBooth and Custom "
        "Diffusion; textual inversion follows it best.",
        cells=cells,
        claims=(
            *(
                Claim(f"better than {method}", "judge-attributes", ("concept, w 1",), (method,))
                for method in METHODS[1:]
            ),
            Claim(
                "nearer to the concept than textual inversion", "kid", ("concept, w 1",), ("ti",)
            ),
        ),
        metrics=("judge-attributes", "judge-style", "judge-background", "kid", "clip-i"),
        prompts=PROMPTS,
        seeds=2,
        budget={"steps": 240},
    ),
)
