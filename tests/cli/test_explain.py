"""The verb explain: the picture, a sheet of its rows, and what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.events import Done, Explanation, RowShare
from studio.experiments import explained
from studio.experiments.grid import GAP
from studio.preset import validate
from tests.support import tiny

ROWS = [
    {"prompt": "a cat", "weight": 3.0},
    {"prompt": "blurry", "weight": -1.0, "range": [0.0, 0.5]},
    {"prompt": "muted", "enabled": False},
]
SAMPLER = {"scheduler": "ddim", "steps": 4, "seed": 3, "width": 16, "height": 16}


def test_a_sheet_and_a_report_beside_the_picture(
    studio_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.pipeline(studio_home / "models" / "tiny")
    path, out = tmp_path / "p.json", tmp_path / "out"
    path.write_text(json.dumps({"base": "tiny", "rows": ROWS, "sampler": SAMPLER}))
    assert main(["generate", str(path), "--out", str(out)]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main(["explain", str(path), "--out", str(out)]) == 0
    line = json.loads(capsys.readouterr().out)
    one, other = (np.asarray(Image.open(made["path"])) for made in (plain, line))
    assert np.array_equal(one, other) and plain["forwards"] == line["forwards"]
    report = json.loads(Path(line["report"]).read_text(encoding="utf-8"))
    assert report["moments"] == [1, 2, 3] and report["drift"] == []
    assert [(row["row"], row["title"]) for row in report["rows"]] == [(0, "a cat"), (1, "blurry")]
    assert [share is None for share in report["rows"][1]["share"]] == [False, False, True, True]
    # The lines: base term, two rows, the sum; the columns: three moments and what was finished.
    sheet, cell = np.asarray(Image.open(line["sheet"])), explained.EDGE + GAP
    cells = sheet[-4 * cell :, -4 * cell :].reshape(4, cell, 4, cell, 3).swapaxes(1, 2)
    white = [(i, j) for i in range(4) for j in range(4) if (cells[i, j] == 255).all()]
    assert white == [(0, 3), (1, 3), (2, 2), (2, 3)]  # the second row ends before the third moment
    assert main(["explain", str(path), "--out", str(out), "--without", "1"]) == 0
    less = json.loads(capsys.readouterr().out)
    assert less["forwards"] == 4 + 2  # the base term, and the row that is left for half of it
    assert main(["explain", str(path), "--out", str(out), "--without", "3"]) == 2
    assert capsys.readouterr().err == "rows.2: takes no part in this picture\n"
    assert main(["explain", str(path), "--out", str(out), "--without", "4"]) == 2
    assert capsys.readouterr().err == "--without: got 4; rows are 1 to 3\n"


def test_of_two_passes_the_strips_say_that_they_are_the_firsts() -> None:
    gray = Image.new("RGB", (16, 16), "gray")
    strips = Explanation((1,), 2, (gray,), {0: (gray,)}, (gray,))
    twice = {"scale": 2}

    def done(**fields: object) -> Done:
        preset = validate({"rows": ROWS[:1], **fields})
        return Done(gray, 3, preset, 4, explanation=strips)

    once, both = done(), done(second_pass=twice)
    assert [explained.report(one)["second_pass"] for one in (once, both)] == [False, True]
    plain, titled = (explained.sheet(one) for one in (once, both))
    assert titled.width == plain.width and titled.height > plain.height  # a line above all


def test_parts_of_a_step_sum_to_one() -> None:
    shares = (RowShare(0, (3.0, None, 0.0), ()), RowShare(2, (1.0, 2.0, 0.0), ()))
    assert explained.parts_over_time(shares) == {0: (0.75, None, None), 2: (0.25, 1.0, None)}
    cancelled = RowShare(3, (None, None, None), (), (1,))  # at the second it took part
    parts = explained.parts_over_time((*shares, cancelled))
    assert parts == {0: (0.75, None, None), 2: (0.25, None, None), 3: (None,) * 3}


def test_without_a_solo_row_no_other_comes_in() -> None:
    rows = [{"prompt": "a", "solo": True}, {"prompt": "b"}, {"prompt": "c", "solo": True}]
    left = explained.without(validate({"rows": rows}), 0)
    assert [row.prompt for _, row in left.active_rows()] == ["c"]
    assert [row.prompt for row in left.rows] == ["a", "b", "c"] and "without row 1" in left.name
