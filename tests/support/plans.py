"""Plans of a small catalogue, and a made-up prediction for every pass, to compare with sums by hand."""

from __future__ import annotations

import zlib

from studio.library import ModelEntry
from studio.plan import Condition, Plan, Weights, compile_plan
from studio.preset import validate

CATALOGUE = {
    name: ModelEntry(name, kind, family, 0, "somewhere", latent_space=space)
    for name, kind, family, space in [
        ("starter", "base", "sd1", "16x8"),
        ("starter/faces", "concept", "sd1", "16x8"),
        ("lora", "lora", "sd1", "16x8"),
        ("lora2", "lora", "sd1", "16x8"),
        ("tuned", "finetune", "sd1", "16x8"),
        ("xl", "base", "sdxl", "4x8"),
        ("canny", "controlnet", "sd1", "16x8"),
    ]
}


def plan_of(**fields: object) -> Plan:
    return compile_plan(validate(fields), CATALOGUE)


def value(weights: object, condition: object) -> float:
    """A made-up prediction for each distinct (weights, condition): any injective map will do."""
    return zlib.crc32(f"{weights}|{condition}".encode()) / 2**32 - 0.5


def total(plan: Plan, step: int = 0) -> float:
    return sum(p.coefficients[step] * value(p.weights, p.condition) for p in plan.passes)


def eps(text: str, model: str = "starter") -> float:
    return value(Weights(model), Condition(text))


NULL = ""
