"""The engine on tiny random pipelines, against diffusers' own and plain loops of the papers."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.diffusion import guidance
from studio.engine import Engine
from studio.errors import BadPreset, IncompatibleModels, MissingModel, NumericalError
from studio.events import Done, Preview, Progress
from studio.library import Library
from studio.preset import validate
from tests.support import tiny


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    tiny.pipeline(folder / "tuned", seed=1)
    tiny.pipeline(folder / "velocity", seed=2, prediction="v_prediction")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)))


def make(engine: Engine, **fields: object) -> list[Done]:
    fields.setdefault("base", "base")
    fields.setdefault("sampler", {"steps": 4, "scheduler": "ddim", "seed": 3})
    return [e for e in engine.generate(validate(fields)) if isinstance(e, Done)]


def pixels(done: Done) -> np.ndarray:
    return np.asarray(done.image).astype(int)


def theirs(root: Path, **arguments: object) -> np.ndarray:
    pipe = tiny.load(root / "base")
    generator = torch.Generator().manual_seed(3)
    image = pipe(num_inference_steps=4, width=16, height=16, generator=generator, **arguments)
    return np.asarray(image.images[0]).astype(int)


def test_one_row_is_diffusers_pipeline(engine: Engine, root: Path) -> None:
    ours = make(engine, rows=[{"prompt": "a cat", "weight": 7.5}])[0]
    assert np.abs(pixels(ours) - theirs(root, prompt="a cat", guidance_scale=7.5)).max() <= 1
    assert ours.forwards == 8


def test_negative_row_is_diffusers_negative_prompt(engine: Engine, root: Path) -> None:
    ours = make(engine, rows=[{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}])[
        0
    ]
    expected = theirs(root, prompt="cat", negative_prompt="bad", guidance_scale=7.5)
    assert np.abs(pixels(ours) - expected).max() <= 1
    assert ours.forwards == 8


def test_lora_row_at_omega_one_is_diffusers_pipeline_with_that_lora(
    engine: Engine, root: Path
) -> None:
    pipe = tiny.load(root / "base")
    pipe.load_lora_weights(root / "base/style")
    expected = pipe(
        "cat",
        guidance_scale=3.0,
        num_inference_steps=4,
        width=16,
        height=16,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    row = {"prompt": "cat", "weight": 3.0, "model": {"lora": "base/style"}}
    ours = make(engine, rows=[row], omega=1.0)[0]
    assert np.abs(pixels(ours) - np.asarray(expected).astype(int)).max() <= 2
    at_zero = make(engine, rows=[row], omega=0.0)[0]
    assert np.abs(pixels(at_zero) - pixels(ours)).max() > 2


def test_other_parameterisation_meets_at_the_same_noise(engine: Engine, root: Path) -> None:
    """An ε prior with a v-prediction row: converted to noise and summed, step by step."""
    ours = make(engine, rows=[{"prompt": "cat", "weight": 2.0, "model": "velocity"}])[0]
    prior, other = tiny.load(root / "base"), tiny.load(root / "velocity")
    null, cat = tiny.encode(prior, "", "cat")

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        level = prior.scheduler.alphas_cumprod[t]
        free, v = prior.unet(z, t, null).sample, other.unet(z, t, cat).sample
        return free + 2.0 * ((1 - level).sqrt() * z + level.sqrt() * v - free)

    assert np.abs(pixels(ours) - tiny.ddim(prior, predict)).max() <= 1


def test_omega_of_a_full_fine_tune_runs_on_interpolated_weights(engine: Engine, root: Path) -> None:
    ours = make(engine, omega=0.4, rows=[{"prompt": "cat", "weight": 3.0, "model": "tuned"}])[0]
    prior, tuned = tiny.load(root / "base"), tiny.load(root / "tuned")
    mixed = guidance.lerp_weights(prior.unet.state_dict(), [(tuned.unet.state_dict(), 0.4)])
    prior.unet.load_state_dict(mixed)
    null, cat = tiny.encode(prior, "", "cat")

    def predict(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        free = prior.unet(z, t, null).sample
        return free + 3.0 * (tuned.unet(z, t, cat).sample - free)

    assert np.abs(pixels(ours) - tiny.ddim(prior, predict)).max() <= 1


@pytest.mark.parametrize("scheduler", ["dpm++", "ddim", "euler", "euler_a", "unipc"])
def test_a_batch_is_its_single_images(engine: Engine, scheduler: str) -> None:
    rows = [
        {"prompt": "a", "weight": 3.0},
        {"prompt": "b", "weight": 2.0, "model": {"lora": "base/style"}},
    ]
    sampler = {"steps": 4, "scheduler": scheduler, "seed": 5, "count": 3}
    batch = make(engine, rows=rows, sampler=sampler)
    assert [d.seed for d in batch] == [5, 6, 7]
    for done in batch:
        single = make(engine, rows=rows, sampler={**sampler, "count": 1, "seed": done.seed})[0]
        assert np.abs(pixels(single) - pixels(done)).max() <= 1
        again = next(e for e in engine.generate(done.preset) if isinstance(e, Done))
        assert np.abs(pixels(again) - pixels(done)).max() <= 1


def test_no_step_counts_what_the_picture_is_not_said_to_have_taken(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading, and the batches before it."""
    prepared = Engine._prepared

    def slow(*asked: Any) -> Any:
        time.sleep(1.0)
        return prepared(*asked)

    monkeypatch.setattr(Engine, "_prepared", slow)
    events = list(engine.generate(validate({"base": "base", "sampler": {"steps": 2, "count": 2}})))
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last.stage == "decoding"
    assert 0 < last.seconds <= sum(event.seconds for event in events if isinstance(event, Done))


def test_events_and_cancel(engine: Engine) -> None:
    preset = validate({"base": "base", "sampler": {"steps": 5}})
    events = list(engine.generate(preset))
    assert [e.step for e in events if isinstance(e, Preview)] == [1, 2, 3, 4, 5]
    assert [e.step for e in events if isinstance(e, Progress)][:3] == [0, 1, 2]
    for stop_after in range(1, len(events)):
        run = engine.generate(preset)
        for _ in range(stop_after):
            next(run)
        run.close()
        assert not any(item["pinned"] for item in engine.describe())
    assert len(list(engine.generate(preset))) == len(events)


def test_same_row_diagnostics_as_by_hand(engine: Engine) -> None:
    done = make(engine, rows=[{"prompt": "a", "weight": 2.0}, {"prompt": "a", "weight": 4.0}])[0]
    low, high = done.shares
    assert np.allclose(2 * np.array(low.norm), high.norm, rtol=1e-5)
    assert np.allclose(low.cosine, 1.0, atol=1e-5)


def test_nan_names_its_row(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "base", tmp_path / "base")
    shutil.copytree(root / "tuned", tmp_path / "tuned")
    engine = Engine(device="cpu", library=Library((tmp_path,)))
    from studio.plan import Weights

    network = engine.loader.network(Weights("tuned"))
    next(network.parameters()).data.fill_(float("nan"))
    with pytest.raises(NumericalError) as caught:
        make(engine, rows=[{"prompt": "a"}, {"prompt": "b", "model": "tuned"}])
    assert "rows.1" in str(caught.value)
    assert make(engine, rows=[{"prompt": "a"}])  # the next generation works


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"sampler": {"width": 17, "height": 16}}, BadPreset, "sampler.width"),
        ({"rows": [{"model": {"lora": "absent"}}]}, MissingModel, "rows.0.model"),
        (
            {"rows": [{"control": {"type": "depth", "image": "map.png"}}]},
            MissingModel,
            "rows.0.control.model",
        ),
    ],
)
def test_mistakes_name_their_field(engine: Engine, fields: dict, error: type, field: str) -> None:
    with pytest.raises(error) as caught:
        make(engine, **fields)
    assert caught.value.field == field
    assert make(engine)


def test_lora_of_another_architecture(engine: Engine, root: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    (tmp_path / "wrong").mkdir()
    save_file(
        {
            "unet.mid_block.attentions.0.proj_in.lora_A.weight": torch.ones(2, 99),
            "unet.mid_block.attentions.0.proj_in.lora_B.weight": torch.ones(99, 2),
        },
        tmp_path / "wrong/pytorch_lora_weights.safetensors",
    )
    (tmp_path / "wrong/card.json").write_text(json.dumps({"base": "base"}))
    own = Engine(device="cpu", library=Library((root, tmp_path)))
    with pytest.raises(IncompatibleModels, match="another architecture") as caught:
        make(own, rows=[{"prompt": "a", "model": {"lora": "wrong"}}])
    assert "\n" not in str(caught.value)
