"""Masks, references and control of one step, against loops by hand in float64."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.engine.networks.loader import Loader
from studio.errors import BadPreset, MissingFile
from tests.support.one_step import (  # noqa: F401
    LEVEL,
    STYLE,
    Predict,
    T,
    Z,
    denoiser,
    loader,
    predict,
    preset_of,
    root,
)


def test_a_mask_is_averaged_to_the_latents(loader: Loader, root: Path) -> None:
    mask = denoiser(loader, root, preset_of({"prompt": "x", "mask": "mask.png"})).masks["mask.png"]
    pixels = torch.from_numpy(np.asarray(Image.open(root / "mask.png")).copy()).double()
    by_hand = torch.nn.functional.avg_pool2d(pixels[None, None], 2) / 255
    assert mask.shape == (1, 1, 8, 8)
    assert (mask - by_hand).abs().max() < 1e-6
    assert (mask == 0).sum() == 24


WAYS = [{}, {"max_samples": 2}, {"max_samples": 5}, {"exact": True}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_masked_rows_are_a_map_of_coefficients(
    loader: Loader, root: Path, predict: Predict, way: dict[str, Any]
) -> None:
    """Masks on prior, LoRA and negative rows, under ω, a batch of three, through each path."""
    preset = preset_of(
        {"prompt": "cat", "weight": 4.0},
        {"prompt": "in style", "weight": 3.0, "model": STYLE, "mask": "mask.png"},
        {
            "prompt": "bad",
            "weight": -1.5,
            "mask": "mask.png",
            "reference": "autoguidance",
            "model": STYLE,
        },
        omega=0.4,
    )
    denoise = denoiser(loader, root, preset, **way)
    got = denoise(0, Z, T, *LEVEL)
    mask = denoise.masks["mask.png"].double()
    free = (1 - mask) * predict("") + mask * predict("", 0.28)  # θ_ω belongs where its row does
    expected = free + 4.0 * (predict("cat") - free)
    expected = expected + mask * 3.0 * (predict("in style", 0.7) - free)
    expected = expected - mask * 1.5 * (predict("bad", 0.7) - predict("bad"))
    assert (got - expected).abs().max() < 1e-8
    alone = predict("") + 4.0 * (predict("cat") - predict(""))
    assert (got - alone)[..., mask[0, 0] == 0].abs().max() < 1e-8
    assert denoise.forwards == 6 * len(Z)


def test_a_white_mask_is_no_mask(loader: Loader, root: Path) -> None:
    rows = {"prompt": "a", "weight": 3.0}, {"prompt": "b", "weight": -1.0}
    masked = denoiser(loader, root, preset_of(*({**row, "mask": "white.png"} for row in rows)))
    plain = denoiser(loader, root, preset_of(*rows))
    got, expected = (d(0, Z, T, *LEVEL) for d in (masked, plain))
    assert (got - expected).abs().max() < 1e-12
    (told,), (by_hand,) = masked.assembly.sizes, plain.assembly.sizes
    for row, sizes in by_hand.items():
        assert told[row] == pytest.approx(sizes)


@pytest.mark.parametrize(("mask", "error"), [("wide.png", BadPreset), ("none.png", MissingFile)])
def test_a_mask_that_cannot_be_used_is_named(
    loader: Loader, root: Path, mask: str, error: type
) -> None:
    with pytest.raises(error) as caught:
        denoiser(loader, root, preset_of({"prompt": "a"}, {"prompt": "b", "mask": mask}))
    assert caught.value.field == "rows.1.mask"
    if mask == "wide.png":
        assert "16x12" in str(caught.value) and "16x16" in str(caught.value)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("mask", ["", "mask.png"])
def test_references_with_lora_omega_and_mask(
    loader: Loader, root: Path, predict: Predict, way: dict[str, Any], mask: str
) -> None:
    weak = predict("", 0.7 * 0.3)
    if mask:
        inside = denoiser(loader, root, preset_of({"prompt": "x", "mask": mask})).masks[mask]
        weak = inside.double() * weak + (1 - inside.double()) * predict("")
    references = {
        "unconditional": weak,
        "autoguidance": predict("x"),
        "own": predict("", 0.7 * 0.3),
        "prompt": predict("thing", 0.7),
    }
    for name, reference in references.items():
        row = {
            "prompt": "x",
            "weight": 2.5,
            "model": STYLE,
            "mask": mask,
            "reference": {"prompt": "thing"} if name == "prompt" else name,
        }
        preset = preset_of(row, {"prompt": "y", "weight": 1.5}, omega=0.3)
        denoise = denoiser(loader, root, preset, **way)
        got = denoise(0, Z, T, *LEVEL)
        told = denoise.masks[mask].double() if mask else 1.0
        expected = weak + told * 2.5 * (predict("x", 0.7) - reference)
        expected = expected + 1.5 * (predict("y") - weak)
        assert (got - expected).abs().max() < 1e-8


def test_control_reaches_only_its_masked_row(loader: Loader, root: Path, predict: Predict) -> None:
    control = {"type": "map", "image": "map.png", "strength": 0.7}
    row = {"prompt": "x", "weight": 2.0, "control": control}
    other = {"prompt": "y", "weight": 1.0}
    plain = denoiser(loader, root, preset_of(row, other))
    masked = denoiser(loader, root, preset_of({**row, "mask": "mask.png"}, other))
    bound, got = (d(0, Z, T, *LEVEL) for d in (plain, masked))
    base = predict("y")  # ε_0 + 1·(ε_y − ε_0)
    expected = base + masked.masks["mask.png"].double() * (bound - base)
    assert (bound - base).abs().max() > 1e-2
    assert (got - expected).abs().max() < 1e-8
