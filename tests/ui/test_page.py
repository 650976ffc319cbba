"""The page's logic, and what a client without a browser can send."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio import images
from studio.errors import BadPreset, StudioError
from studio.preset import Preset, validate
from studio.preset.saved import list_presets
from studio.share import read_image
from studio.ui import describe, equation, run
from studio.ui.editor import (
    stack,
    start_image,
)
from studio.ui.form import to_preset, to_values
from studio.ui.history import moments
from studio.ui.idle import IDLE_REASONS
from studio.ui.presets import gallery
from studio.ui.runs import Runs
from studio.ui.space import SPACE, Limits
from tests.support.fake_engine import ROWS, FakeEngine, values


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def updates(engine: Any, limits: Limits = Limits(), **changes: Any) -> list[run.Update]:  # noqa: B008
    runs = Runs(engine, limits)
    session = runs.session("visitor")
    return list(run.generate(runs, limits, session, "page", values(**changes)))


def history(engine: Any, limits: Limits = Limits(), **changes: Any) -> list[moments.Moment]:  # noqa: B008
    """What a session has made after one generation."""
    runs = Runs(engine, limits)
    session = runs.session("visitor")
    list(run.generate(runs, limits, session, "page", values(**changes)))
    return session.moments


# -- the form ---------------------------------------------------------------------------------


@pytest.mark.parametrize("saved", list_presets(), ids=lambda saved: saved.path.stem)
def test_every_starter_preset_passes_through_the_form_unchanged(saved: Any) -> None:
    assert to_preset(to_values(saved.preset)) == saved.preset


def test_refinements_and_a_starting_picture_pass_through_the_form() -> None:
    preset = validate(
        {
            "rows": [{"prompt": "a", "curve": [[0.0, 0.5], [1.0, 2.0]], "mask": "inputs/a.png"}],
            "guidance_rescale": 0.7,
            "cfgpp": True,
            "sampler": {"scheduler": "euler"},
            "apg": {"eta": 0.2, "norm_threshold": 12.0, "momentum": -0.5},
            "init": {"image": "inputs/b.png", "strength": 0.4, "mask": "inputs/c.png"},
        }
    )
    assert to_preset(to_values(preset)) == preset
    sent = start_image.StartPicture().postprocess(preset.init)
    assert sent == {"init": preset.init.model_dump(), "thumbs": {}}  # type: ignore[union-attr]
    assert start_image.init_from_payload(sent) == preset.init
    assert start_image.init_from_payload({"init": None}) is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ("a.png", "init"),
        ({"image": "a.png", "strength": 2}, "init.strength"),
        ({"image": "a.png", "colour": 1}, "init.colour"),
        ({"image": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}}, "init.image"),
        ({"init": {"image": "a.png", "mask": {"path": "/etc/passwd"}}}, "init.mask"),
    ],
)
def test_a_bad_starting_picture_names_its_field(payload: Any, field: str) -> None:
    with pytest.raises(BadPreset) as caught:
        start_image.init_from_payload(payload)
    assert caught.value.field == field


def test_images_of_rows_and_start_are_shown_small() -> None:
    ref = images.store(Image.new("RGB", (300, 200), "red"))
    rows = validate({"rows": [{"mask": ref}, {"mask": "inputs/lost.png"}]}).rows
    shown = stack.GuidanceStack().postprocess(rows)["thumbs"]
    assert list(shown) == [ref] and shown[ref].startswith("data:image/jpeg;base64,")
    large = stack.show_image(ref)["src"]
    assert large.startswith("data:image/png;base64,")
    assert "error" in stack.show_image("/etc/passwd") and "error" in stack.show_image(None)


def test_empty_boxes_stand_for_a_new_seed_and_the_native_size() -> None:
    shown = values()
    shown |= {"steps": 30, "seed": None, "width": None, "count": 2}
    made = to_preset(shown).sampler
    assert (made.steps, made.seed, made.width, made.count) == (30, -1, None, 2)
    with pytest.raises(BadPreset, match="width"):  # only an empty box is the native size
        to_preset({**shown, "width": 0})


# -- the plan ---------------------------------------------------------------------------------


def test_an_unknown_model_is_one_line_in_place_of_the_equation() -> None:
    shown, _, fault = describe.describe(Limits(), **values(base="no-such-model"))
    assert fault["field"] == "base"
    assert "gs-missing" in shown and "no-such-model" in shown and "Traceback" not in shown


def test_prompts_are_escaped_in_the_equation() -> None:
    line = 'ε̂ = −4·starter(∅) + 5·starter("<img src=x onerror=alert(1)>")'

    class Shown:
        forwards_per_step, forwards_total, rounds = (2, 2), 4, 1
        unit, second, detail = "step", None, None

        def __str__(self) -> str:
            return line

    shown = equation.equation(Shown()) + describe.cost(Shown(), 1)  # type: ignore[arg-type]
    assert "<img" not in shown and "&lt;img" in shown
    assert 'class="gs-n">−4' in shown and "<b>2</b> passes per step" in shown
    assert "1 step ·" in describe.cost(Shown(), 1, steps=1)  # type: ignore[arg-type]


def test_terms_name_their_rows_and_idle_fields_their_reason() -> None:
    rows = [{"prompt": "b AND c"}, {"model": "starter/faces"}, {"prompt": "a", "weight": -1.0}]
    shown, idle, fault = describe.describe(Limits(), **values(rows=rows))
    titles = re.findall('class="gs-term" title="([^"]+)"', shown)
    assert titles == [
        "the base term, which rows are compared with",
        "row 1: b AND c",
        "row 1: b AND c",
        "row 2: starter/faces",
        "row 3: a",
    ]
    assert '<span class="gs-n">−</span> <span class="gs-term" title="row 3: a">' in shown
    unread = {name: None for name in idle if idle[name] is None}  # in test_unread_fields.py
    # No row has a LoRA; a prompt has parts.
    assert idle == {"omega": IDLE_REASONS["omega"], **unread}
    assert fault == describe.NO_FAULT
    lora = {"prompt": "a", "model": {"lora": "starter/lora-hero"}}
    idle = describe.describe(Limits(), **values(rows=[lora]))[1]
    assert idle == {"decoupling": IDLE_REASONS["decoupling"], **unread}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"sampler": {"width": 130}}, "sampler.width", "such as 128 and 136"),
        ({"sampler": {"steps": 60}}, "sampler.steps", "at most 50 on this page"),
        ({"rows": [{"prompt": "a"}] * 13}, "rows", "at most 12 on this page"),
        (
            {"rows": [{"control": {"type": "canny", "image": "inputs/lost.png"}}]},
            "rows.0.control.image",
            "there is no image",
        ),
        ({"init": {"image": "inputs/lost.png"}}, "init.image", "there is no image"),
    ],
)
def test_what_would_be_refused_later_is_in_the_plan_with_its_field(
    changes: Any, field: str, said: str
) -> None:
    shown, _, fault = describe.describe(SPACE, **values(**changes))
    assert fault["field"] == field and said in fault["text"]
    assert "gs-plan-bad" in shown and said in shown


def test_an_autoencoder_that_cannot_be_is_put_away_by_one_press() -> None:
    press = '<button type="button" class="gs-word" data-blank="vae">'
    for vae, wrong in (("starter/lora-hero", True), ("starter/none", True), ("", False)):
        shown, _, fault = describe.describe(SPACE, **values(vae=vae))
        assert (press in shown) == wrong == (fault["field"] == "vae")


# -- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "../../etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"url": "http://127.0.0.1/x.png", "meta": {"_type": "gradio.FileData"}},
        {},
    ],
)
def test_files_that_were_not_uploaded_are_refused(image: dict[str, Any]) -> None:
    row = {"prompt": "x", "control": {"type": "canny", "image": image}}
    with pytest.raises(BadPreset, match=r"rows\.0\.control\.image"):
        stack.rows_from_payload([row])
    with pytest.raises(BadPreset, match=r"rows\.0\.mask"):
        stack.rows_from_payload([{"prompt": "x", "mask": image}])
    assert "error" in stack.store_image(image) and "error" in stack.check_picture(image)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"weight": float("nan")}, "rows.0.weight"),
        ({"weight": float("inf")}, "rows.0.weight"),
        ({"wieght": 1.0}, "rows.0.wieght"),
        ({"weight": "7"}, "rows.0.weight"),
        ({"range": [0.8, 0.2]}, "rows.0.range"),
        ("a row", "rows.0"),
    ],
)
def test_bad_rows_name_the_field(row: Any, field: str) -> None:
    with pytest.raises(StudioError) as caught:
        stack.rows_from_payload([row])
    assert str(caught.value).startswith(field) and "\n" not in str(caught.value)


def test_rows_come_as_a_list_or_as_the_page_holds_them() -> None:
    assert stack.rows_from_payload(ROWS) == stack.rows_from_payload({"rows": ROWS, "thumbs": {}})
    assert stack.rows_from_payload(None) == ()


# -- generating -------------------------------------------------------------------------------


def test_a_generation_ends_with_a_png_that_carries_its_preset(home: Path) -> None:
    engine = FakeEngine()
    runs = Runs(engine, Limits())
    session = runs.session("visitor")
    shown = values(sampler={"count": 2, "seed": 5})
    last = list(run.generate(runs, Limits(), session, "page", shown))[-1]
    assert engine.closed == 1
    assert [moment.preset().sampler.seed for moment in session.moments] == [6, 5]
    path = Path(session.moments[0].path)
    assert path.is_relative_to(home / "outputs") and read_image(path)[0].rows[0].prompt == "a cat"
    assert last.stage["state"] == "done" and len(last.stage["images"]) == 2
    assert last.shares["shares"][0]["norm"] == (1.0, None, 2.0)
    shown = runs.newest(session)
    assert moments.pick(shown, last.strip["items"][0]["id"]) == session.moments[0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "error", [StudioError("wrong", field="rows.1.model"), RuntimeError("boom\nsecond line")]
)
def test_an_error_is_one_line_and_the_next_generation_works(error: Exception) -> None:
    last = updates(FakeEngine(fails=error))[-1]
    assert (
        'data-state="failed"' in last.progress
        and "Traceback" not in last.progress
        and "\n" not in last.progress
    )
    assert updates(FakeEngine())[-1].stage["state"] == "done"


def test_seed_minus_one_is_a_new_seed_each_time() -> None:
    engine = FakeEngine()
    for _ in range(2):
        updates(engine, sampler={"seed": -1})
    assert all(preset.sampler.seed >= 0 for preset in engine.seen)
    assert engine.seen[0].sampler.seed != engine.seen[1].sampler.seed


# -- a shared page ----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [{"prompt": "x"}] * 13},
        {"sampler": {"steps": 51}},
        {"sampler": {"count": 5}},
        {"sampler": {"width": 1024}},
    ],
)
def test_a_shared_page_refuses_what_is_over_its_limits(changes: dict[str, Any]) -> None:
    engine = FakeEngine()
    assert "at most" in updates(engine, SPACE, **changes)[-1].progress
    assert not engine.seen


def test_a_shared_page_keeps_visitors_apart(home: Path) -> None:
    made = history(FakeEngine(), SPACE)
    assert Path(made[0].path).parent == home / "outputs" / "visitor"
    assert moments.newest([], None, shared=True) == []
    assert len(moments.newest([], None, shared=False)) == 1
    with pytest.raises(BadPreset, match="shared"):
        gallery.save(Preset(name="mine"), SPACE)
