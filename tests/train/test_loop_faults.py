"""What goes wrong in a training: disks that are full, checkpoints that are damaged, memory that runs out."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from studio.errors import OutOfMemory, StudioError
from studio.home import training_folder
from studio.train import checkpoint, train
from studio.train.events import Losses, Note, Saved
from studio.train.step import Stepper
from tests.support import train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


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
    assert train_tiny.same(train_tiny.result_of(events), train_tiny.result_of(whole))


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
    assert train_tiny.same(train_tiny.result_of(whole), train_tiny.result_of(rest))
    assert not left.exists()
    assert checkpoint.read(place)["step"] == 3  # type: ignore[index]
    assert torch.load(place / checkpoint.BEFORE, weights_only=True)["step"] == 2


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
