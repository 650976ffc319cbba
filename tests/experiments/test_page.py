"""docs/evidence.md says what the stored results say, and its figures are drawn from them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

import studio.experiments.papers  # noqa: F401 - fills the table
from studio.__main__ import main
from studio.errors import StudioError
from studio.experiments import page
from studio.experiments.experiment import EXPERIMENTS
from studio.experiments.figure import draw
from tests.support import REPOSITORY

FOLDER = REPOSITORY / "docs" / "evidence"
KEPT = page.stored(FOLDER)


def test_the_page_is_what_the_results_say(tmp_path: Path) -> None:
    shown = (REPOSITORY / "docs" / page.PAGE).read_text(encoding="utf-8")
    assert shown == page.text(KEPT, page.reasons(FOLDER), FOLDER.name)
    for name, result in KEPT.items():
        assert f"Verdict: ***{result['verdict']}***" in shown
        figure = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
        assert figure == draw(result, EXPERIMENTS[name].about, EXPERIMENTS[name].scatter)


@pytest.mark.parametrize("name", KEPT)
def test_a_result_is_of_the_experiment_as_it_is(name: str) -> None:
    """Its claims are those of the table, and its verdict follows from their findings."""
    from studio.experiments.scoring import verdict

    result = KEPT[name]
    assert not result["settings"]["quick"]
    assert [claim["says"] for claim in result["claims"]] == [
        claim.says for claim in EXPERIMENTS[name].claims
    ]
    assert result["verdict"] == verdict([claim["found"] for claim in result["claims"]])
    for claim in result["claims"]:
        low, high = claim["difference"]["low"], claim["difference"]["high"]
        line = -claim["margin"]
        if claim["found"] != "open":
            assert low > line if claim["found"] == "holds" else high < line


@pytest.mark.parametrize("place", [None, 0.5])
def test_a_figure_is_whole_whatever_is_known(place: float | None) -> None:
    def cell(name: str, mean: float, known: bool) -> dict[str, object]:
        ends = {"low": mean - 1, "high": mean + 1} if known else {"low": None, "high": None}
        at = None if place is None else place + mean
        return {"name": name, "line": name, "at": at, "metrics": {"kid": {"mean": mean, **ends}}}

    result = {"cells": [cell("a <b>", 0.0, True), cell("c", 3.0, False), cell("d", 3.0, True)]}
    if place is None:
        unknown = {"mean": None, "low": None, "high": None, "n": 0}
        result["cells"].append({**cell("e", 0.0, True), "metrics": {"kid": unknown}})
    drawing = ElementTree.fromstring(draw(result, "ω", ("kid", "kid") if place else None))
    texts = {element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {"a <b>", "c", "d", "kid"} <= texts


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "pg_omega.json").write_text("{}")
    with pytest.raises(StudioError, match=r"--out: pg_omega\.json is no result"):
        page.stored(tmp_path)


def test_of_several_one_that_fails_takes_no_other_with_it(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str, *rest: object) -> dict[str, object]:
        del rest
        if name == "pg_rank":
            raise StudioError("no room", field="rank")
        return {"cells": [], "verdict": "holds"}

    monkeypatch.setattr("studio.experiments.run.run", run)
    assert main(["experiment", "--all", "--quick"]) == 2
    found = capsys.readouterr()
    assert "pg_rank: rank: no room" in found.err and "1 did not run: pg_rank" in found.err
    assert len(found.out.splitlines()) == len(EXPERIMENTS) - 1
    written = {path.stem for path in (studio_home / "cache" / "experiments" / "quick").iterdir()}
    assert written == {*EXPERIMENTS} - {"pg_rank"}  # and none over the results that are kept


def test_the_verb_lists_and_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["experiment", "--list"]) == 0
    listed = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(EXPERIMENTS)
    for arguments, said in (
        (["experiment"], "experiment: give a name, --all, --list or --report"),
        (["experiment", "pg_nothing"], "experiment: got 'pg_nothing'; an experiment is one of"),
        (["experiment", "pg_rank", "--base", "starter/faces"], "base: "),
    ):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
