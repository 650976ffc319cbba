"""What the Train tab's buttons do, called as the page calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from studio.train.runner import Runner, State
from studio.train.turns import Turns
from studio.ui.library import models
from studio.ui.space import Limits
from studio.ui.train import events, form, tab
from studio.ui.train.images import LONGEST, Picture
from tests.support.fake_trainer import FakeTrainer, config

GIVEN = {"base": "starter", "method": "lora", "word": "<hero>", "superclass": "ghost", "steps": 2}


class Page:
    """The tab on a page of its own, over a trainer without a network."""

    def __init__(self) -> None:
        self.runner = Runner(FakeTrainer(), Turns())
        with gr.Blocks() as self.blocks:
            parts = tab.lay_out(Limits())
            assert parts is not None
            events.attach(parts, self.runner, self.blocks, [], Limits())
        self.parts = parts

    def clicks(self, button: gr.Button) -> Any:
        """The event of a press."""
        (found,) = (
            one for one in self.blocks.fns.values() if one.targets == [(button._id, "click")]
        )
        return found

    def after(self, event: Any) -> Any:
        """The event behind another."""
        (found,) = (one for one in self.blocks.fns.values() if one.trigger_after == event._id)
        return found

    def press(self, button: gr.Button) -> Callable[..., list[Any]]:
        """What a press runs."""
        return self.clicks(button).fn


@pytest.fixture
def page(studio_home: Path) -> Iterator[Page]:
    models.rescan()
    yield Page()
    models.rescan()


@pytest.fixture
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = Path(get_upload_folder()) / tmp_path_factory.mktemp("up").name
    folder.mkdir(parents=True)
    files = [folder / "a.png", folder / "b.png"]
    for file in files:
        Image.new("RGB", (40, 20), "red").save(file)
    yield [str(file) for file in files]
    for file in files:
        file.unlink()
    folder.rmdir()


def test_a_restart_is_agreed_to_for_one_name_alone(
    page: Page, dropped: list[str], studio_home: Path
) -> None:
    for name in ("mine", "other"):
        begun = studio_home / "training" / name / "checkpoint.pt"
        begun.parent.mkdir(parents=True)
        begun.write_bytes(b"")
    pictures = [Picture("a.png"), Picture("b.png")]
    restart, agree = (
        page.press(button) for button in (page.parts.actions["restart"], page.parts.agree)
    )
    asking, question, again, *_ = restart(dropped, pictures, "", name="mine", **GIVEN)
    assert asking["visible"] and form.RESTART in question
    asking, question, again, *_ = agree(dropped, pictures, again, name="other", **GIVEN)
    assert asking["visible"] and form.RESTART in question
    assert page.runner.state.status == "idle"
    asking, question, again, *_ = agree(dropped, pictures, again, name="other", **GIVEN)
    page.runner.wait(20)
    assert not asking["visible"] and (question, again) == ("", "")
    trained = page.runner.state.config
    assert trained is not None and trained.name == "other"


def test_a_form_that_cannot_be_does_not_hold_up_what_is_gone_on_with(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One caption that is too long is refused with all that takes the pictures."""
    said: list[str] = []
    monkeypatch.setattr(events, "warn", said.append)
    page.runner.start(config())
    page.runner.wait(20)
    press = page.clicks(page.parts.actions["resume"])
    with pytest.raises(gr.Error, match=f"at most {LONGEST}"):
        page.parts.pictures.preprocess([{"name": "a.png", "caption": "x" * (LONGEST + 1)}])
    assert press.inputs == [page.parts.fields["name"]]
    press.fn("mine")
    page.runner.wait(20)
    later = page.after(press)
    same = page.runner.state.config.model_dump() if page.runner.state.config else {}
    given = {name: same[name] for name in page.parts.fields} | {"sample_prompts": ""}
    later.fn([], **given)
    later.fn([], **{**given, "rank": 3, "name": "another"})
    assert not said
    later.fn([], **{**given, "rank": 3})
    assert len(said) == 1 and said[0].endswith(": Rank")


def test_why_a_training_was_not_begun_stands_until_the_next_press(
    page: Page, dropped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(events, "warn", lambda error, *_: toasts.append(str(error)))
    event = page.clicks(page.parts.actions["start"])
    place = event.outputs.index(page.parts.refused)
    pictures = [Picture("a.png"), Picture("b.png")]
    answer = event.fn(dropped, pictures, "", name="Zwei Held", **GIVEN)
    assert answer[place]["visible"] and "cannot be a model&#x27;s name" in answer[place]["value"]
    assert answer[place]["value"].startswith('<p class="gs-error" role="alert">Name of the model: ')
    assert len(toasts) == 1 and page.runner.state.status == "idle"
    answer = event.fn(dropped, pictures, "", name="zwei", **GIVEN)
    page.runner.wait(20)
    assert not answer[place]["visible"] and page.runner.state.status == "done"


def test_what_failed_before_it_began_is_not_gone_on_with(page: Page, studio_home: Path) -> None:
    page.runner._state = State(status="failed", config=config(), text="a.png: no word")
    assert not page.runner.can_resume() and not page.runner.can_resume(config().name)
    begun = studio_home / "training" / config().name / "checkpoint.pt"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"")
    assert page.runner.can_resume()
