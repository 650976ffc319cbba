"""The verb tune, end to end on a tiny family."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.experiments.tune import propose
from studio.metrics import METRICS, Metric, Scored
from studio.share import read_image
from tests.support import tiny

PRESET = {
    "base": "tiny",
    "rows": [{"prompt": "a cat", "weight": 3.0}],
    "sampler": {"scheduler": "ddim", "steps": 1, "width": 16, "height": 16},
}


@pytest.fixture(autouse=True)
def brightness() -> Iterator[None]:
    def each(scored: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path)).mean() for path in scored.images])

    def red(scored: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path))[..., 0].mean() for path in scored.images])

    METRICS.register("bright", Metric("bright", "higher", "", (), "", "", each=each))
    METRICS.register("red", Metric("red", "lower", "", (), "", "", each=red))
    yield
    METRICS.remove("bright")
    METRICS.remove("red")


@pytest.fixture
def preset(tmp_path: Path, studio_home: Path) -> Path:
    tiny.pipeline(studio_home / "models" / "tiny")
    path = tmp_path / "preset.json"
    path.write_text(json.dumps(PRESET))
    return path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[Any], str]:
    try:
        code = main(["tune", *arguments])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def test_a_search_from_the_command_line(
    preset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = [str(preset), "--over", "rows.0.weight=1:9", "--for", "bright,red", "--seeds", "0-1"]
    code, lines, err = _run(capsys, *asked, "--budget", "8", "--out", str(out))
    assert code == 0 and "picture 8 of 8" in err
    *points, last = lines
    assert [point["pictures"] for point in points] == [2, 2, 2, 2]
    assert points[0]["values"] == {"rows.0.weight": 3.0}  # the preset's own comes first
    assert last["pictures"] == 8 and 1 <= len(last["front"]) <= 4
    first = last["front"][0]
    carried, _ = read_image(Path(first["pictures"][0]))
    assert carried.rows[0].weight == first["values"]["rows.0.weight"]
    code, lines, err = _run(capsys, *asked, "--budget", "8", "--out", str(out))
    assert code == 0 and lines == [last] and "picture" not in err  # nothing is made again


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_refused_search_leaves_the_folder_as_it_was(
    preset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the front nor a report of the search that is there is written anew, and none is printed."""
    out = tmp_path / "out"
    asked = [str(preset), "--over", "rows.0.weight=1:9", "--budget", "6", "--out", str(out)]
    assert _run(capsys, *asked, "--for", "bright,red", "--seeds", "0-1")[0] == 0
    before = _contents(out)
    assert str(out / "front" / "01.json") in before
    for other in (["--for", "bright", "--seeds", "0-1"], ["--for", "bright,red", "--seeds", "3-4"]):
        code, lines, err = _run(capsys, *asked, *other)
        assert code == 2 and not lines and "holds another search" in err
        assert _contents(out) == before


def test_an_interrupted_search_says_what_it_has(
    preset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from studio.cli import pooling

    make, count = pooling.maker, iter(range(100))

    def stopping(*asked: Any, **more: Any) -> Any:
        inner = make(*asked, **more)

        def one(preset: Any, path: Path) -> None:
            if next(count) == 3:
                raise KeyboardInterrupt
            inner(preset, path)

        return one

    monkeypatch.setattr(pooling, "maker", stopping)
    asked = [str(preset), "--over", "rows.0.weight=1:9", "--for", "bright", "--seeds", "0-1"]
    code, lines, _ = _run(capsys, *asked, "--out", str(tmp_path / "out"))
    assert code == 130
    assert len(lines) == 2 and len(lines[-1]["front"]) == 1
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--over", "omega=0:2", "--for", "bright"], "omega: "),
        (["--over", "omega=0:1", "--for", "clip-i"], "clip-i: needs references; give --reference"),
        (["--over", "omega=0:1", "--for", "bright", "--budget", "5"], "--budget: 5 pictures"),
        (["--over", "omega=0:1", "--for", "bright", "--reference", "no"], "no is no folder"),
        (["--over", "sampler.width=12:20", "--for", "bright"], "sampler.width"),
        (["--over", "omega=0:1", "--for", "bright", "--subject", "hero"], "--subject: without"),
        (["--for", "bright"], "--over"),
    ],
)
def test_bad_input_is_one_line(
    preset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    said: str,
) -> None:
    code, lines, err = _run(capsys, str(preset), *given, "--out", str(tmp_path / "out"))
    assert code == 2 and not lines
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_optuna(
    preset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(propose.importlib.util, "find_spec", lambda name: None)
    asked = [str(preset), "--over", "omega=0:1", "--for", "bright", "--out", str(tmp_path / "o")]
    code, _, err = _run(capsys, *asked)
    assert code == 2 and "pip install 'optuna" in err and err.count("\n") == 1
