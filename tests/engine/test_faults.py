"""Faults while an image is made: named in one line, what was good is kept, the next image works."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.engine import Engine, decoding
from studio.engine.networks import memory
from studio.errors import NumericalError, OutOfMemory, StudioError
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
    from studio.ui.runs import Runs
    from studio.ui.space import Limits
    from tests.support.fake_engine import FakeEngine, values

    failing = FakeEngine(fails=NumericalError("NaN at step 2", field="rows.1"))
    runs = Runs(failing, Limits())
    session = runs.session("visitor")
    updates = list(run.generate(runs, Limits(), session, "page", values()))
    stages = [update.stage for update in updates if update.stage != gr.skip()]
    (kept,) = stages[-1]["images"]
    assert kept["src"].startswith("data:image/jpeg") and "unfinished" in kept["caption"]
    assert "row 2: NaN" in updates[-1].progress and 'data-state="failed"' in updates[-1].progress


FULL = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 9437184 bytes."
)


class FailsAbove:
    """A function that says that memory is exhausted for batches larger than ``most``."""

    def __init__(self, function: Callable[..., Any], most: float, error: BaseException) -> None:
        self.function, self.most, self.error = function, most, error
        self.batches: list[int] = []

    def __call__(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        self.batches.append(len(x))
        if len(x) > self.most:
            raise self.error
        return self.function(x, *args, **kwargs)


@pytest.mark.parametrize("error", [FULL, MemoryError(), torch.OutOfMemoryError("CUDA")])
def test_exhausted_memory_halves_a_batch_and_its_decoding(
    models: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    engine, wanted = Engine(device="cpu", library=Library((models,))), preset(None, "tuned")
    wanted = wanted.model_copy(update={"sampler": wanted.sampler.model_copy(update={"count": 4})})
    expected = [np.asarray(e.image) for e in engine.generate(wanted) if isinstance(e, Done)]
    network, vae = engine.loader.network(Weights("base")), engine.loader.vae("base")
    convolved = FailsAbove(network.get_submodule("conv_out").forward, 2, error)
    monkeypatch.setattr(network.get_submodule("conv_out"), "forward", convolved, raising=False)
    decoded = FailsAbove(vae.decode, 1, error)
    monkeypatch.setattr(vae, "decode", decoded, raising=False)
    made = [np.asarray(e.image) for e in engine.generate(wanted) if isinstance(e, Done)]
    assert max(convolved.batches) > 2 and decoded.batches == [4, 2, 1, 1, 2, 1, 1]
    for one, other in zip(made, expected, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


@pytest.mark.parametrize("place", ["network", "vae"])
def test_memory_that_never_suffices_is_one_line(
    models: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    engine, wanted = Engine(device="cpu", library=Library((models,))), preset(None)
    expected = picture(engine, wanted)
    with monkeypatch.context() as patched:
        if place == "network":
            network = engine.loader.network(Weights("base")).get_submodule("conv_out")
            patched.setattr(network, "forward", FailsAbove(network.forward, 0, FULL), raising=False)
        else:
            vae = engine.loader.vae("base")
            patched.setattr(vae, "decode", FailsAbove(vae.decode, 0, FULL), raising=False)
        with pytest.raises(OutOfMemory, match=r"sampler\.width: .*choose a smaller width"):
            picture(engine, wanted)
    assert (picture(engine, wanted) == expected).all()


def test_another_runtime_error_is_not_taken_for_memory(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(device="cpu", library=Library((models,)))
    vae = engine.loader.vae("base")
    other = RuntimeError("shapes do not fit")
    monkeypatch.setattr(vae, "decode", FailsAbove(vae.decode, 0, other), raising=False)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        picture(engine, preset(None))


def test_large_pictures_are_decoded_in_parts_where_little_is_free(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pictures of 16x16 where one is estimated to fit: one after another, never together."""
    engine, wanted = Engine(device="cpu", library=Library((models,))), preset(None)
    wanted = wanted.model_copy(update={"sampler": wanted.sampler.model_copy(update={"count": 2})})
    vae = engine.loader.vae("base")
    seen = FailsAbove(vae.decode, 9, FULL)
    monkeypatch.setattr(vae, "decode", seen, raising=False)
    free = int(1.5 * memory.decoder_bytes(vae, 16 * 16) / decoding.SHARE)
    monkeypatch.setattr(memory, "free_bytes", lambda: free)
    monkeypatch.setattr(memory, "network_bytes", lambda *_: 1)  # the steps fit
    assert sum(isinstance(event, Done) for event in engine.generate(wanted)) == 2
    assert seen.batches == [1, 1]
