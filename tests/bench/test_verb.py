"""The benchmark as a command: its output, its parts, its options' mistakes."""

from __future__ import annotations

import json
import os
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from studio.__main__ import main
from studio.bench import (
    bench,
    history,
    page_home,
    quality,
    report,
    suite,
    training,
)
from studio.bench.random_models import write_pipeline
from studio.engine import Engine
from studio.history import History, Query
from studio.history.intake import take_in
from studio.history.thumbs import thumbnail
from studio.library import Library
from tests.support import REPOSITORY
from tests.support.benchmark import TINY, Counter


def test_the_verb_prints_one_json_object(
    result: dict, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bench.Settings] = []
    monkeypatch.setattr(bench, "run", lambda settings, *_: asked.append(settings) or result)
    assert main(["bench", "--size", "sd15", "--device", "cpu", "--rounds", "2"]) == 0
    assert asked == [bench.Settings("sd15", "cpu", None, 2, None)]
    told = capsys.readouterr()
    assert json.loads(told.out) == result and told.out.count("\n") == 1
    assert "| `vs_composable` |" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--size", "huge"],
        ["--rounds", "0"],
        ["--steps", "x"],
        ["--device", "tpu"],
        ["--quality", "--size", "small"],
        ["--quality", "--training"],
        ["--quality", "--seconds", "9"],
        ["--training", "--only", "ratios"],
        ["--all", "--size", "small"],
        ["--all", "--quality"],
        ["--page", "--history"],
        ["--page", "--size", "small"],
    ],
)
def test_bad_arguments_are_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["bench", *arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_whole_run_on_a_tiny_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write = bench.write_pipeline
    monkeypatch.setattr(
        bench, "write_pipeline", lambda folder, _unet, dtype, _: write(folder, TINY, dtype)
    )
    threads, told, kept = torch.get_num_threads(), [], []
    try:
        found = bench.run(
            bench.Settings("sd15", "cpu", 1, 1, 8), told.append, lambda r: kept.append(deepcopy(r))
        )
    finally:
        torch.set_num_threads(threads)
    assert set(found) == {
        "machine",
        "setup",
        "ratios",
        "more",
        "seconds",
        "evaluations",
        "agreement",
        "failed",
    }
    assert found["failed"] == {} and kept[-1] == found
    assert kept[0]["evaluations"] and not kept[0]["ratios"]
    assert set(found["ratios"]) == {*suite.TABLE, "memory_base_row", "memory_lora_row"}
    assert found["setup"]["latent"] == "8²" and found["evaluations"]["8 rows"] == 9
    assert "round 1 of 1" in told and report.markdown(found)


def test_quality_on_a_tiny_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pipeline(tmp_path / "base", TINY, torch.float32)
    monkeypatch.setattr(quality, "_clip_t", lambda done: len(done) / 10)
    engine = Engine("cpu", library=Library((tmp_path,)))
    told: list[str] = []
    runs = quality.measure(engine, 3, 2, 9, told.append, 2, base="base")
    names = ["exact", *(f"effort {e}" for e in quality.EFFORTS), "6 steps", "4 steps", "3 steps"]
    assert [one["run"] for one in runs] == names
    turns = [(1, name) for name in names] + [(2, name) for name in reversed(names)]
    assert told == [f"3 rows, round {turn} of 2, {name}" for turn, name in turns]
    assert (runs[0]["share"], runs[0]["psnr"], runs[0]["time"]) == (1.0, None, 1.0)
    assert all(0.5 < one["share"] <= 1 and one["clip_t"] == 0.2 for one in runs[1:5])
    assert [one["share"] for one in runs[5:]] == [0.667, 0.444, 0.333]
    assert all(one["worst"] <= one["psnr"] for one in runs[5:])
    assert quality.markdown({"quality": {"3": runs}}).count("\n") == 2 + len(runs)


def test_the_quality_of_the_docs_is_the_stored_one() -> None:
    docs = REPOSITORY / "docs"
    stored = json.loads((docs / "effort.json").read_text(encoding="utf-8"))
    assert quality.markdown(stored) in (docs / "benchmarks.md").read_text(encoding="utf-8")


def test_the_passes_of_a_training_step(tmp_path: Path, studio_home: Path) -> None:
    write_pipeline(tmp_path / "base", TINY, torch.float32)
    clock, home = Counter(), os.environ["STUDIO_HOME"]
    with training.opened(Library((tmp_path,)), "base", "cpu") as trained:
        found = training.measure(trained, 1, clock)
        batch = trained.lora.batch
    # DDLoss: two of its four conditions with a graph, two without
    assert found["evaluations"] == {
        "lora": batch,
        "lora, bare": batch,
        "lora, DDLoss": 4 * batch,
        "lora, DDLoss's passes bare": 4 * batch,
        "concept": batch,
        "concept, bare": batch,
    }
    assert set(found["ratios"]) == {*training.TABLE, "memory_lora_step"}
    assert clock.calls == 6
    assert found["ratios"]["memory_lora_step"]["bytes"] > 0
    assert os.environ["STUDIO_HOME"] == home and not (studio_home / "training").exists()
    shown = {"machine": {}, "setup": {}, **found}
    assert "`accord_step_vs_plain`" in report.markdown(shown)


def test_a_history_is_asked_what_a_page_asks_of_it(
    studio_home: Path,
) -> None:
    result = history.run(400, 2, tell=lambda _: None)
    assert result["pictures"] == 400 and "one word" in result["milliseconds"]
    assert all(0 < took["median"] <= took["slowest"] for took in result["milliseconds"].values())
    assert "400 pictures" in history.markdown(result)
    records = history.made_up(400)
    store = History(studio_home, studio_home / "outputs")
    store.add(*records)
    counted = {
        word: sum(word in one.prompts.split() for one in records) for word in ("fox", "blue")
    }
    found = {word: store.search(Query(text=word)).total for word in counted}
    assert found == counted and all(counted.values())
    store.close()


def test_a_history_is_laid_out_as_the_page_would_find_it(studio_home: Path) -> None:
    page_home.fill(studio_home, 30, lambda _: None)
    store = History(studio_home, studio_home / "outputs")
    found = store.search(Query(), 60)
    assert found.total == 30 and take_in(store) == 0  # nothing is new, and nothing is lost
    assert all(store.file(record).is_file() for record in found.records)
    assert thumbnail(store, found.records[0]).startswith("data:image/webp")
    store.close()


def test_what_the_page_needs_to_be_measured_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr(page_home, "fill", lambda *_: None)
    assert main(["bench", "--page"]) == 2
    assert capsys.readouterr().err == "--page: needs a package: pip install playwright\n"
