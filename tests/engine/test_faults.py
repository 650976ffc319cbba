"""Faults while an image is made: named in one line, what was good is kept, the next image works."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.engine import Engine
from studio.errors import NumericalError, StudioError
from studio.events import Done, Preview
from studio.library import Library
from studio.plan import Weights
from studio.preset import Preset, validate
from tests.support import tiny


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    tiny.pipeline(folder / "tuned", seed=1)
    return folder


def preset(*models: object, steps: int = 4) -> Preset:
    rows = [{"prompt": "a", "weight": 2.0, "model": model} for model in models]
    return validate(
        {"base": "base", "rows": rows, "sampler": {"steps": steps, "scheduler": "ddim", "seed": 3}}
    )


def picture(engine: Engine, wanted: Preset) -> np.ndarray:
    return np.asarray(next(e for e in engine.generate(wanted) if isinstance(e, Done)).image)


class BreaksAt:
    """A layer's forward that puts out NaN from its ``call``-th call on."""

    def __init__(self, module: torch.nn.Module, call: int) -> None:
        self.forward, self.left = module.forward, call

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        return self.forward(x) * (float("nan") if self.left < 0 else 1.0)


@pytest.mark.parametrize("good", [0, 1, 3])
def test_nan_in_one_row_is_named_and_the_good_previews_are_kept(
    models: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    engine, wanted = Engine(device="cpu", library=Library((models,))), preset(None, "tuned", None)
    expected = picture(engine, wanted)
    last = engine.loader.network(Weights("tuned")).get_submodule("conv_out")
    monkeypatch.setattr(last, "forward", BreaksAt(last, good), raising=False)
    seen: list[Preview] = []
    with pytest.raises(NumericalError) as caught:
        for event in engine.generate(wanted):
            seen += [event] if isinstance(event, Preview) else []
    assert caught.value.field == "rows.1"
    assert f"step {good + 1}" in str(caught.value) and "\n" not in str(caught.value)
    assert [preview.step for preview in seen] == list(range(1, good + 1))
    assert not any(part["pinned"] for part in engine.describe())
    monkeypatch.undo()
    assert np.array_equal(picture(engine, wanted), expected)


@pytest.mark.parametrize(
    ("file", "models_of", "field"),
    [
        ("tuned/unet/diffusion_pytorch_model.safetensors", ("tuned",), "rows.0.model"),
        ("base/style/pytorch_lora_weights.safetensors", ({"lora": "base/style"},), "rows.0.model"),
        ("base/unet/diffusion_pytorch_model.safetensors", (None,), ""),
        ("base/vae/diffusion_pytorch_model.safetensors", (None,), ""),
        ("base/text_encoder/model.safetensors", (None,), ""),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_file_damaged_between_two_generations(
    models: Path, tmp_path: Path, file: str, models_of: tuple, field: str, damage: str
) -> None:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    engine, wanted = Engine(device="cpu", library=Library((folder,))), preset(*models_of, steps=1)
    expected = picture(engine, wanted)
    path, whole = folder / file, (folder / file).read_bytes()
    path.write_bytes(whole[:-50] if damage == "cut" else b"\xff" * 200)
    with pytest.raises(StudioError) as caught:
        picture(engine, wanted)
    told = str(caught.value)
    assert file.split("/")[0] in told and "\n" not in told and len(told) < 400
    if field:
        assert caught.value.field == field
    assert not any(part["pinned"] for part in engine.describe())
    path.write_bytes(whole)
    assert np.array_equal(picture(engine, wanted), expected)


def test_the_page_keeps_the_last_good_preview() -> None:
    pytest.importorskip("gradio")
    import gradio as gr

    from studio.ui import run
    from studio.ui.space import Limits
    from tests.support.fake_engine import FakeEngine, values

    failing = FakeEngine(fails=NumericalError("NaN at step 2", field="rows.1"))
    updates = list(run.generate(failing, Limits(), [], "visitor", *values()))
    stages = [update.stage for update in updates if update.stage != gr.skip()]
    assert stages[-1]["state"] == "running" and stages[-1]["images"]
    assert updates[-1].stage == gr.skip() and "rows.1" in updates[-1].progress
