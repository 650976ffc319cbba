"""The papers' experiments: grids and claims fit together, whatever the base; one runs on a tiny network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import studio.experiments.papers as papers
from studio.engine import Engine
from studio.events import Done
from studio.experiments.experiment import (
    EXPERIMENTS,
    MEASURES,
    MODEL,
    Cell,
    Claim,
    Experiment,
    Study,
    baselines,
    without_subject,
)
from studio.experiments.pictures import filled
from studio.experiments.run import run
from studio.experiments.subjects import STARTER
from studio.library import Library
from studio.metrics import METRICS
from studio.plan import compile_plan
from studio.preset import Preset
from studio.train import METHODS
from studio.workers.choice import Choice
from studio.workers.crew import Made
from studio.workers.job import Job
from studio.workers.pool import Pool
from tests.support import tiny
from tests.support.fake_crew import FakeCrew
from tests.support.studio_page import needs_starter


def test_every_file_is_in_the_table() -> None:
    files = {path.stem for path in Path(papers.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(EXPERIMENTS) == set(papers.__all__)


@pytest.mark.parametrize("base", ["starter", "other"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_grid_fits_its_claims(name: str, base: str) -> None:
    experiment = EXPERIMENTS[name]
    study = experiment.sized(Study(base=base, small=base == "starter", subjects=STARTER))
    cells = experiment.grid(study)  # refuses claims that speak of no cell
    settings = {json.dumps([cell.preset, str(cell.training)], sort_keys=True) for cell in cells}
    assert len(settings) == len(cells)
    for cell in cells:
        trained = MODEL in json.dumps(cell.preset)
        assert trained == (cell.training is not None) or not experiment.pictures
        assert cell.training is None or cell.training.method in METHODS
        assert {cell.learned, cell.compared} <= {"", *STARTER}
    assert set(experiment.metrics) <= {*METRICS, *MEASURES}
    assert {claim.metric for claim in experiment.claims} <= set(experiment.metrics)
    assert base == "starter" or all("starter" not in json.dumps(cell.preset) for cell in cells)


def test_a_claim_about_no_cell_is_refused() -> None:
    claim = Claim("more", "clip-t", ("a",), ("b",))
    experiment = Experiment("P", "C", lambda study: [], (claim,), ("clip-t",))
    with pytest.raises(ValueError, match="no cell is called 'a'"):
        experiment.grid(Study())


def test_what_a_prompt_asks_for_besides_its_subject() -> None:
    assert without_subject("a {subject} in flat style") == "in flat style"
    assert without_subject("a {subject} and a crown in flat style") == "a crown in flat style"
    assert without_subject("a {subject} face on a red background") == "on a red background"


@needs_starter
def test_the_baselines_are_the_papers_sums() -> None:
    """The coefficients of every pass, by hand, at λ = 4."""
    row = {"model": {"lora": "starter/lora-hero"}}
    says = {"{prompt}": "a hero", "{class prompt}": "a person"}
    expected = {
        "CFG": [4.0, -3.0],
        "AG": [4.0, -3.0],
        "SAG": [4.0, -3.0],
        "CFG and AG": [6.0, -2.0, -3.0],
        "CFG and SAG": [6.0, -2.0, -3.0],
        "ours, ω 0": [4.0, -3.0],
        "ours, ω 0.6": [4.0, -3.0],
    }
    library = Library()
    for name, made in baselines(row, 4.0).items():
        preset = filled(Study().preset(*made.rows, omega=made.omega), says, "", library)
        plan = compile_plan(preset, library, [0.0])
        found = sorted((p.coefficients[0] for p in plan.passes), reverse=True)
        assert found == pytest.approx(sorted(expected[name], reverse=True)), name


def test_an_experiment_trains_makes_scores_and_judges(studio_home: Path, tmp_path: Path) -> None:
    """On a tiny random network; a second run makes nothing anew and finds the same."""
    tiny.pipeline(studio_home / "models" / "tiny")
    hero = STARTER["hero"]
    study = Study("tiny", False, 2.0, {"steps": 1, "width": 16, "height": 16}, quick=True)
    study = replace(study, budget={"steps": 1, "batch": 1, "size": 16}, subjects={"hero": hero})
    lines: list[str] = []
    first = run("pg_cfgpp", study, "cpu", "starter/clip", lines.append)
    assert first["verdict"] in ("holds", "holds in part", "does not show here")
    assert [len(claim["by_training"]) for claim in first["claims"]] == [1] * len(first["claims"])
    assert any("4 pictures, 4 of them new" in line for line in lines)
    lines.clear()
    again = run("pg_cfgpp", study, "cpu", "starter/clip", lines.append)
    assert not any("trained" in line for line in lines)
    assert all("0 of them new" in line for line in lines)
    assert again["cells"] == first["cells"] and again["claims"] == first["claims"]
    json.dumps(first, allow_nan=False)


def test_workers_make_the_pictures_of_an_experiment(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch once, as this process would have made it, and keep what was measured of it."""
    tiny.pipeline(studio_home / "models" / "tiny")
    asked: list[Preset] = []

    def behaves(worker: int, one: Job) -> Made:
        asked.append(one.preset)
        engine = Engine("cpu")
        done = [event for event in engine.generate(one.preset) if isinstance(event, Done)]
        return Made(tuple(done), 1.0, "cpu")

    def opened(choice: Choice, *_: object) -> Pool:
        return Pool(FakeCrew(behaves), choice.count)

    monkeypatch.setattr("studio.experiments.run.open_pool", opened)
    experiment = Experiment(
        "P",
        "C",
        lambda study: [
            Cell(f"weight {weight}", study.preset({"prompt": "a cat", "weight": weight}), at=weight)
            for weight in (1.0, 2.0)
        ],
        (Claim("more", "forwards", ("weight 1.0",), ("weight 2.0",)),),
        ("forwards", "seconds"),
    )
    EXPERIMENTS.register("toy", experiment)
    try:
        study = Study("tiny", False, 2.0, {"steps": 1, "width": 16, "height": 16}, quick=True)
        lines: list[str] = []
        found = run("toy", study, "cpu", tell=lines.append, workers=Choice(2))
        cells = run("toy", study, "cpu")["cells"]  # from what was kept
    finally:
        EXPERIMENTS.remove("toy")
    assert len(asked) == 2 and all(preset.sampler.count == 2 for preset in asked)
    assert lines == [
        "workers: 2 of 2 batches of pictures",
        "weight 1.0: 2 pictures, 2 of them new",
        "weight 2.0: 2 pictures, 2 of them new",
    ]
    assert found["cells"] == cells
