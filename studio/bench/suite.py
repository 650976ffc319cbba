"""The benchmark's table: which runs are compared, what is aimed at and what is not acceptable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studio.bench.counting import evaluations
from studio.bench.guard import attempt
from studio.bench.rounds import Case, Clock, Ratio, interleave, ratio
from studio.bench.scene import Run, Scene

MANY = 8
EQUAL = (  # runs that compute the same sum
    ("cfg", "diffusers cfg"),
    ("cfg", "cfg, exact"),
    ("3 prompts", "composable 3 prompts"),
    ("8 rows", "algorithm 1, 8 rows"),
)
Keep = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Comparison:
    """A ratio of two runs; ``aim`` and ``limit`` are the most it should and the most it may be."""

    above: str
    below: str
    aim: float
    limit: float


TABLE: Mapping[str, Comparison] = {
    "optimised_vs_bare": Comparison("cfg", "bare 2", 0.92, 1.00),
    "exact_vs_bare": Comparison("cfg, exact", "bare 1+1", 1.03, 1.05),
    "vs_diffusers_cfg": Comparison("cfg", "diffusers cfg", 0.92, 1.00),
    "vs_composable": Comparison("3 prompts", "composable 3 prompts", 0.55, 0.70),
    "omega_vs_cfg": Comparison("lora, omega 0.4", "lora, cfg", 1.01, 1.05),
    "rows8_vs_loop": Comparison("8 rows", "algorithm 1, 8 rows", 0.48, 0.60),
    "idle_row": Comparison("3 prompts and idle rows", "3 prompts", 1.00, 1.02),
}
# Not in the table, named beside it.
MORE: Mapping[str, tuple[str, str]] = {
    "optimised_vs_bare_4": ("3 prompts", "bare 4"),
    "optimised_vs_bare_9": ("8 rows", "bare 9"),
    "lora_cfg_vs_plain_cfg": ("lora, cfg", "cfg"),
    "omega_vs_plain_cfg": ("lora, omega 0.4", "cfg"),
}


def runs(scene: Scene) -> dict[str, Run]:
    """Every run of the table by name."""
    three = scene.rows(3)
    idle = [
        {"prompt": "of no weight", "weight": 0.0},
        {"prompt": "disabled", "weight": 3.0, "enabled": False},
        {**three[0], "weight": 0.5},  # a duplicate: its weight adds, its pass is there already
    ]
    return {
        "cfg": scene.engine(scene.rows(1)),
        "bare 2": scene.bare(1),
        "diffusers cfg": scene.diffusers(),
        "cfg, exact": scene.engine(scene.rows(1), exact=True),
        "bare 1+1": scene.bare(1, batched=False),
        "3 prompts": scene.engine(three),
        "3 prompts and idle rows": scene.engine([*three, *idle]),
        "composable 3 prompts": scene.loop(3),
        "bare 4": scene.bare(3),
        "lora, cfg": scene.engine(scene.lora_rows(), omega=1.0),
        "lora, omega 0.4": scene.engine(scene.lora_rows(), omega=0.4),
        "8 rows": scene.engine(scene.rows(MANY)),
        "algorithm 1, 8 rows": scene.loop(MANY),
        "bare 9": scene.bare(MANY),
    }


def measure(
    scene: Scene,
    rounds: int,
    clock: Clock,
    tell: Callable[[int], object] = lambda _: None,
    *,
    limit: float | None = None,
    failed: MutableMapping[str, str] | None = None,
    keep: Keep = lambda _: None,
) -> dict[str, Any]:
    """Time and count everything.

    Args:
        limit: seconds after which no further round begins.
        failed: takes the runs that fail, by name; what is compared with them is left out.
        keep: called with what is known before the rounds begin.

    Returns:
        ``ratios`` with the table's keys, ``more``, ``seconds`` (medians), ``evaluations`` (network
        sample-evaluations per run) and ``agreement`` (how far equal sums are apart).
    """
    made, failed = runs(scene), {} if failed is None else failed
    counted: dict[str, int] = {}
    outputs: dict[str, torch.Tensor] = {}
    for name, run in made.items():
        with evaluations(scene.network) as seen:
            output = attempt(name, failed, run)
        if output is not None:
            counted[name], outputs[name] = sum(seen), output
    found: dict[str, Any] = {
        "ratios": {},
        "more": {},
        "seconds": {},
        "evaluations": counted,
        "agreement": {
            f"{a} / {b}": apart(outputs[a], outputs[b])
            for a, b in EQUAL
            if a in outputs and b in outputs
        },
    }
    del outputs
    keep(found)
    cases = {name: Case(run) for name, run in made.items() if name in counted}
    seconds = interleave(cases, rounds, clock, tell, limit)
    found |= compared(seconds, TABLE)
    found["more"] = {
        key: ratio(seconds[a], seconds[b]).as_dict()
        for key, (a, b) in MORE.items()
        if a in seconds and b in seconds
    }
    return found


def compared(
    seconds: Mapping[str, Sequence[float]], table: Mapping[str, Comparison]
) -> dict[str, dict[str, Any]]:
    """``seconds``, the median of each run, and ``ratios``, those of ``table`` whose runs are there."""
    return {
        "seconds": {name: round(sorted(s)[len(s) // 2], 4) for name, s in seconds.items()},
        "ratios": {
            key: judged(ratio(seconds[c.above], seconds[c.below]), c)
            for key, c in table.items()
            if c.above in seconds and c.below in seconds
        },
    }


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """``max|a − b| / max|b|`` in float32."""
    one, other = one.float(), other.float()
    return float(f"{float((one - other).abs().max() / other.abs().max()):.2e}")


def judged(found: Ratio, comparison: Comparison) -> dict[str, Any]:
    """A ratio beside its aim; the verdict is of the median."""
    verdict = (
        "aim met"
        if found.median <= comparison.aim
        else "acceptable"
        if found.median <= comparison.limit
        else "not acceptable"
    )
    return {**found.as_dict(), "aim": comparison.aim, "limit": comparison.limit, "verdict": verdict}
