"""ACCORD, Table 4: faces read from one picture."""

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
from studio.experiments.papers.accord_losses import BUDGET, LOSSES, every

FACES = ("partying-face", "thinking-face", "face-with-monocle")
PROMPTS = (
    "a {subject} face on a yellow background",
    "a {subject} face on a blue background",
    "a {subject} face in noto style on a pink background",
    "a {subject} face and a crown on a white background",
)


def cells(study: Study) -> Iterator[Cell]:
    """A visual encoder of many faces, reading one of them, without and with the losses."""
    for face in FACES:
        for side, losses in (("without", {}), ("with", LOSSES["visual-encoder"])):
            row = lora(study.scale, image=f"assets/examples/training/faces/{face}.png")
            training = Training("visual-encoder", "portraits", losses)
            yield Cell(f"{face} {side}", study.preset(row, omega=1.0), training, subject=face)


EXPERIMENTS.register(
    "accord_face",
    Experiment(
        paper="ACCORD, Table 4 (a visual encoder in place of an IP-Adapter, resemblance to the one "
        "picture in place of a face recogniser's)",
        claim="With the losses a face that is read from one picture is more like it and follows the "
        "text better.",
        cells=cells,
        claims=(
            Claim(
                "like the picture, with over without",
                "vision-i",
                every("with", FACES),
                every("without", FACES),
            ),
            Claim(
                "text, with over without", "clip-t", every("with", FACES), every("without", FACES)
            ),
        ),
        metrics=("vision-i", "clip-i", "clip-t"),
        prompts=PROMPTS,
        seeds=2,
        budget=BUDGET,
    ),
)
