"""The verb sweep beyond one grid: three axes, scores, plots, going on, and what it refuses."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.metrics import METRICS, Metric, Scored
from tests.support import tiny
from tests.support.studio_page import needs_starter

PRESET = {
    "base": "tiny",
    "rows": [{"prompt": "a cat", "weight": 3.0}],
    "sampler": {"scheduler": "ddim", "steps": 1, "width": 16, "height": 16},
}


@pytest.fixture(autouse=True)
def brightness() -> Iterator[None]:
    def each(scored: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path)).mean() for path in scored.images])

    METRICS.register("bright", Metric("bright", "higher", "", (), "", "", each=each))
    yield
    METRICS.remove("bright")


@pytest.fixture
def preset(tmp_path: Path, studio_home: Path) -> str:
    tiny.pipeline(studio_home / "models" / "tiny")
    path = tmp_path / "preset.json"
    path.write_text(json.dumps(PRESET))
    return str(path)


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    code = main(["sweep", *arguments])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def test_three_axes_scores_and_plots(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = [preset, "--x", "rows.0.weight=1:3:2", "--y", "sampler.steps=1,2"]
    asked += ["--z", "rows.0.prompt=a cat,a dog", "--seeds", "0-1", "--metrics", "bright"]
    code, lines, err = _run(capsys, *asked, "--out", str(out))
    assert code == 0, err
    *grids, document = (Path(line) for line in lines)
    assert [Image.open(grid).width > 2 * 16 for grid in grids] == [True, True]  # one a value of z
    found = json.loads(document.read_text())
    assert len(found["cells"]) == 16 and len(found["scores"]) == 8
    assert found["z"] == {"field": "rows.0.prompt", "values": ["a cat", "a dog"]}
    for cell in found["scores"]:  # the mean over its own two pictures
        own = [c for c in found["cells"] if all(c[k] == cell[k] for k in "xyz")]
        values = [np.asarray(Image.open(out / one["path"])).mean() for one in own]
        assert len(own) == 2 and cell["metrics"]["bright"]["mean"] == pytest.approx(np.mean(values))
    with document.with_suffix(".csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert float(table[3]["bright"]) == pytest.approx(
        found["scores"][3]["metrics"]["bright"]["mean"]
    )
    plots = sorted(path.name.split("-", 2)[2] for path in out.glob("*.svg"))
    assert plots == [f"bright-z0{z}-{kind}.svg" for z in (0, 1) for kind in ("lines", "map")]
    for path in out.glob("*.svg"):
        root = ElementTree.fromstring(path.read_text())
        tag = "polyline" if "lines" in path.name else "rect"
        drawn = len(root.findall(f".//{{http://www.w3.org/2000/svg}}{tag}"))
        assert drawn == (2 if tag == "polyline" else 1 + 4)


@needs_starter
def test_a_sweep_says_how_it_was_scored(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (16, 16), "red").save(tmp_path / "reference.png")
    asked = [preset, "--x", "rows.0.weight=1,3", "--metrics", "clip-i", "--cut-out", "background"]
    asked += ["--reference", str(tmp_path / "ref*.png"), "--out", str(tmp_path / "out")]
    code, lines, err = _run(capsys, *asked)
    assert code == 0, err
    by = json.loads(Path(lines[-1]).read_text())["scored_by"]
    assert by["clip"] == by["vision"] == "starter/clip" and by["cut_out"] == "background"
    assert "reference.png" in by["missed"] and "reference.png" in err  # it is all of one colour


def test_a_sweep_goes_on_with_the_same_seed(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = [preset, "--x", "rows.0.weight=1,2,3", "--set", "sampler.seed=-1", "--out", str(out)]
    code, lines, _ = _run(capsys, *asked)
    assert code == 0
    document = Path(lines[-1])
    before = json.loads(document.read_text())
    pictures = [out / cell["path"] for cell in before["cells"]]
    kept = pictures[0].stat().st_mtime_ns
    pixels = np.asarray(Image.open(pictures[2]))
    pictures[2].unlink()
    # As a run that was killed leaves it: a beginning, and a line that the kill has cut.
    document.write_text(json.dumps({"seed": before["seed"]}))
    lines_kept = [json.dumps(cell) for cell in before["cells"][:2]]
    document.with_suffix(".jsonl").write_text("\n".join([*lines_kept, '{"path": "x']))
    assert _run(capsys, *asked)[0] == 0
    after = json.loads(document.read_text())
    assert after["cells"][:2] == before["cells"][:2] and after["seed"] == before["seed"]
    assert pictures[0].stat().st_mtime_ns == kept
    assert np.array_equal(np.asarray(Image.open(pictures[2])), pixels)
    assert not document.with_suffix(".jsonl").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--x", "omega=0:1:0.01", "--y", "rows.0.weight=0:9.9:0.1"], "10100 images, 20200 passes"),
        (["--x", "omega=0,1", "--z", "decoupling=0,1"], "--z: is a third axis; give --y"),
        (["--x", "omega=0,1", "--y", "omega=0,1"], "sweep: an axis each for different fields"),
        (["--x", "omega=0,1", "--metrics", "clip-i"], "clip-i: needs references"),
        (["--x", "omega=0,1", "--metrics", "vendi"], "vendi: is a score of a set: 4 seeds"),
        (["--x", "omega=0,1", "--metrics", "nothing"], "--metrics: got 'nothing'"),
        (["--x", "omega=0,3"], "omega: "),
        (["--x", "prompts=dog,owl"], "prompts: no prompt of the rows holds 'dog'"),
    ],
)
def test_what_it_refuses_is_one_line(
    preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    out = tmp_path / "out"
    code, lines, err = _run(capsys, preset, *given, "--out", str(out))
    assert code == 2 and not lines
    assert said in err and err.count("\n") == 1, err
    assert not out.exists()  # nothing was begun
