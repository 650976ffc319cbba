"""What is loaded, for how long, and what happens when it does not fit or is no longer there."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from studio.engine import Engine
from studio.engine.inputs.memory_check import needs_of
from studio.engine.networks.storage import storages
from studio.errors import MissingModel, OutOfMemory
from studio.events import Done, Progress
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import Preset, validate
from tests.support import tiny

TUNED = ("tuned-1", "tuned-2", "tuned-3")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    tiny.lora(folder / "base/style", pipe.unet)
    tiny.controlnet(folder / "base/guide", pipe.unet, "base")
    for seed, name in enumerate(TUNED, 1):
        tiny.unet(seed).save_pretrained(folder / name / "unet")
        shutil.copytree(folder / "base/scheduler", folder / name / "scheduler")
        shutil.copytree(folder / "base/vae", folder / name / "vae")
        (folder / name / "model_index.json").write_text(
            (folder / "base/model_index.json").read_text()
        )
        (folder / name / "card.json").write_text('{"base": "base"}')
    return folder


@pytest.fixture
def root(models: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(models, tmp_path / "models"))


def preset(*names: str, **fields: object) -> Preset:
    rows = [{"prompt": "a", "weight": 2.0, "model": name} for name in names]
    sampler = {"steps": 2, "scheduler": "ddim", "seed": 3}
    return validate({"base": "base", "rows": rows, "sampler": sampler, **fields})


def engine_of(root: Path, budget: int | None = None) -> Engine:
    return Engine(device="cpu", library=Library((root,)), budget=budget)


def picture(engine: Engine, wanted: Preset) -> np.ndarray:
    done = next(e for e in engine.generate(wanted) if isinstance(e, Done))
    return np.asarray(done.image).astype(int)


def needs(engine: Engine, wanted: Preset):  # noqa: ANN201
    return needs_of(wanted, compile_plan(wanted, engine.library), engine.loader)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the folders that U-Nets are read from."""
    seen: list[str] = []
    original = UNet2DConditionModel.from_pretrained

    def read(path, **options):  # noqa: ANN001, ANN202
        seen.append(Path(path).name)
        return original(path, **options)

    monkeypatch.setattr(UNet2DConditionModel, "from_pretrained", read)
    yield seen


def test_needs_from_headers_are_the_bytes_that_are_loaded(root: Path) -> None:
    engine, wanted = engine_of(root), preset("tuned-1")
    wanted = wanted.model_copy(
        update={
            "rows": (
                *wanted.rows,
                *validate(
                    {
                        "rows": [
                            {
                                "prompt": "b",
                                "model": {"lora": "base/style"},
                                "control": {
                                    "type": "map",
                                    "image": "assets/examples/cat.png",
                                    "model": "base/guide",
                                },
                            }
                        ]
                    }
                ).rows,
            )
        }
    )
    told = needs(engine, wanted)
    picture(engine, wanted)
    loaded = sum(item["bytes"] for item in engine.describe())
    positions = 24 * 8  # the text tower counts its places in a buffer that no file holds
    assert sum(told.networks.values()) + told.others == loaded - positions
    assert engine.registry.total() < loaded  # the fine-tune shares what is equal with its base
    assert not told.streamed(loaded)


def test_weights_prompts_and_omega_load_nothing_again(root: Path, loads: list[str]) -> None:
    engine = engine_of(root)
    lora = {"prompt": "a", "weight": 2.0, "model": {"lora": "base/style"}}
    first = preset(rows=[lora], omega=0.2)
    picture(engine, first)
    total, resident = engine.registry.total(), len(engine.describe())
    for change in (
        {"omega": 0.7},
        {"rows": [{**lora, "weight": -3.0}]},
        {"rows": [{**lora, "prompt": "other"}]},
        {"sampler": {"steps": 3, "seed": 9}},
    ):
        picture(engine, validate({**first.model_dump(mode="json"), **change}))
    assert loads == ["base"]
    assert (engine.registry.total(), len(engine.describe())) == (total, resident)


def test_networks_take_turns_when_they_do_not_fit(root: Path, loads: list[str]) -> None:
    wanted = preset(*TUNED)
    roomy = engine_of(root)
    expected = picture(roomy, wanted)
    told = needs(roomy, wanted)
    tight = engine_of(root, budget=told.largest + told.others)
    loads.clear()
    peaks = []
    for event in tight.generate(wanted):
        peaks.append(tight.registry.total())
        if isinstance(event, Done):
            assert np.abs(np.asarray(event.image).astype(int) - expected).max() <= 1
    assert max(peaks) <= tight.registry.budget
    assert len(loads) > 4  # each network more than once: they took turns


def test_a_blend_takes_turns_too(root: Path) -> None:
    wanted = preset("tuned-1", omega=0.4)
    expected = picture(engine_of(root), wanted)
    told = needs(engine_of(root), wanted)
    tight = engine_of(root, budget=told.largest + told.others)
    assert np.abs(picture(tight, wanted) - expected).max() <= 1


def test_what_cannot_fit_is_refused_before_loading(root: Path, loads: list[str]) -> None:
    wanted = preset("tuned-1")
    told = needs(engine_of(root), wanted)
    least = told.largest + told.others
    engine = engine_of(root, budget=least - 1)
    with pytest.raises(OutOfMemory, match=f"at least {least} bytes") as caught:
        picture(engine, wanted)
    assert caught.value.field == "rows" and "\n" not in str(caught.value)
    assert (loads, engine.describe()) == ([], [])


def test_a_model_deleted_between_two_generations_is_named(root: Path) -> None:
    engine = engine_of(root)
    picture(engine, preset("tuned-1"))
    shutil.rmtree(root / "tuned-1")
    with pytest.raises(MissingModel, match="'tuned-1' is no longer in the library") as caught:
        picture(engine, preset("tuned-1"))
    assert caught.value.field == "rows.0.model"
    assert picture(engine, preset()).shape == (16, 16, 3)


def test_a_model_changed_between_two_generations_is_read_anew(root: Path) -> None:
    engine = engine_of(root)
    before = picture(engine, preset("tuned-1"))
    resident = len(engine.describe())
    file = next((root / "tuned-1/unet").glob("*.safetensors"))
    save_file({k: -v for k, v in load_file(file).items()}, file, metadata={"format": "pt"})
    os.utime(file, ns=(1, 1))
    after = picture(engine, preset("tuned-1"))
    assert np.abs(before - after).max() > 2
    assert np.abs(after - picture(engine_of(root), preset("tuned-1"))).max() <= 1
    assert len(engine.describe()) == resident  # the earlier version is not kept beside it


def test_twenty_generations_with_models_swapped_leave_memory_flat(root: Path) -> None:
    engine = engine_of(root)
    told = needs(engine, preset("tuned-1"))
    engine = engine_of(root, budget=sum(told.networks.values()) + told.others)

    def alive() -> int:
        gc.collect()
        nets = [o for o in gc.get_objects() if isinstance(o, UNet2DConditionModel)]
        return sum({p: s for net in nets for p, s in storages(net).items()}.values())

    gc.collect()
    before, seen = alive(), []
    for number in range(20):
        picture(engine, preset(TUNED[number % 3], omega=0.0))
        others = sum(i["bytes"] for i in engine.describe() if i["key"][0] != "unet")
        seen.append((alive() - before, engine.registry.total() - others, engine.registry.total()))
    assert seen[1:] == [seen[1]] * 19
    living, networks, total = seen[-1]
    assert living == networks  # what lives is what the registry says it holds
    assert total <= engine.registry.budget


@pytest.mark.parametrize("events", range(1, 10))
def test_cancelling_at_every_step_frees_what_the_run_held(
    models: Path, shared: Engine, events: int
) -> None:
    wanted = preset("tuned-1", sampler={"steps": 3, "scheduler": "ddim", "seed": 3, "count": 2})
    run = shared.generate(wanted)
    for _ in range(events):
        event = next(run)
    run.close()
    assert not any(item["pinned"] for item in shared.describe())
    unet = shared.loader.network(compile_plan(wanted, shared.library).passes[0].weights)
    assert all("forward" not in module.__dict__ for module in unet.modules())
    assert not any(module._forward_hooks for module in unet.modules())
    if events > 1:
        assert isinstance(event, Progress) or event is not None


@pytest.fixture(scope="module")
def shared(models: Path) -> Engine:
    return engine_of(models)


def test_the_next_generation_after_cancelling_is_the_same_picture(shared: Engine) -> None:
    expected = picture(shared, preset("tuned-1"))
    run = shared.generate(preset("tuned-1"))
    for _ in range(3):
        next(run)
    run.close()
    assert torch.equal(torch.tensor(picture(shared, preset("tuned-1"))), torch.tensor(expected))
