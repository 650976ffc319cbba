"""The training loop on tiny random networks: arithmetic, resuming, and what stops it."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from peft import LoraConfig
from safetensors.torch import load_file

from studio.engine.families import family_named
from studio.errors import NumericalError, OutOfMemory, StudioError
from studio.home import training_folder
from studio.library import Library
from studio.train import checkpoint, train
from studio.train.data import Order, mixed
from studio.train.events import Losses, Note, Saved, TrainProgress
from studio.train.runner import kept_settings
from studio.train.step import Stepper
from tests.support import train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor below a result's folder."""
    return {
        f"{file.name}/{key}": value
        for file in sorted(path.rglob("*.safetensors"))
        for key, value in load_file(file).items()
    }


def same(left: Path, right: Path) -> bool:
    one, two = tensors(left), tensors(right)
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


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
    got, loss = tensors(train_tiny.result_of(events)), train_tiny.losses_of(events)[0]

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
    assert same(train_tiny.result_of(events), train_tiny.result_of(rest))
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
    assert same(train_tiny.result_of(events), train_tiny.result_of(whole))
    begun = means.model_copy(update={"name": "new"})
    train_tiny.run(begun)
    with pytest.raises(StudioError, match="ddloss_norm was 'mean', now 'sum'"):
        train_tiny.run(begun.model_copy(update={"ddloss_norm": "sum"}), resume=True)


def test_more_steps_may_follow(folder: Path) -> None:
    config = train_tiny.config(folder, steps=2, name="whole")
    short = config.model_copy(update={"name": "more", "steps": 1})
    train_tiny.run(short)
    more = train_tiny.run(short.model_copy(update={"steps": 2}), resume=True)
    assert same(train_tiny.result_of(train_tiny.run(config)), train_tiny.result_of(more))


def test_a_name_is_not_taken_twice(folder: Path) -> None:
    config = train_tiny.config(folder, steps=1)
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


def to_nowhere(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on files that checkpoints are written to have no room; returns them."""
    asked: list[str] = []

    def full(**options: Any) -> tuple[int, str]:
        handle, name = tempfile.mkstemp(**options)
        os.close(handle)
        asked.append(name)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(checkpoint, "tempfile", SimpleNamespace(mkstemp=full))
    return asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_is_one_line_and_the_training_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = train_tiny.config(folder, steps=4, checkpoint_every=1)
    whole = train_tiny.run(config.model_copy(update={"name": "whole"}))
    running = train(config, device="cpu")
    events = []
    for event in running:
        events.append(event)
        if isinstance(event, Saved):
            break
    kept = (training_folder("mine") / "checkpoint.pt").read_bytes()
    asked = to_nowhere(monkeypatch)
    events += list(running)
    notes = [e.text for e in events if isinstance(e, Note) and "no checkpoint of step" in e.text]
    assert len(notes) == len(asked) == 3
    assert all("the disk is full" in note and "\n" not in note for note in notes), notes
    assert (training_folder("mine") / "checkpoint.pt").read_bytes() == kept
    assert not list(training_folder("mine").glob(".*.part"))
    # Nothing of what was learned is lost.
    assert same(train_tiny.result_of(events), train_tiny.result_of(whole))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_when_pausing_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = train(train_tiny.config(folder, steps=4), device="cpu")
    for event in running:
        if isinstance(event, Losses):
            break
    to_nowhere(monkeypatch)
    with pytest.raises(StudioError, match="the disk is full; the last checkpoint is kept"):
        running.close()


def test_on_a_full_disk_the_checkpoint_before_gives_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.write(tmp_path, {"step": 1})
    checkpoint.write(tmp_path, {"step": 2})
    save = torch.save

    def tight(state: dict, file: Any) -> None:
        if (tmp_path / checkpoint.BEFORE).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(state, file)

    monkeypatch.setattr(torch, "save", tight)
    checkpoint.write(tmp_path, {"step": 3})
    assert checkpoint.read(tmp_path) == {"step": 3}
    assert torch.load(tmp_path / checkpoint.BEFORE)["step"] == 2


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of the largest tensor is another."""
    place = data.index(b"\x80\x3f" * 8)  # ones in float32 ends
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("damage", [halved, lambda data: b"", flipped])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    ones = torch.ones(400, dtype=torch.bfloat16)
    for step in (1, 2):
        checkpoint.write(tmp_path, {"step": step, "trained": {"w": ones}})
    path = tmp_path / checkpoint.CHECKPOINT
    path.write_bytes(damage(path.read_bytes()))
    found = checkpoint.newest(tmp_path)
    assert found is not None and found.state["step"] == 1
    assert "checkpoint.pt is damaged" in found.note and "of step 1" in found.note
    older = tmp_path / checkpoint.BEFORE
    older.write_bytes(damage(older.read_bytes()))
    with pytest.raises(StudioError, match=r"no checkpoint is whole: .* start anew with --restart"):
        checkpoint.read(tmp_path)


def test_a_checkpoint_that_cannot_take_its_place_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails between the two renames: the one before is there, and no part stays behind."""
    checkpoint.write(tmp_path, {"step": 1})
    real = os.replace

    def fails_at_last(source: Path, place: Path) -> None:
        if place.name == checkpoint.CHECKPOINT:
            raise OSError(5, "Input/output error")
        real(source, place)

    monkeypatch.setattr(os, "replace", fails_at_last)
    with pytest.raises(StudioError, match="the last checkpoint is kept"):
        checkpoint.write(tmp_path, {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.BEFORE]
    assert checkpoint.read(tmp_path) == {"step": 1}


def test_a_training_goes_on_from_the_checkpoint_before(folder: Path) -> None:
    config = train_tiny.config(folder, steps=3, checkpoint_every=1, name="whole")
    whole = train_tiny.run(config)
    running = train(config.model_copy(update={"name": "cut"}), device="cpu")
    for event in running:
        if isinstance(event, Saved) and event.step == 2:
            break
    running.close()
    place = training_folder("cut")
    (place / "checkpoint.pt").write_bytes(halved((place / "checkpoint.pt").read_bytes()))
    left = place / ".killed.part"
    left.write_bytes(b"half of one")
    rest = train_tiny.run(config.model_copy(update={"name": "cut"}), resume=True)
    notes = [event.text for event in rest if isinstance(event, Note)]
    assert any("of step 1" in note for note in notes) and "resumed after step 1" in notes
    assert same(train_tiny.result_of(whole), train_tiny.result_of(rest))
    assert not left.exists()
    assert checkpoint.read(place)["step"] == 3  # type: ignore[index]
    assert torch.load(place / checkpoint.BEFORE, weights_only=True)["step"] == 2


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


class FailsAbove:
    """A network's forward that says that memory is exhausted for batches larger than ``most``."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        self.forward, self.most, self.seen = network.forward, most, []

    def __call__(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        self.seen.append(len(x))
        if len(x) > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return self.forward(x, *args, **kwargs)


def starved(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """From now on no training's network takes more than ``most`` pictures at once."""
    real, seen = Stepper.__init__, []

    def made(self: Stepper, *args: Any) -> None:
        real(self, *args)
        network = self.job.adaptation.trainee.network
        forward = FailsAbove(network, most)
        network.forward, forward.seen = forward, seen

    monkeypatch.setattr(Stepper, "__init__", made)
    return seen


def test_where_memory_runs_out_a_batch_is_computed_in_pieces(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = train_tiny.config(folder, batch=4, steps=2, ddloss=0.1, name="whole")
    expected = train_tiny.losses_of(train_tiny.run(config))
    seen = starved(monkeypatch, 4)  # DDLoss runs two conditions at once
    events = train_tiny.run(config.model_copy(update={"name": "pieces"}))
    assert max(seen) == 8 and seen[-1] == 4
    (note,) = [e.text for e in events if isinstance(e, Note) and "pieces" in e.text]
    assert "a batch of 4; it is computed in 2 pieces" in note
    for one, other in zip(train_tiny.losses_of(events), expected, strict=True):
        assert one.total == pytest.approx(other.total, rel=1e-4)
        assert one.dd == pytest.approx(other.dd, rel=1e-3)


def test_memory_that_never_suffices_is_one_line_and_the_next_training_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = train_tiny.config(folder, batch=2, steps=1)
    with monkeypatch.context() as patched:
        starved(patched, 0)
        with pytest.raises(OutOfMemory, match=r"^size: .*choose a smaller size or batch") as caught:
            train_tiny.run(config)
    assert "\n" not in str(caught.value)
    assert train_tiny.losses_of(train_tiny.run(config, restart=True))


def test_memory_that_runs_out_while_a_checkpoint_is_read_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        checkpoint.write(tmp_path, {"step": number})
    monkeypatch.setattr(torch, "load", lambda *a, **k: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        checkpoint.newest(tmp_path)
