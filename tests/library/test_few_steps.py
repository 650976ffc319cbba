"""Distilled models are known by name, and a plan says when their rows weigh too much."""

from __future__ import annotations

from typing import Any

import pytest

from studio.library.entry import ModelEntry
from studio.library.few_steps import few_steps
from studio.plan import compile_plan
from studio.preset import validate


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("latent-consistency/lcm-lora-sdxl", "LCM"),
        ("stabilityai/sdxl-turbo", "Turbo"),
        ("stabilityai/stable-diffusion-3.5-large-turbo", "Turbo"),
        ("Tongyi-MAI/Z-Image-Turbo", "Turbo"),
        ("baidu/ERNIE-Image-Turbo", "Turbo"),
        ("krea/Krea-2-Turbo", "Turbo"),
        ("loras/sdxl_lightning_4step", "Lightning"),
        ("ByteDance/Hyper-SDXL-8steps", "Hyper"),
        ("tianweiy/DMD2", "DMD"),
        ("black-forest-labs/FLUX.1-schnell", "FLUX.1 [schnell]"),
        ("black-forest-labs/FLUX.2-klein-4B", "FLUX.2 [klein]"),
        ("black-forest-labs/FLUX.2-klein-base-4B", ""),
        ("loras/lightning-storm", ""),
        ("loras/turbografx", ""),
        ("Tongyi-MAI/Z-Image", ""),
        ("baidu/ERNIE-Image", ""),
        ("krea/Krea-2-Raw", ""),
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", ""),
    ],
)
def test_a_name_tells(name: str, title: str) -> None:
    known = few_steps(name)
    assert (known.title if known else "") == title


def notes(rows: list[dict[str, Any]], base: str = "plain") -> list[str]:
    entries = {
        name: ModelEntry(id=name, kind=kind, family="sd1", bytes=1, path="x", channels=4)
        for name, kind in (("plain", "base"), ("sd-turbo", "base"), ("lcm-lora", "lora"))
    }
    preset = validate({"base": base, "rows": rows})
    return [note for note in compile_plan(preset, entries).notes if "distilled" in note]


def test_a_plan_says_when_a_distilled_model_is_guided_too_much() -> None:
    one = {"prompt": "a", "weight": 1.0}
    assert notes([one], "sd-turbo") == []
    (note,) = notes([one, {"prompt": "b", "weight": -0.5}], "sd-turbo")
    assert "sd-turbo" in note and "(Turbo)" in note and "these sum to 1.5" in note
    lcm = {"prompt": "a", "model": {"lora": "lcm-lora"}}
    heavy = {"prompt": "b", "weight": 9.0}  # not on the distilled weights
    assert notes([{**lcm, "weight": 2.0}, heavy]) == []
    assert len(notes([{**lcm, "weight": 7.5}])) == 1
    assert notes([{**lcm, "weight": 7.5, "enabled": False}, heavy]) == []
