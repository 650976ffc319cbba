"""A search on pictures of plain colours: resumed, stopped early, interrupted, reported."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.errors import StudioError
from studio.experiments.making import Making, Todo, one_by_one
from studio.experiments.tune import report
from studio.experiments.tune.points import Point, front, read_points
from studio.experiments.tune.run import Picture, run
from studio.experiments.tune.search import Search, check
from studio.metrics import METRICS, Metric, Scored
from studio.preset import Preset, validate
from studio.preset.ranges import Range

PRESET = validate({"name": "Toy", "rows": [{"prompt": "a AND b:2", "weight": 2.0}], "omega": 0.5})


def _channel(index: int) -> Metric:
    def each(scored: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path))[0, 0, index] for path in scored.images])

    return Metric(f"toy-{index}", "higher", "0 to 255", (), "A colour.", "a test", each=each)


@pytest.fixture(autouse=True)
def toy_metrics() -> Iterator[None]:
    whole = Metric(
        "toy-set", "lower", "", (), "", "", whole=lambda scored: lambda rows: float(len(rows))
    )
    for metric in (_channel(0), _channel(1), whole):
        METRICS.register(metric.name, metric)
    yield
    for name in ("toy-0", "toy-1", "toy-set"):
        METRICS.remove(name)


def _make(preset: Preset, path: Path) -> None:
    """Red falls and green rises with ω; a weight far from 4 costs both; seeds add a little."""
    loss, seed = 8 * abs(preset.rows[0].weight - 4), preset.sampler.seed
    red = 200 - 100 * preset.omega - loss + seed
    green = 80 + 100 * preset.omega - loss + seed
    Image.new("RGB", (8, 8), (round(max(0, red)), round(max(0, green)), 0)).save(path)


def _search(out: Path, **changes: object) -> Search:
    ranges = (Range("omega", 0.0, 1.0), Range("rows.0.weight", 1.0, 9.0))
    plain = Search(PRESET, ranges, ("toy-0", "toy-1"), 60, out, Scored([]), seeds=(0, 1, 2, 3, 4))
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_search_finds_the_trade_and_saves_pictures(tmp_path: Path) -> None:
    search = _search(tmp_path)
    events = list(run(search, one_by_one(_make)))
    points = [event for event in events if isinstance(event, Point)]
    pictures = [event for event in events if isinstance(event, Picture)]
    assert len(pictures) == sum(len(point.paths) for point in points) <= 60
    assert pictures[-1].spent == len(pictures)
    stopped = [point for point in points if point.stopped]
    assert stopped and all(3 <= len(point.paths) < 5 for point in stopped)
    assert 5 * len(points) > len(pictures) > 55  # what the stopped ones saved went to others
    best = front(search, points)
    assert not any(point.stopped for point in best)
    omegas = [point.values["omega"] for point in best]
    assert len(best) >= 3 and omegas == sorted(omegas, reverse=True)  # from low red to high
    assert all(abs(point.values["rows.0.weight"] - 4) < 1.5 for point in best)
    for point in points:  # a mean is the mean of its pictures
        assert point.metrics["toy-0"].mean == pytest.approx(np.mean(point.each["toy-0"]))
    assert read_points(search) == points


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = [
        e
        for e in run(_search(tmp_path / "a", budget=40), one_by_one(_make))
        if isinstance(e, Point)
    ]
    search, made = _search(tmp_path / "b", budget=40), []

    def counted(preset: Preset, path: Path) -> None:
        if len(made) == 23:
            raise KeyboardInterrupt
        made.append(path)
        _make(preset, path)

    with pytest.raises(KeyboardInterrupt):
        list(run(search, one_by_one(counted)))
    assert 1 <= len(read_points(search)) < len(whole)
    kept = {path: path.stat().st_mtime_ns for path in made}
    list(run(search, one_by_one(_make)))
    again = read_points(search)
    assert [(p.values, p.each) for p in again] == [(p.values, p.each) for p in whole]
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    more = replace(search, budget=46)  # a larger budget goes further
    list(run(more, one_by_one(_make)))
    assert len(read_points(more)) > len(again)
    with pytest.raises(StudioError, match=r"--out: .* holds another search"):
        list(run(replace(search, seeds=(1, 2, 3, 4, 5)), one_by_one(_make)))


def test_pictures_that_come_in_another_order_change_nothing(tmp_path: Path) -> None:
    """As several workers bring them: the same points, and each picture asked for once."""
    asked: list[Path] = []

    def backwards(todo: Todo) -> Making:
        asked.extend(path for _, path in todo)
        for number in reversed(range(len(todo))):
            _make(*todo[number])
            yield number, {}

    plain = {"budget": 60, "guided": False}
    one = list(run(_search(tmp_path / "a", **plain), one_by_one(_make)))
    other = list(run(_search(tmp_path / "b", **plain), backwards))
    assert len(set(asked)) == len(asked)
    points = [
        [(e.values, e.each, e.stopped) for e in run if isinstance(e, Point)] for run in (one, other)
    ]
    assert points[0] == points[1] and any(stopped for *_, stopped in points[0])
    spent = [[e.spent for e in run if isinstance(e, Picture)] for run in (one, other)]
    assert spent[0] == spent[1]


def test_a_score_of_a_set_stops_nothing(tmp_path: Path) -> None:
    search = _search(tmp_path, metrics=("toy-set", "toy-1"), budget=20)
    points = [event for event in run(search, one_by_one(_make)) if isinstance(event, Point)]
    assert len(points) == 4 and not any(point.stopped for point in points)
    assert points[0].metrics["toy-set"].mean == 5


def test_what_it_leaves_behind(tmp_path: Path) -> None:
    search = _search(tmp_path, budget=30)
    points = [event for event in run(search, one_by_one(_make)) if isinstance(event, Point)]
    found = report.write(search, points)
    assert [one["values"] for one in found["front"]] == [p.values for p in front(search, points)]
    for one in found["front"]:
        preset = Preset.load(one["preset"])
        assert preset.omega == one["values"]["omega"] and "toy-0" in preset.description
        assert preset.rows[0].weight == one["values"]["rows.0.weight"]
    with (tmp_path / "points.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(points)
    assert float(lines[0]["toy-1"]) == pytest.approx(points[0].metrics["toy-1"].mean)
    document = json.loads((tmp_path / "tune.json").read_text())
    assert document["front"] == found["front"] and len(document["all"]) == len(points)
    grid = Image.open(tmp_path / "front.png")
    assert grid.width >= 8 * len(found["front"]) and grid.height >= 8 * 5
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == len(found["front"]) and "<svg" in page
    (tmp_path / "front" / "99.json").write_text("{}")
    report.write(search, points)  # a front that has become shorter leaves no preset behind
    assert not (tmp_path / "front" / "99.json").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics": ()}, "--for: name at least one score"),
        ({"metrics": ("toy-0", "toy-0")}, "--for: names a score twice"),
        ({"metrics": ("nothing",)}, "--for: got 'nothing'; a metric is one of"),
        ({"metrics": ("clip-i",)}, "clip-i: needs references; give --reference DIR"),
        ({"budget": 14}, "--budget: 14 pictures, and a setting takes 5"),
        ({"ranges": ()}, "--over: give each field once"),
        ({"metrics": ("toy-set",), "seeds": (0, 1)}, "--for: toy-set is a score of a set"),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(StudioError) as caught:
        check(_search(tmp_path, **changes))
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_choices_and_whole_numbers_are_called_as_they_are(tmp_path: Path) -> None:
    """A search over texts ends in the same files; the names of its presets say the same."""
    ranges = (Range("sampler.scheduler", choices=("ddim", "euler")), Range("omega", 0.0, 1.0))
    values = {"sampler.scheduler": "euler", "sampler.seed": 1850000, "omega": 0.25}
    assert report.setting(values) == "scheduler euler, seed 1850000, ω 0.25"
    search = _search(tmp_path, ranges=ranges, budget=30)
    points = [event for event in run(search, one_by_one(_make)) if isinstance(event, Point)]
    found = report.write(search, points)
    assert found["front"] and "scheduler " in (tmp_path / "plot.svg").read_text()
    named = [Preset.load(one["preset"]).name for one in found["front"]]
    for one, name in zip(found["front"], named, strict=True):
        assert f"scheduler {one['values']['sampler.scheduler']}" in name
