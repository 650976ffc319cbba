"""Steering Guidance, Fig. 3 and Tables 9-13: subject against text over ω."""

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
from studio.experiments.subjects import SUBJECT_PROMPTS

LINES = (
    ("lora", "hero"),
    ("lora", "teapot"),
    ("dreambooth", "hero"),
    ("dreambooth", "teapot"),
    ("custom-diffusion", "hero"),
    ("lora+ti", "hero"),
)
OMEGAS = (0.0, 0.3, 0.6, 1.0)


def cell(method: str, subject: str, omega: float) -> str:
    """The name of a cell."""
    return f"{method}, {subject}, ω {omega:g}"


def cells(study: Study) -> Iterator[Cell]:
    """Every method with a weight change for ω to act on (textual inversion alone has none)."""
    for method, subject in LINES:
        for omega in OMEGAS:
            yield Cell(
                cell(method, subject, omega),
                study.preset(lora(study.scale), omega=omega),
                Training(method, subject),
                line=f"{method}, {subject}",
                at=omega,
            )


def over(omega: float) -> tuple[str, ...]:
    """The cells of one ω."""
    return tuple(cell(method, subject, omega) for method, subject in LINES)


EXPERIMENTS.register(
    "pg_omega",
    Experiment(
        paper="Steering Guidance, Fig. 3 and Tables 9-13",
        claim="With ω below 1 the subject comes through more than with CFG (ω = 1); the text is "
        "followed a little less, and ω trades one for the other.",
        cells=cells,
        claims=(
            Claim("subject, ω 0 over CFG", "clip-i", over(0.0), over(1.0)),
            Claim("subject, ω 0.6 over CFG", "clip-i", over(0.6), over(1.0)),
            Claim("text, CFG over ω 0", "clip-t", over(1.0), over(0.0)),
            Claim(
                "text at ω 0.6 at most 0.01 below CFG",
                "clip-t",
                over(0.6),
                over(1.0),
                margin=0.01,
            ),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=SUBJECT_PROMPTS,
        seeds=1,
        about="ω",
        scatter=("clip-t", "clip-i"),
    ),
)
