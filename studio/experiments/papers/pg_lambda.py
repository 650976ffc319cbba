"""Steering Guidance, Fig. 7: ω over λ."""

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

SHARES = (0.5, 1.0, 2.0)  # of the study's λ
OMEGAS = (0.3, 1.0)


def cells(study: Study) -> Iterator[Cell]:
    """Every λ with a small ω and with CFG."""
    for omega in OMEGAS:
        for share in SHARES:
            yield Cell(
                f"ω {omega:g}, λ × {share:g}",
                study.preset(lora(share * study.scale), omega=omega),
                Training("lora", "hero"),
                line=f"ω {omega:g}",
                at=share * study.scale,
            )


def over(omega: float, shares: tuple[float, ...] = SHARES) -> tuple[str, ...]:
    """The cells of one ω."""
    return tuple(f"ω {omega:g}, λ × {share:g}" for share in shares)


EXPERIMENTS.register(
    "pg_lambda",
    Experiment(
        paper="Steering Guidance, Fig. 7",
        claim="A small ω brings the subject out more than CFG at every λ, and the text is followed as "
        "well.",
        cells=cells,
        claims=(
            *(
                Claim(
                    f"subject at λ × {share:g}", "clip-i", over(0.3, (share,)), over(1.0, (share,))
                )
                for share in SHARES
            ),
            Claim("text, over all λ", "clip-t", over(0.3), over(1.0), margin=0.01),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=1,
        about="λ",
    ),
)
