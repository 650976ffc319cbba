"""Merging on the Models tab: what its fields say, and what a shared page has of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.home import models_folder
from studio.library.merging import Baked
from studio.preset import validate
from studio.ui.library import merge, merged, models
from studio.ui.page import build
from studio.ui.space import SPACE, Limits
from tests.support import tiny
from tests.support.merge_fields import FIELDS


@pytest.fixture(autouse=True)
def _home(studio_home: Path) -> None:
    pipe = tiny.pipeline(models_folder() / "a", 0)
    tiny.pipeline(models_folder() / "b", 1)
    tiny.pipeline(models_folder() / "v", 2, "v_prediction")
    tiny.lora(models_folder() / "ink", pipe.unet)
    models.rescan()


def text(part: str) -> str:
    return re.sub("<[^>]*>", "", part)


def test_the_line_says_what_comes_before_the_press() -> None:
    line = merged.described(FIELDS)
    assert text(line).startswith("mix = a·(1 − 0.3) + b·0.3 · about ") and "gs-error" not in line
    assert text(merged.described({**FIELDS, "name": ""})).endswith(" · it needs a name")
    empty = {**FIELDS, "A": "", "B": "", "name": ""}
    assert text(merged.described(empty)) == merged.BEGIN


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"A": ""}, "A: choose a model for A"),
        ({"B": "v"}, "B: 'v' predicts v_prediction, 'a' epsilon"),
        ({"name": "b"}, "Name of the merged model: b is there already"),
        ({"multiplier": None}, "Multiplier m: needs a number"),
        ({"multiplier": ""}, "Multiplier m: needs a number"),
        ({"multiplier": "5,5,5"}, "Multiplier m: must be a number, got '5,5,5'"),
        ({"loras": "ink:x"}, "LoRAs to bake in: 'ink:x': a name and its strength"),
    ],
)
def test_a_mistake_is_said_before_the_press_and_after_it(change: dict, says: str) -> None:
    given = {**FIELDS, **change}
    line = merged.described(given)
    assert "gs-error" in line and text(line).replace("&#x27;", "'").startswith(says)
    *_, (bar, arrived) = merged.merged(given)
    assert not arrived and 'data-state="failed"' in bar
    assert text(bar).replace("&#x27;", "'").startswith(says)
    assert not (models_folder() / "mix").exists()


def test_what_the_method_does_not_read_is_left_out() -> None:
    given = {**FIELDS, "C": "v", "loras": "ink:0.5\n\nink:0.25:0\n"}
    recipe = merged.recipe_of(given)
    assert (recipe.b, recipe.c) == ("b", "")
    assert recipe.loras == (Baked("ink", 0.5), Baked("ink", 0.25, 0.0))
    alone = merged.recipe_of({**given, "method": "loras"})
    assert (alone.b, alone.how) == ("", "loras")


def test_a_lora_is_added_as_a_line() -> None:
    assert merged.added("ink", "x:1\n") == ("", "x:1\nink:1")
    assert merged.added("", "x:1") == ("", "x:1")
    assert merged.added("nope", "") == ("", "nope:1")  # the line below says that it is not there


def test_a_press_makes_it_and_the_list_has_it() -> None:
    seen = list(merged.merged(FIELDS))
    shares = [int(re.search(r'valuenow="(\d+)"', bar)[1]) for bar, _ in seen]  # type: ignore[index]
    assert shares == sorted(shares) and len(seen) > 10
    assert [arrived for _, arrived in seen] == [False] * (len(seen) - 1) + [True]
    assert text(seen[-1][0]).startswith("mix is in the library · ")
    models.rescan()
    assert "Merged: a·(1 − 0.3) + b·0.3" in models.table(shared=False)
    assert "mix" in models.bases("a") and "mix" in merged.wholes()


def test_one_that_is_stopped_leaves_nothing() -> None:
    running = merged.merged(FIELDS)
    while "merging unet" not in next(running)[0]:
        pass
    running.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in models_folder().iterdir()) == ["a", "b", "ink", "v"]


def test_a_presets_omega_fills_the_fields_in() -> None:
    page = build(Limits())
    del page
    import gradio as gr

    with gr.Blocks():
        parts = merge.lay_out(Limits(), merge.lay_out_keeper(Limits()))
    assert parts is not None
    row = {"prompt": "x", "weight": 3, "model": {"lora": "ink", "strength": 0.5}}
    filled = merge.filled_in(parts, validate({"base": "a", "rows": [row], "omega": 0.4}))
    assert filled[parts.fields["loras"]] == "ink:0.2"
    assert filled[parts.fields["A"]] == "a" and filled[parts.fields["method"]] == "loras"


def test_a_shared_page_merges_nothing() -> None:
    assert merge.lay_out(SPACE, None) is None  # type: ignore[arg-type]
    shown = str(build(SPACE).get_config_file())
    assert "gs-merge" not in shown
