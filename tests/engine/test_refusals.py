"""What is refused would indeed be impossible or wrong, is named whole, and leaves nothing behind.

Each case is refused; then its guard is taken away, and what comes raises, is wrong against a plain
reckoning, or is silently what it would be without the thing refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.plan import row_models
from studio.preset import validate
from tests.support import fuzz_models, tiny
from tests.support.adapter_kinds import LINEAR
from tests.support.refused_cases import CASES, CONTROL, FLOW, SD, row

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    fuzz_models.build(folder)
    tiny.controlnet(folder / "base/lines", tiny.load(folder / "base").unet, "base")
    factors = {"A": torch.ones(2, 24), "B": torch.ones(8, 2)}
    wide = {f"unet.{LINEAR}.lora_{letter}.weight": t for letter, t in factors.items()}
    save_file(wide, folder / "wide.safetensors")
    deeper = {**fuzz_models.SMALL, "layers_per_block": 2}
    tiny.pipeline(folder / "deeper", seed=4, **deeper)
    return folder


def fresh(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root])


engine = pytest.fixture(scope="module")(fresh)


@pytest.fixture(scope="module")
def expected(root: Path) -> np.ndarray:
    """What an engine makes that was asked for nothing else before."""
    return make(fresh(root), **GOOD)


def make(engine: Engine, **fields: Any) -> np.ndarray:
    preset = validate({"base": "base", "sampler": SD, **fields})
    done = next(event for event in engine.generate(preset) if isinstance(event, Done))
    return np.asarray(done.image).astype(int)


GOOD: dict[str, Any] = {
    "omega": 0.4,
    "rows": [
        {"prompt": "cat", "weight": 3.0, "model": {"lora": "base/style"}, "mask": "left.png"},
        {"model": "base/concept", "weight": 1.0},
        {
            "prompt": "a <cat> here",
            "model": "cat-word",
            "control": {**CONTROL, "model": "base/lines"},
        },
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_named_whole_and_leaves_nothing_behind(
    engine: Engine, expected: np.ndarray, name: str
) -> None:
    case = CASES[name]
    with pytest.raises(StudioError) as caught:
        make(engine, **case.fields)
    error = caught.value
    assert error.field == case.at and "\n" not in str(error)
    assert case.given in error.message and case.allowed in error.message
    assert not any(part["pinned"] for part in engine.describe())
    assert np.array_equal(make(engine, **GOOD), expected)  # to the bit


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.without])
def test_without_its_guard_it_raises_or_does_nothing(
    root: Path, monkeypatch: Patch, name: str
) -> None:
    case = CASES[name]
    engine = fresh(root)
    for place, guard in case.without.items():
        monkeypatch.setattr(place, guard)
    if case.instead is None:
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, no picture comes
            make(engine, **case.fields)
    else:
        assert np.array_equal(make(engine, **case.fields), make(engine, **case.instead))


def test_models_of_two_latent_spaces_mean_two_latents_by_one_picture(engine: Engine) -> None:
    """One sum of both would add numbers of two scales: a picture's latents differ by far."""
    with pytest.raises(StudioError, match="works in latent space") as caught:
        make(engine, **row(model="xl"))
    assert caught.value.field == "rows.1.model"
    pixels = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found = []
    for base in ("base", "xl"):
        vae: Any = engine.loader.vae(base)
        with torch.no_grad():
            found.append(vae.encode(pixels).latent_dist.mean * vae.config.scaling_factor)
    assert (found[0] - found[1]).abs().max() > 0.5 * found[0].abs().max()


def test_a_size_between_two_latents_would_come_smaller(root: Path, monkeypatch: Patch) -> None:
    engine = fresh(root)
    odd = {"rows": [], "sampler": {**SD, "width": 17}}
    with pytest.raises(StudioError, match=r"sampler\.width: must be a multiple of 2 .* got 17"):
        make(engine, **odd)
    whole = row_models.check_base
    monkeypatch.setattr(
        "studio.engine.engine.check_base", lambda *given: replace(whole(*given), multiple=1)
    )
    assert make(engine, **odd).shape == (16, 16, 3)


def test_what_sana_does_not_read_would_be_cut_or_spelt_out(root: Path, monkeypatch: Patch) -> None:
    engine = fresh(root)
    sana = {"base": "sana", "sampler": FLOW}
    for prompt, given, allowed in (
        ("x" * 300, "301 tokens", "300"),
        ("(cat:1.5)", "cat", "without"),
    ):
        with pytest.raises(StudioError, match=given) as caught:
            make(engine, **sana, rows=[{"prompt": "a"}, {"prompt": prompt}])
        assert caught.value.field == "rows.1.prompt" and allowed in caught.value.message
    family: Any = engine.loader.family("sana")
    text: Any = engine.loader.text_encoder("sana")
    monkeypatch.setattr(family, "spans", lambda *_: 1)
    long, cut = (family.encode(text, ["x" * count]) for count in (400, 299))
    assert torch.equal(long.states, cut.states)  # the rest is not read
    marked, plain = (int(family.encode(text, [p]).mask.sum()) for p in ("(cat:1.5)", "cat"))
    assert marked - plain == len("(:1.5)")  # brackets and number as letters
