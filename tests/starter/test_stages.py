"""What a machine without a network is given, batches made beside the training, and stages side by side."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.starter import __main__ as starter
from studio.starter import stream as streams
from studio.starter.pictures import packed


def drawings(work: Path) -> np.ndarray:
    """A work folder of three drawings: named, nameless, nameless but kept for measuring."""
    rng = np.random.default_rng(0)
    work.mkdir()
    large = rng.integers(0, 256, (3, 256, 256, 4), dtype=np.uint8)
    large[:, :100, :, 3], large[:, 100:, :, 3] = 0, 255
    small = [Image.fromarray(p).convert("RGBa").reduce(2).convert("RGBA") for p in large]
    np.save(work / "pictures-256.npy", large)
    np.save(work / "pictures.npy", np.stack([np.asarray(p) for p in small]))
    entries = [
        {"slug": "key", "name": "key", "style": "flat"},
        {"slug": "fog", "name": "", "style": "flat"},
        {"slug": "ice", "name": "", "style": "noto", "unseen": "yes"},
    ]
    (work / "pictures.json").write_text(json.dumps(entries))
    return large


def test_packed_drawings_come_back_as_they_are_seen(tmp_path: Path) -> None:
    large = drawings(tmp_path / "here")
    packed.pack(tmp_path / "here", tmp_path / "drawings.zip")
    packed.unpack(tmp_path / "drawings.zip", tmp_path / "there")
    entries = json.loads((tmp_path / "there" / "pictures.json").read_text())
    assert [e["slug"] for e in entries] == ["key", "ice"]
    again = np.load(tmp_path / "there" / "pictures-256.npy")
    shown = large[[0, 2]]
    assert np.array_equal(again[..., 3], shown[..., 3])
    assert np.array_equal(again[:, 100:], shown[:, 100:])
    small = np.load(tmp_path / "there" / "pictures.npy").astype(int)
    wanted = np.load(tmp_path / "here" / "pictures.npy")[[0, 2]]
    assert np.abs(small - wanted)[:, 52:].max() <= 2
    (tmp_path / "there" / "pictures.json").write_text("[]")
    packed.unpack(tmp_path / "drawings.zip", tmp_path / "there")
    assert (tmp_path / "there" / "pictures.json").read_text() == "[]", "what is there is kept"


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_batches_never_repeat(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device is only named: on ``cuda`` two processes make them."""
    monkeypatch.setattr(streams, "WORKERS", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    batches = streams.stream(lambda rng: rng.integers(1 << 62, size=3), torch.device(kind))
    found = np.concatenate(list(islice(batches, 6)))
    assert found.shape == (18,) and len(set(found.tolist())) == 18


def test_stages_side_by_side_wait_for_those_before_and_a_failure_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []

    class Process:
        def __init__(self, command: list[str]) -> None:
            self.command, self.name = command, command[-1]
            told.append(f"start {self.name}")

        def wait(self) -> int:
            told.append(f"end {self.name}")
            return 3 if self.name == "clip" else 0

    monkeypatch.setattr(starter.subprocess, "Popen", Process)
    asked = ["ground", "prior", "clip", "export"]
    given = ["--side-by-side", "--prompts", "9", "--stage", *asked]
    assert starter.side_by_side(given, asked) == 1
    first, second, third = told[:2], set(told[2:6]), told[6:]
    assert first == ["start ground", "end ground"] and third == ["start export", "end export"]
    assert second == {"start prior", "start clip", "end prior", "end clip"}
    assert told.index("start clip") < told.index("end prior")
    assert "stage clip failed" in capsys.readouterr().err


def test_every_stage_has_its_wave() -> None:
    known = starter.stages(
        Path("."), Path("."), dict.fromkeys(starter.MINUTES, 0.0), torch.device("cpu"), 1
    )
    assert sorted(name for wave in starter.WAVES for name in wave) == sorted(known)
