"""The bar of what was refused or failed: its key, the field that is at fault, and its value."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.preset import validate
from studio.ui.failed_bar import failed_bar, held, refused_bar
from studio.ui.form import to_values
from studio.ui.history.moments import Moment
from studio.ui.run import stage_of
from studio.ui.session import Run, Series, Session

PRESET = validate({"rows": [{"prompt": "a cat", "weight": 2}], "sampler": {"width": 130}})
WIDTH = "sampler.width: must be a multiple of 8"


def data(bar: str) -> dict[str, str]:
    return {k: html.unescape(v) for k, v in re.findall(r'data-(\w+)="([^"]*)"', bar)}


def test_the_same_refusal_twice_has_two_keys() -> None:
    error = StudioError("must be a multiple of 8", field="sampler.width")
    first, second = (data(refused_bar(error, to_values(PRESET))) for _ in range(2))
    assert first["run"] and first["run"] != second["run"]
    assert first["field"] == "sampler.width" and first["value"] == "130"
    assert "field" not in data(refused_bar(ValueError("sampler.width: odd"), {}))


def test_a_value_is_held_where_a_form_writes_it_in_one_way() -> None:
    values = to_values(PRESET)
    assert held(values, "rows.0.weight") == "2.0" and held(values, "rows.0.enabled") == "true"
    assert held(values, "base") == f'"{PRESET.base}"'
    assert not any(
        held(values, one) for one in ("", "rows.0.prompt", "rows.9.weight", "init.image")
    )


def a_run(error: str, state: str, series: Series | None = None) -> Run:
    run = Run(PRESET, Session("one", []), Path("."), state=state, series=series)
    run.error, run.of_form = error, True
    return run


def test_what_the_form_never_held_is_not_compared_with_it() -> None:
    run = a_run(WIDTH, "failed")
    run.of_form = False  # as where a picture is made larger
    assert "value" not in data(failed_bar(run)) and data(failed_bar(run))["field"]


def test_a_series_names_the_field_of_all_its_failures() -> None:
    assert data(failed_bar(a_run(WIDTH, "failed")))["value"] == "130"
    series = Series(3)
    series.fail("one", "base: not here")
    series.fail("two", WIDTH)
    assert "field" not in data(failed_bar(a_run(WIDTH, "failed", series)))
    alike = Series(3)
    alike.fail("one", WIDTH)
    last = a_run("", "done", alike)  # whose last run is fine
    found = data(failed_bar(last))
    assert found["state"] == "failed" and found["run"] == last.key()
    assert found["field"] == "sampler.width" and "value" not in found


def test_one_that_failed_before_its_first_preview_leaves_nothing_that_forms() -> None:
    assert stage_of(a_run("wrong", "failed")) == {"state": "ended", "images": []}


def test_one_that_failed_at_once_leaves_what_was_made_before_it_in_the_queue() -> None:
    failed = a_run("wrong", "failed")
    session = failed.session
    first, nothing = (Run(PRESET, session, Path("."), state=one) for one in ("done", "failed"))
    first.moments = [Moment("a.png", "", "a")]
    session.runs = [first, nothing, failed]
    images = [moment.image_value() for moment in first.moments]
    assert stage_of(failed) == {"state": "ended", "images": [], "stood": images}
