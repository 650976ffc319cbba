"""Diffusion-DPO's loss by hand, and the LoRA that ships is of the shape that any other is."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from studio.library import LORA_FILE
from studio.starter.pictures.contents import CONTENTS, STYLES
from studio.starter.stages import preferences
from tests.support import tiny

CPU = torch.device("cpu")


def test_the_loss_is_the_papers_worked_by_hand() -> None:
    better, worse = np.array([0.5, 0.2]), np.array([0.9, 0.4])
    better_before, worse_before = np.array([0.7, 0.1]), np.array([0.8, 0.6])
    beta = 3.0
    by_hand = [
        -math.log(1 / (1 + math.exp(beta * ((w - rw) - (l - rl)))))  # σ(−β·…) = 1/(1 + e^{β·…})
        for w, l, rw, rl in zip(better, worse, better_before, worse_before, strict=True)  # noqa: E741
    ]
    errors = [torch.from_numpy(e) for e in (better, worse, better_before, worse_before)]
    assert preferences.preference_loss(*errors, beta=beta).item() == pytest.approx(
        sum(by_hand) / 2, rel=1e-12
    )
    unmoved = preferences.preference_loss(errors[0], errors[1], errors[0], errors[1])
    assert unmoved.item() == pytest.approx(math.log(2))


def test_its_gradient_lowers_the_error_of_what_is_preferred() -> None:
    better = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    worse = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    preferences.preference_loss(better, worse, better.detach(), worse.detach(), beta=2.0).backward()
    assert better.grad is not None and worse.grad is not None
    assert better.grad.item() == pytest.approx(1.0)  # β·σ(0)
    assert worse.grad.item() == pytest.approx(-1.0)


def test_a_preference_is_the_content_asked_for_in_the_preferred_style() -> None:
    contents, styles = torch.zeros(2, len(CONTENTS)), torch.zeros(2, len(STYLES))
    contents[1, 7] = 5.0
    styles[1, list(STYLES).index("glossy")] = 5.0
    value = preferences.preference(contents, styles, torch.tensor([7, 7]))
    assert value[0].item() == pytest.approx(-math.log(len(CONTENTS)) - math.log(len(STYLES)))
    assert value[1] > value[0]
    assert preferences.shares(contents, styles, torch.tensor([7, 7]))["content"] == 0.5


def test_prompts_name_no_style_and_those_it_is_measured_on_are_others() -> None:
    one, numbers = preferences.prompts(40)
    others, _ = preferences.prompts(20, skip=40)
    both, _ = preferences.prompts(60)
    assert [*one, *others] == both
    for text, number in zip(one, numbers, strict=True):
        assert CONTENTS[int(number)].name in text and not any(style in text for style in STYLES)


def test_it_trains_the_factors_alone_and_saves_a_lora(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.pipeline(tmp_path)
    monkeypatch.setattr(preferences, "PROMPTS", 3)
    monkeypatch.setattr(preferences, "TRIAL", 2)
    monkeypatch.setattr(preferences, "STEPS", 2)
    monkeypatch.setattr(preferences, "load", lambda folder: _judge)
    monkeypatch.setattr(preferences, "Texts", _Texts)
    monkeypatch.setattr(preferences, "shrink", lambda pictures: pictures)  # they are smaller
    preferences.train(tmp_path, 0.0005, CPU)
    weights = load_file(tmp_path / preferences.FOLDER / LORA_FILE)
    assert weights and {value.dtype for value in weights.values()} == {torch.float16}
    assert any(
        value.abs().max() > 0
        for name, value in weights.items()
        if "lora.up" in name or "lora_B" in name
    )
    figures = json.loads((tmp_path / "figures" / f"{preferences.FOLDER}.json").read_text())
    assert (
        figures["pairs"] == 3
        and figures["steps"] >= 1
        and set(figures["after"]) == {"content", "glossy"}
    )
    kept = (tmp_path / "preferences.pt").read_bytes()
    preferences.train(tmp_path, 0.0005, CPU)
    assert (tmp_path / "preferences.pt").read_bytes() == kept  # drawn once


class _Texts:
    """States of captions without an encoder; the tiny one reads fewer tokens than the starter's."""

    def __init__(self, work: Path, device: torch.device) -> None:
        del work
        self.device = device

    def __call__(self, texts: list[str]) -> torch.Tensor:
        return torch.stack([torch.full((4, tiny.WIDTH), len(text) / 99) for text in texts])


def _judge(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Brighter pictures look glossier to it."""
    bright = images.mean((1, 2, 3))
    styles = torch.zeros(len(images), len(STYLES))
    styles[:, preferences.PREFERRED] = bright
    return torch.zeros(len(images), len(CONTENTS)), styles, torch.zeros(len(images), 1)
