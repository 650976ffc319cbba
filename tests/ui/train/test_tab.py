"""The Train tab: its methods, what it draws of a training, and what can be pressed when."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.home import models_folder, training_folder
from studio.library import ModelEntry
from studio.preset import ModelRef, validate
from studio.train import result
from studio.train.events import Losses
from studio.train.method import METHODS
from studio.train.runner import Runner, State
from studio.train.turns import Turns
from studio.ui.library import models
from studio.ui.space import SPACE, Limits
from studio.ui.train import defaults, form, tab, view
from studio.ui.train.actions import buttons, possible
from studio.ui.train.naming import misnamed
from studio.ui.wiring.generation import strip_of
from tests.support.fake_trainer import FakeTrainer, config
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Iterator[Path]:
    models.rescan()
    yield studio_home
    models.rescan()


def test_each_method_has_a_title_and_its_defaults() -> None:
    assert {name for _, name in tab.choices_of(defaults.methods("starter"))} == set(METHODS)
    for method in METHODS:
        template, *numbers = defaults.suggested(method, "starter")
        assert "{word}" in template and len(numbers) == len(defaults.NUMBERS)
    assert defaults.suggested("lora", "no/where")[3] == 1e-4  # unknown sizes: the papers'


def test_what_was_typed_outlives_another_method_and_is_named() -> None:
    shown = dict(zip(defaults.BROUGHT, defaults.suggested("lora", "starter"), strict=True))
    shown |= {"steps": 7, "template": "my {word}", "rank": None}
    found, kept = defaults.brought("dreambooth", "starter", list(shown.values()))
    now = dict(zip(defaults.BROUGHT, found, strict=True))
    fresh = dict(zip(defaults.BROUGHT, defaults.suggested("dreambooth", "starter"), strict=True))
    assert kept == ["template", "steps"] and now == {**fresh, "template": "my {word}", "steps": 7}
    untouched, none = defaults.brought("dreambooth", "starter", defaults.suggested("ti", "starter"))
    assert untouched == list(fresh.values()) and none == []
    typed = [*fresh.values()]
    assert defaults.brought("dreambooth", "starter", typed) == (typed, [])


def test_what_is_another_method_s_default_was_typed_all_the_same() -> None:
    shown = dict(zip(defaults.BROUGHT, defaults.suggested("concept", "starter"), strict=True))
    shown["batch"] = defaults.chosen_by_default("concept-lora", small=True)["batch"]
    given = list(shown.values())
    found, kept = defaults.brought("ti", "starter", given, ["concept", "starter"])
    assert "batch" in kept
    assert dict(zip(defaults.BROUGHT, found, strict=True))["batch"] == shown["batch"]
    assert "batch" not in defaults.brought("ti", "starter", given)[1]  # by itself it says nothing


def test_only_methods_that_train_on_the_base_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "big": ModelEntry("big", "base", "sdxl", 1, "x"),
        "old": ModelEntry("old", "base", "sd1", 1, "x"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(models, "library", lambda: known)
        told = tab.methods_of("big", "ti")
        assert {name for _, name in told["choices"]} == {
            "concept",
            "concept-lora",
            "dreambooth",
            "lora",
        }
        assert told["value"] == "lora"
        assert tab.methods_of("big", "concept")["value"] == "concept"
        assert len(tab.methods_of("old", "ti")["choices"]) == len(METHODS)


def test_a_training_runs_shows_and_ends_with_a_model() -> None:
    trainer = FakeTrainer()
    runner = Runner(trainer, Turns())
    runner.start(config())
    runner.wait(60)
    state = runner.state
    assert (state.status, state.model, state.step) == ("done", "mine", 4)
    assert [loss.step for loss in state.losses] == [1, 2, 3, 4] and trainer.closed == 1
    assert "DDLoss" in view.curves(state.losses) and "PDLoss" not in view.curves(state.losses)
    assert "&lt;b&gt;a&lt;/b&gt;" in view.samples(state) and "<b>" not in view.samples(state)
    assert "1 of 2 pictures skipped" in view.notes(state)
    preset = form.preset_of(runner)
    assert preset.omega == 0.4 and preset.rows[0].model is not None
    assert preset.rows[0].prompt == "a <hero> ghost"


def test_only_what_is_possible_is_lit(home: Path) -> None:
    trainer = FakeTrainer(pause=0.002)
    runner = Runner(trainer, Turns())
    lit = lambda name="": {a for a, yes in possible(runner, name).items() if yes}  # noqa: E731
    assert lit() == lit("mine") == lit("x" * 5000) == {"start"}
    runner.start(config(steps=100_000))
    assert lit("mine") == {"pause", "stop"}
    until(lambda: runner.state.step >= 2)
    runner.pause()
    runner.wait(60)
    assert lit() == lit("mine") == {"start", "resume", "stop"} and "resume" not in lit("other")
    folder = training_folder("other")
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").touch()  # of an earlier session
    assert {"resume", "restart"} <= lit("other")


def test_a_strip_varies_what_changes_the_picture() -> None:
    rows = [{"prompt": "a", "model": {"lora": "starter/lora-hero"}}]
    omegas = strip_of(validate({"name": "x", "omega": 0.3, "rows": rows}), few=False)
    assert [one.omega for _, one in omegas] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert omegas[1][0] == "ω 0.2" and omegas[1][1].name == "x · ω 0.2"
    alone = validate({"rows": [{"model": "starter/faces", "weight": 2}], "omega": 0.3})
    weights = strip_of(alone, few=True)
    assert [(label, one.rows[0].weight) for label, one in weights] == [
        ("weight 1", 1),
        ("weight 2", 2),
        ("weight 4", 4),
    ]
    assert {one.omega for _, one in weights} == {0.3}


def test_a_model_of_an_earlier_start_is_used_by_its_name(home: Path) -> None:
    """Also where another one was trained since."""
    folder, model = training_folder("earlier"), models_folder() / "earlier"
    for one in (folder, model):
        one.mkdir(parents=True)
    settings = config().model_copy(update={"name": "earlier", "word": "kite"})
    (folder / "settings.json").write_text(json.dumps(settings.model_dump(mode="json")))
    runner = Runner(FakeTrainer(), Turns())
    assert not possible(runner, "earlier")["use"]
    (model / "card.json").write_text('{"method": "lora", "steps": 4}')
    assert possible(runner, "earlier")["use"] and possible(runner, "earlier")["sweep"]
    assert not possible(runner, "other")["use"] and not possible(runner)["use"]
    assert form.preset_of(runner, "earlier").rows[0].prompt == "a kite ghost"
    runner.start(config())
    runner.wait(20)
    assert form.preset_of(runner, "earlier").rows[0].prompt == "a kite ghost"
    assert form.preset_of(runner).rows[0].prompt == "a <hero> ghost"
    for name in ("other", "x" * 5000):  # another's model is none of this name's
        assert not possible(runner, name)["use"] and not possible(runner, name)["sweep"]
        with pytest.raises(StudioError, match="no training of this name has finished yet"):
            form.preset_of(runner, name)


def test_a_model_keeps_its_own_base_while_its_name_is_trained_anew(home: Path) -> None:
    """A training that is begun anew on another base, and stopped by a new start of the studio, has
    left its settings and made no model yet."""
    folder, model = training_folder("mine"), models_folder() / "mine"
    for one in (folder, model):
        one.mkdir(parents=True)
    (model / "card.json").write_text(json.dumps(result.card(config(), 4)))
    anew = {"base": "sd15", "word": "kite", "superclass": "toy", "method": "concept", "edition": 3}
    settings = config().model_copy(update=anew)
    (folder / "settings.json").write_text(json.dumps(settings.model_dump(mode="json")))
    found = form.preset_of(Runner(FakeTrainer(), Turns()), "mine")
    assert (found.base, found.rows[0].prompt) == ("starter", "a <hero> ghost")
    assert found.rows[0].model == ModelRef(lora="mine")


@pytest.mark.parametrize(
    ("method", "title"), [("lora", "ω"), ("concept", "weight"), ("concept-lora", "weight")]
)
def test_the_button_names_what_it_varies(method: str, title: str) -> None:
    runner = Runner(FakeTrainer(), Turns())
    changes = {} if method == "lora" else {"word": "", "superclass": ""}
    runner.start(config(method=method, **changes))
    runner.wait(60)
    assert buttons(runner)[-1]["value"] == f"Sweep over {title}"


def test_notes_call_a_setting_by_its_label() -> None:
    found = view.notes(State(notes=("token_rate: is above rate", "a.png is skipped")))
    assert "<li>Rate of the word: is above rate</li><li>a.png is skipped</li>" in found


def test_a_sample_without_a_prompt_is_named_by_its_step() -> None:
    found = view.samples(State(samples=((3, "", Image.new("RGB", (8, 8))),)))
    assert ">Step 3</figcaption>" in found


def test_a_failure_is_one_line() -> None:
    runner = Runner(FakeTrainer(fails=StudioError("is full", field="disk")), Turns())
    runner.start(config())
    runner.wait(60)
    assert (runner.state.status, runner.state.text) == ("failed", "disk: is full")
    assert "disk: is full" in view.progress(runner.state)
    with pytest.raises(StudioError, match="no training has finished"):
        form.preset_of(runner)


def test_the_pages_generation_takes_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.preset import Preset
    from studio.ui import host
    from tests.support.fake_engine import FakeEngine

    class Engine:
        generate = staticmethod(FakeEngine())

        def look_in(self, library: object) -> None:
            pass

    monkeypatch.setattr(host, "engine", Engine)
    events = host.stream(Preset())
    assert not host.TURNS.waiting()
    next(events)
    assert host.TURNS.waiting()
    events.close()  # type: ignore[attr-defined]
    assert not host.TURNS.waiting()


def test_a_shared_page_does_not_train_unless_its_host_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STUDIO_ALLOW_TRAINING", raising=False)
    assert tab.allowed(Limits()) and not tab.allowed(SPACE)
    monkeypatch.setenv("STUDIO_ALLOW_TRAINING", "1")
    assert tab.allowed(SPACE)


def test_the_name_of_a_model_from_elsewhere_is_told_of_while_it_is_typed(home: Path) -> None:
    said = misnamed("starter")
    assert said["visible"] and "already holds" in said["value"]
    folder = home / "training" / "starter"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text("{}")  # one that was begun here
    assert not misnamed("starter")["visible"]


def test_a_training_that_was_cut_off_before_its_first_checkpoint_is_said_to_be_gone(
    home: Path,
) -> None:
    runner, folder = Runner(), home / "training" / "mine"
    assert "nothing of it is left" not in tab.progress(runner, "mine")
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text("{}")
    assert "mine ended before its first checkpoint: nothing of it is left" in tab.progress(
        runner, "mine"
    )
    (folder / "checkpoint.pt").write_bytes(b"")
    assert "Resume goes on with it" in tab.progress(runner, "mine")
    assert "left" not in tab.progress(runner, "../mine\0")
    (folder / "checkpoint.pt").unlink()
    own = config().model_copy(update={"name": "mine"})
    runner._state = State(config=own, status="idle", text="Stopped before the first step")
    assert "Stopped before the first step" in tab.progress(runner, "mine")


def test_a_model_that_was_made_and_deleted_is_not_said_to_be_there(home: Path) -> None:
    runner, folder = Runner(), home / "models" / "mine"
    folder.mkdir(parents=True)
    own = config().model_copy(update={"name": "mine"})
    done = "Done: mine is in the library (3 s)"
    runner._state = State(config=own, status="done", model="mine", folder=folder, text=done)
    assert done in tab.progress(runner, "mine") and possible(runner, "mine")["use"]
    folder.rmdir()
    said = tab.progress(runner, "mine")
    assert done not in said and "mine was made, and is no longer in the library" in said
    assert not possible(runner, "mine")["use"] and not possible(runner)["sweep"]


def test_a_name_that_no_model_can_have_is_told_of_while_it_is_typed() -> None:
    assert "cannot be a model's name" in html.unescape(misnamed("a b")["value"])
    assert "<b>" not in misnamed("<b>")["value"]
    for long in (61, 300, 5000):  # more than a folder's name may have, too
        assert f"at most 60 characters, got {long}" in misnamed("x" * long)["value"]
    for fine in ("my-hero", " my-hero ", "", None):
        assert not misnamed(fine)["visible"]  # type: ignore[arg-type]


def test_a_method_hides_what_it_does_not_read() -> None:
    fields = ["name", "word", "superclass", "rank", "null_text"]
    assert tab.unread_by("concept", fields) == ["word", "superclass", "rank"]
    assert tab.unread_by("lora", fields) == ["null_text"]


def test_curves_have_axes_and_a_running_mean() -> None:
    losses = [Losses(step, 1.0 if step % 2 else 3.0, 1.0) for step in range(1, 101)]
    drawn = view.curves(losses)
    assert drawn.count("gs-axis") == 1 and ">1<" in drawn and ">100<" in drawn
    smooth = view._smoothed([(loss.step, loss.total) for loss in losses])
    assert smooth[0] == (1, 1.0)  # no bias at the start
    assert all(1.8 < value < 2.2 for _, value in smooth[-10:])
