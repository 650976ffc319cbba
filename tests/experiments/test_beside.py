"""What is kept beside pictures for their scores: control maps and drifts, in all three verbs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.errors import StudioError
from studio.experiments.beside import Beside
from studio.metrics import Scored
from studio.preset import Preset, validate
from studio.preset.preprocessors import FINISHED
from tests.support.studio_page import needs_starter


def with_control(**control: str) -> Preset:
    rows = [{"prompt": "a cat"}, {"prompt": "a cat", "control": control}]
    return validate({"rows": rows, "sampler": {"width": 64, "height": 32}})


def test_a_finished_map_is_kept_as_it_is_at_the_pictures_size(tmp_path: Path) -> None:
    lines = np.zeros((32, 64, 3), np.uint8)
    lines[::4] = 255
    Image.fromarray(lines).save(tmp_path / "lines.png")
    preset = with_control(type=FINISHED, image="lines.png", model="any")
    beside = Beside.of(["edge-f1"], tmp_path / "out", [tmp_path])
    found, same = beside.measured(Scored([]), [preset, preset]).controls
    assert found == same and found.parent == tmp_path / "out"
    assert np.array_equal(np.asarray(Image.open(found).convert("RGB")), lines)


def test_edges_lie_where_the_picture_has_them(tmp_path: Path) -> None:
    halves = np.zeros((64, 128, 3), np.uint8)
    halves[:, 64:] = 255
    Image.fromarray(halves).save(tmp_path / "halves.png")
    beside = Beside.of(["edge-f1"], tmp_path / "out", [tmp_path])
    asked = with_control(type="canny", image="halves.png")
    assert len(beside.awaited(Scored([]), [asked]).controls) == 1
    assert not (tmp_path / "out").exists()  # looked at, and not begun
    (found,) = beside.measured(Scored([]), [asked]).controls
    edges = np.asarray(Image.open(found).convert("L")) > 127
    assert edges.shape == (32, 64) and edges.any(0)[30:34].any()
    assert not edges[:, :28].any() and not edges[:, 36:].any()


def test_each_score_is_taken_against_the_control_of_its_own_kind(tmp_path: Path) -> None:
    """The first one, of another kind, is what a score without one of its kind is compared with."""
    for name, value in (("dark.png", 10), ("light.png", 200)):
        Image.new("RGB", (64, 32), (value,) * 3).save(tmp_path / name)
    finished = {"type": "depth", "image": "dark.png", "finished": True}
    edges = {"type": "canny", "image": "light.png", "finished": True}
    rows = [{"prompt": "a cat", "control": finished, "controls": [edges]}]
    preset = validate({"rows": rows, "sampler": {"width": 64, "height": 32}})
    beside = Beside.of(["edge-f1", "depth-error", "pose-f1"], tmp_path / "out", [tmp_path])
    scored = beside.measured(Scored([]), [preset])
    shown = {
        kind: Image.open(scored.maps_of(kind)[0]).convert("L").getpixel((0, 0))
        for kind in ("canny", "depth", "openpose")
    }
    assert shown == {"canny": 200, "depth": 10, "openpose": 10}
    assert beside.awaited(Scored([]), [preset, validate({"rows": [{}]})]).maps == {}


def test_a_preset_without_control_has_none_and_an_absent_picture_is_named(tmp_path: Path) -> None:
    beside = Beside.of(["edge-f1"], tmp_path, [tmp_path])
    plain = validate({"rows": [{"prompt": "a cat"}]})
    assert beside.measured(Scored([]), [plain]).controls == []
    absent = with_control(type="canny", image="nowhere.png")
    with pytest.raises(StudioError, match=r"rows\.1\.control\.image"):
        beside.awaited(Scored([]), [absent])
    other = Beside.of(["bright", "clip-t"], tmp_path, [tmp_path])
    assert not other.awaited(Scored([]), [absent]).controls  # no score asks for it


PLAIN = {
    "rows": [
        {"prompt": "a hero", "model": {"lora": "starter/lora-hero"}, "weight": 3.0},
        {"prompt": "a hero", "weight": 1.0},
        {"prompt": "a hero", "weight": 1.0, "control": {"type": "canny", "image": "a.png"}},
    ],
    "sampler": {"steps": 1, "width": 64, "height": 64},
}


@pytest.fixture
def preset(tmp_path: Path, studio_home: Path) -> str:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, 32:] = 255
    Image.fromarray(halves).save(tmp_path / "a.png")
    path = tmp_path / "preset.json"
    path.write_text(json.dumps(PLAIN))
    return str(path)


@needs_starter
def test_a_sweep_is_scored_by_drift_and_control(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["sweep", preset, "--x", "rows.1.weight=1,5", "--metrics", "drift,edge-f1"]
    assert main([*asked, "--out", str(out)]) == 0, capsys.readouterr().err
    document = Path(capsys.readouterr().out.splitlines()[-1])
    scores = json.loads(document.read_text())["scores"]
    for cell, one in zip(json.loads(document.read_text())["cells"], scores, strict=True):
        kept = json.loads((out / cell["path"]).with_suffix(".json").read_text())["drift"]
        assert one["metrics"]["drift"]["mean"] == pytest.approx(kept) and kept > 0
        assert 0 <= one["metrics"]["edge-f1"]["mean"] <= 1
    gone = (out / cell["path"]).with_suffix(".json")
    gone.unlink()  # as a picture of a sweep without drift: it is made again with it
    assert main([*asked, "--out", str(out)]) == 0
    assert json.loads(gone.read_text())["drift"] == kept


@needs_starter
def test_a_search_trades_drift_for_control(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    out = tmp_path / "out"
    asked = ["tune", preset, "--over", "rows.1.weight=1:5", "--for", "drift,edge-f1"]
    assert main([*asked, "--seeds", "0", "--budget", "3", "--out", str(out)]) == 0
    *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert last["front"] and len(lines) == 3
    for line in lines:
        assert line["metrics"]["drift"]["mean"] > 0


@needs_starter
@pytest.mark.parametrize("verb", ["sweep", "tune", "evaluate"])
def test_a_score_of_control_wants_a_control_row(
    verb: str, tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, prompts = tmp_path / "p.json", tmp_path / "prompts.txt"
    path.write_text(json.dumps({**PLAIN, "rows": PLAIN["rows"][:2]}))
    prompts.write_text("a cat face\n")
    more = {
        "sweep": ["--x", "rows.1.weight=1,5", "--metrics", "edge-f1"],
        "tune": ["--over", "rows.1.weight=1:5", "--for", "edge-f1"],
        "evaluate": ["--prompts", str(prompts), "--metrics", "edge-f1"],
    }[verb]
    assert main([verb, str(path), *more, "--out", str(tmp_path / "out")]) == 2
    assert "edge-f1: needs controls" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob("*.png"))
