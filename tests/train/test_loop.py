"""The training loop on tiny random networks: arithmetic, resuming, and what stops it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from peft import LoraConfig
from PIL import Image

from studio.engine.families import family_named
from studio.errors import NumericalError, StudioError
from studio.home import training_folder
from studio.library import Library
from studio.train import train
from studio.train.data import Order, mixed
from studio.train.events import Losses, Note, TrainProgress
from studio.train.runner import kept_settings
from tests.support import train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def test_a_step_is_diffusers_arithmetic_written_plainly(folder: Path) -> None:
    events = train_tiny.run(
        train_tiny.config(
            folder,
            steps=1,
            rank=2,
            targets="attention",
            rate=1e-2,
            weight_decay=0.01,
            time_power=1.0,
        )
    )
    got, loss = train_tiny.tensors(train_tiny.result_of(events)), train_tiny.losses_of(events)[0]

    entry = Library()["tiny"]
    family = family_named(entry.family)
    cpu, names = torch.device("cpu"), list(train_tiny.CAPTIONS)
    torch.manual_seed(5)
    unet = UNet2DConditionModel.from_pretrained(Path(entry.path) / "unet")
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(
            r=2,
            lora_alpha=2,
            init_lora_weights="gaussian",
            target_modules=["to_q", "to_k", "to_v", "to_out.0"],
        )
    )
    vae = family.load_vae(entry, cpu, torch.float32)
    text = family.load_text(entry, cpu, torch.float32)
    indices = Order([(8, 8)] * 4, 2, 5).indices(0)
    generator = torch.Generator().manual_seed(mixed(5, 2, 0))
    of_latent, noise = (torch.randn((2, 4, 8, 8), generator=generator) for _ in range(2))
    times = (1000 * torch.rand(2, generator=generator, dtype=torch.float64)).long()
    pixels = torch.stack([_pixels(folder / names[i]) for i in indices])
    moments = vae.encode(pixels).latent_dist
    clean = (moments.mean + moments.std * of_latent) * vae.config.scaling_factor
    scheduler = DDIMScheduler.from_pretrained(Path(entry.path) / "scheduler")
    states = family.encode_text(text, [train_tiny.CAPTIONS[names[i]] for i in indices])
    output = unet(scheduler.add_noise(clean, noise, times), times, states).sample
    expected = torch.nn.functional.mse_loss(output, noise)
    trained = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01)
    expected.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()

    assert loss.mse == loss.total == pytest.approx(float(expected.detach()), rel=1e-5)
    names = {name: p for name, p in unet.named_parameters() if p.requires_grad}
    assert len(names) == len(got) > 0
    for name, parameter in names.items():
        plain = name.replace("lora_A.default", "lora.down").replace("lora_B.default", "lora.up")
        key = f"pytorch_lora_weights.safetensors/unet.{plain}"
        torch.testing.assert_close(got[key], parameter.detach(), rtol=1e-4, atol=1e-5)


def _pixels(path: Path) -> torch.Tensor:
    import numpy as np
    from PIL import Image

    array = np.asarray(Image.open(path).convert("RGB")).astype(np.float32)
    return torch.from_numpy(array / 127.5 - 1).permute(2, 0, 1)


@pytest.mark.parametrize(
    "method, changes",
    [
        ("lora", {"ddloss": 0.2}),
        ("lora+ti", {"pdloss": 0.1, "ddloss": 0.2}),
        ("concept", {"ema": 0.9, "flips": True}),
    ],
)
def test_paused_and_resumed_is_uninterrupted_to_the_bit(
    folder: Path, method: str, changes: dict
) -> None:
    whole = train_tiny.config(folder, method, steps=4, name="whole", **changes)
    events = train_tiny.run(whole)
    halves = train_tiny.config(folder, method, steps=4, name="halves", **changes)
    running = train(halves, device="cpu")
    first = []
    for event in running:
        first.append(event)
        if isinstance(event, TrainProgress) and event.step == 2:
            break
    running.close()  # pausing writes a checkpoint
    rest = train_tiny.run(halves, resume=True)
    assert Note("resumed after step 2") in rest
    together = train_tiny.losses_of(first) + train_tiny.losses_of(rest)
    assert together == train_tiny.losses_of(events) and len(together) == 4
    assert train_tiny.same(train_tiny.result_of(events), train_tiny.result_of(rest))
    log = (training_folder("halves") / "losses.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [1, 2, 3, 4]


def test_a_killed_training_loses_the_steps_since_its_checkpoint_only(folder: Path) -> None:
    config = train_tiny.config(folder, steps=5, checkpoint_every=2, name="killed")
    running = train(config, device="cpu")
    for event in running:
        if isinstance(event, Losses) and event.step == 4:
            break
    # As after kill -9: nothing more is written. Closing would save, so only the file is looked at.
    state = torch.load(training_folder("killed") / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    running.close()
    rest = train_tiny.run(config, resume=True)
    assert train_tiny.losses_of(rest)[-1].step == 5


def test_resuming_with_changed_settings_is_refused_with_the_difference(folder: Path) -> None:
    config = train_tiny.config(folder, steps=1)
    train_tiny.run(config)
    with pytest.raises(StudioError, match=r"rate was 0\.002, now 0\.5"):
        train_tiny.run(config.model_copy(update={"rate": 0.5}), resume=True)
    (folder / "captions.json").write_text(
        json.dumps({**train_tiny.CAPTIONS, "0.png": "a <hero> ghost at sea"})
    )
    with pytest.raises(StudioError, match="data was"):
        train_tiny.run(config, resume=True)


def test_other_pictures_are_refused_other_bits_of_the_same_are_not(folder: Path) -> None:
    """Processors encode the same picture to other bits, which earlier versions compared."""
    config = train_tiny.config(folder, steps=1)
    train_tiny.run(config)
    path = training_folder(config.name) / "settings.json"
    kept = json.loads(path.read_text())
    texts = kept["data"].partition("-")[2]
    path.write_text(json.dumps({**kept, "data": "0123456789abcdef" + texts}))
    events = train_tiny.run(config.model_copy(update={"steps": 2}), resume=True)
    assert [e.text for e in events if isinstance(e, Note) and "cannot be told" in e.text]
    assert json.loads(path.read_text())["data"] == kept["data"]
    Image.new("RGB", (16, 16), "red").save(folder / "0.png")
    with pytest.raises(StudioError, match="data was"):
        train_tiny.run(config.model_copy(update={"steps": 3}), resume=True)


def test_a_training_from_before_the_choice_of_norms_goes_on_with_means(folder: Path) -> None:
    means = train_tiny.config(folder, steps=2, name="old", ddloss=50.0, ddloss_norm="mean")
    running = train(means, device="cpu")
    for event in running:
        if isinstance(event, TrainProgress) and event.step == 1:
            break
    running.close()
    path = training_folder("old") / "settings.json"
    kept = json.loads(path.read_text())
    del kept["ddloss_norm"]  # as a version wrote it that knew no such setting
    path.write_text(json.dumps(kept))
    assert kept_settings("old").ddloss_norm == "mean"
    sums = means.model_copy(update={"ddloss_norm": "sum"})  # what the same command resolves to now
    for steps in (2, 3):  # also the next time
        events = train_tiny.run(sums.model_copy(update={"steps": steps}), resume=True)
        assert any(isinstance(e, Note) and "ddloss_norm: mean" in e.text for e in events)
    whole = train_tiny.run(means.model_copy(update={"name": "whole", "steps": 3}))
    assert train_tiny.same(train_tiny.result_of(events), train_tiny.result_of(whole))
    begun = means.model_copy(update={"name": "new"})
    train_tiny.run(begun)
    with pytest.raises(StudioError, match="ddloss_norm was 'mean', now 'sum'"):
        train_tiny.run(begun.model_copy(update={"ddloss_norm": "sum"}), resume=True)


def test_more_steps_may_follow(folder: Path) -> None:
    config = train_tiny.config(folder, steps=2, name="whole")
    short = config.model_copy(update={"name": "more", "steps": 1})
    train_tiny.run(short)
    more = train_tiny.run(short.model_copy(update={"steps": 2}), resume=True)
    assert train_tiny.same(train_tiny.result_of(train_tiny.run(config)), train_tiny.result_of(more))


def test_a_name_is_not_taken_twice(folder: Path) -> None:
    config = train_tiny.config(folder, steps=1)
    with pytest.raises(StudioError, match=f"already holds '{config.base}'"):
        train_tiny.run(config.model_copy(update={"name": config.base}))  # it lies elsewhere
    train_tiny.run(config)
    with pytest.raises(StudioError, match="already holds 'mine'"):
        train_tiny.run(config)
    before = train_tiny.losses_of(train_tiny.run(config, restart=True))
    assert [loss.step for loss in before] == [1]
    with pytest.raises(StudioError, match="no checkpoint of 'other'"):
        train_tiny.run(config.model_copy(update={"name": "other"}), resume=True)


def test_a_rate_that_diverges_stops_with_the_last_good_checkpoint(folder: Path) -> None:
    config = train_tiny.config(folder, "dreambooth", steps=60, rate=1e30, checkpoint_every=1)
    with pytest.raises(NumericalError, match="lower the rate") as stopped:
        train_tiny.run(config)
    path = training_folder("mine") / "checkpoint.pt"
    if path.is_file():
        state = torch.load(path, weights_only=True)
        assert f"step {state['step']} is kept" in str(stopped.value)
        assert all(bool(torch.isfinite(t).all()) for t in state["trained"].values())
    assert not (Path(os.environ["STUDIO_HOME"]) / "models" / "mine").exists()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"method": ["lora"]}', '{"method": 3}', "null"])
def test_settings_that_are_none_are_one_line(studio_home: Path, text: str) -> None:
    place = training_folder("odd")
    place.mkdir(parents=True)
    (place / "settings.json").write_text(text)
    with pytest.raises(StudioError, match="there is no training of 'odd' to go on with"):
        kept_settings("odd")


def test_batches_add_up_to_one_of_their_size(folder: Path) -> None:
    # One optimiser step over two batches of one is one over their mean loss.
    twice = train_tiny.run(train_tiny.config(folder, steps=1, batch=1, accumulation=2))
    order = Order([(8, 8)] * 4, 1, 5)
    assert order.indices(0) != order.indices(1)
    assert train_tiny.losses_of(twice)[0].step == 1
    state = torch.load(training_folder("mine") / "checkpoint.pt", weights_only=True)
    assert all(int(s["step"]) == 1 for s in state["optimizer"]["state"].values())


def test_pictures_of_several_shapes_train_together(folder: Path) -> None:
    wide = train_tiny.pictures(folder / "wide", {"w.png": "a <hero> ghost"}, size=(32, 16))
    (wide / "w.png").rename(folder / "w.png")
    (folder / "captions.json").write_text(json.dumps({**train_tiny.CAPTIONS, "w.png": "a <hero>"}))
    losses = train_tiny.losses_of(train_tiny.run(train_tiny.config(folder, steps=3)))
    assert [loss.step for loss in losses] == [1, 2, 3]  # an epoch: two square batches, a wide one
