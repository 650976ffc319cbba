"""Steering Guidance, Table 7: LoRA ranks."""

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

RANKS = (2, 4, 8, 16)  # 8 is what small families train with


def cells(study: Study) -> Iterator[Cell]:
    """Every rank with CFG and with ours."""
    for name, omega in (("CFG", 1.0), ("ours", 0.0)):
        for rank in RANKS:
            yield Cell(
                f"{name}, rank {rank}",
                study.preset(lora(study.scale), omega=omega),
                Training("lora", "hero", {"rank": rank}),
                line=name,
                at=rank,
            )


def all_of(name: str, ranks: tuple[int, ...] = RANKS) -> tuple[str, ...]:
    """A guidance at these ranks."""
    return tuple(f"{name}, rank {rank}" for rank in ranks)


EXPERIMENTS.register(
    "pg_rank",
    Experiment(
        paper="Steering Guidance, Table 7",
        claim="At every rank ours brings the subject out more than CFG; at half the rank it is no worse.",
        cells=cells,
        claims=(
            *(
                Claim(
                    f"subject, rank {rank}",
                    "clip-i",
                    all_of("ours", (rank,)),
                    all_of("CFG", (rank,)),
                )
                for rank in RANKS
            ),
            Claim("subject, over all ranks", "clip-i", all_of("ours"), all_of("CFG")),
            Claim(
                "subject, ours at half the rank over CFG",
                "clip-i",
                all_of("ours", RANKS[:-1]),
                all_of("CFG", RANKS[1:]),
            ),
        ),
        metrics=("clip-i", "vision-i", "clip-t"),
        prompts=MORE_PROMPTS,
        seeds=2,
        about="rank",
    ),
)
