"""The Train tab: its table and settings, one training in the background, turns with generation."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from gradio.utils import get_upload_folder  # noqa: E402
from PIL import Image  # noqa: E402

from studio.errors import StudioError  # noqa: E402
from studio.home import training_folder  # noqa: E402
from studio.library import ModelEntry  # noqa: E402
from studio.train.config import METHODS, TrainConfig  # noqa: E402
from studio.train.events import (  # noqa: E402
    Finished,
    Losses,
    Note,
    Samples,
    TrainEvent,
    TrainProgress,
)
from studio.train.runner import Runner  # noqa: E402
from studio.train.turns import Turns  # noqa: E402
from studio.ui.library import models  # noqa: E402
from studio.ui.space import SPACE, Limits  # noqa: E402
from studio.ui.train import examples, form, tab, view  # noqa: E402
from studio.ui.train.actions import possible  # noqa: E402
from studio.ui.train.images import Picture  # noqa: E402
from tests.support import train_tiny  # noqa: E402


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Iterator[Path]:
    models.rescan()
    yield studio_home
    models.rescan()


@pytest.fixture
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two pictures and a text, where Gradio puts what is uploaded."""
    folder = Path(get_upload_folder()) / tmp_path_factory.mktemp("up").name
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 20), "red").save(folder / "a.png")
    Image.new("RGB", (40, 20), "blue").save(folder / "b.png")
    (folder / "b.txt").write_text("a <hero> ghost at sea\n")
    files = sorted(folder.iterdir())
    yield [str(file) for file in files]
    for file in files:
        file.unlink()
    folder.rmdir()


class FakeTrainer:
    """Steps that wait for nothing; remembers what it was asked and how it ended."""

    def __init__(self, pause: float = 0.0, fails: Exception | None = None) -> None:
        self.pause, self.fails = pause, fails
        self.asked: list[tuple[TrainConfig, bool]] = []
        self.step, self.closed = 0, 0

    def __call__(
        self, config: TrainConfig, resume: bool = False, restart: bool = False
    ) -> Generator[TrainEvent, None, None]:
        self.asked.append((config, resume))
        try:
            self.step = self.step if resume else 0
            yield Note("1 of 2 pictures skipped")
            while self.step < config.steps:
                time.sleep(self.pause)
                if self.fails:
                    raise self.fails
                self.step += 1
                yield Losses(self.step, 1.0 / self.step, 1.0 / self.step, dd=0.5 * self.step)
                yield TrainProgress(self.step, config.steps, 1.0, 65.0)
            yield Samples(self.step, ("<b>a</b>",), (Image.new("RGB", (8, 8)),), 5.0, 0.4)
            yield Finished(config.name, Path("x"), self.step, 2.0)
        finally:
            self.closed += 1


def config(**changes: Any) -> TrainConfig:
    return TrainConfig(
        method="lora",
        images="x",
        name="mine",
        word="<hero>",
        superclass="ghost",
        **{"steps": 4, **changes},
    )


def until(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


# -- the pictures -----------------------------------------------------------------------------


def test_pictures_are_listed_with_their_texts_and_keep_what_was_written(
    dropped: list[str],
) -> None:
    written = Picture("a.png", "mine", crop=(0.0, 0.0, 0.5, 1.0))
    found = form.listed(dropped, [written])
    assert found == [written, Picture("b.png", "a <hero> ghost at sea")]
    assert form.listed(dropped[2:], found[:1]) == found[:1]  # a removed one stays away
    late = form.listed(dropped[2:], [Picture("b.png")])  # its text came after it
    assert late == [Picture("b.png", "a <hero> ghost at sea")]
    with pytest.raises(StudioError, match="is no uploaded file"):
        form.listed(["/etc/passwd.txt"], [])
    assert form.together(["/x/a.png", "/x/b.png"], ["/y/a.png"]) == ["/y/a.png", "/x/b.png"]


def test_captions_are_filled_and_split(dropped: list[str]) -> None:
    box = (0.0, 0.0, 0.5, 1.0)
    found = form.listed(dropped, [Picture("a.png", crop=box)])
    assert form.filled(found, "<hero>", "ghost", "a {word} {superclass}") == [
        Picture("a.png", "a <hero> ghost", "<hero> ghost", "", box),
        Picture("b.png", "a <hero> ghost at sea", "<hero> ghost", "at sea"),
    ]


def test_settings_are_checked_and_pictures_kept(dropped: list[str], home: Path) -> None:
    given = {
        "name": "mine",
        "base": "starter",
        "method": "lora",
        "word": "<hero>",
        "superclass": "ghost",
        "template": "a {word} {superclass}",
        "steps": 5.0,
        "rank": None,
        "ddloss": 0.2,
        "pdloss": 0,
        "sample_prompts": "one\n\n two ",
    }
    rows = [
        Picture("a.png", crop=(0.0, 0.0, 0.8, 0.8)),
        Picture("b.png", "a <hero> ghost at sea", "<hero>", "sea"),
        Picture("lost.png", "its file is not here"),
    ]
    found = form.configured(dropped, rows, given)
    assert (found.steps, found.ddloss, found.method) == (5, 0.2, "lora")
    assert found.sample_prompts == ("one", "two")
    assert sorted(p.name for p in Path(found.images).iterdir()) == ["a.png", "b.png"]
    with Image.open(Path(found.images) / "a.png") as image:
        assert image.size == (32, 16)
    written = json.loads(Path(found.captions or "").read_text())
    assert list(written) == ["a.png", "b.png"]
    assert written["a.png"] == {
        "caption": "a <hero> ghost",
        "target": "<hero> ghost",
        "general": "",
    }
    assert written["b.png"]["general"] == "sea"
    with pytest.raises(StudioError, match="drop some pictures first"):
        form.configured([], rows, given)
    with pytest.raises(StudioError, match="drop some pictures first"):
        form.configured(dropped, [], given)
    with pytest.raises(StudioError, match="name"):
        form.configured(dropped, rows, {**given, "name": "../up"})
    concept = form.configured(dropped, rows, {**given, "name": "c", "method": "concept"})
    assert (concept.captions, concept.ddloss, concept.word) == (None, 0.0, "")
    (home / "models" / "mine").mkdir(parents=True)
    with pytest.raises(StudioError, match="already holds 'mine'"):
        form.configured(dropped, rows, given)


def test_each_method_has_a_title_and_its_defaults() -> None:
    assert {name for _, name in tab.choices_of(form.methods("starter"))} == set(METHODS)
    for method in METHODS:
        template, *numbers = form.suggested(method, "starter")
        assert "{word}" in template and len(numbers) == len(form.NUMBERS)
    assert form.suggested("lora", "no/where")[3] == 1e-4  # unknown sizes: the papers'


def test_only_methods_that_train_on_the_base_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "big": ModelEntry("big", "base", "sdxl", 1, "x"),
        "old": ModelEntry("old", "base", "sd1", 1, "x"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(models, "library", lambda: known)
        told = tab.methods_of("big", "ti")
        assert {name for _, name in told["choices"]} == {"concept", "dreambooth", "lora"}
        assert told["value"] == "lora"
        assert tab.methods_of("big", "concept")["value"] == "concept"
        assert len(tab.methods_of("old", "ti")["choices"]) == len(METHODS)


# -- the background ---------------------------------------------------------------------------


def test_a_training_runs_shows_and_ends_with_a_model() -> None:
    trainer = FakeTrainer()
    runner = Runner(trainer, Turns())
    runner.start(config())
    runner.wait(20)
    state = runner.state
    assert (state.status, state.model, state.step) == ("done", "mine", 4)
    assert [loss.step for loss in state.losses] == [1, 2, 3, 4] and trainer.closed == 1
    assert "DDLoss" in view.curves(state.losses) and "PDLoss" not in view.curves(state.losses)
    assert "&lt;b&gt;a&lt;/b&gt;" in view.samples(state) and "<b>" not in view.samples(state)
    assert "1 of 2 pictures skipped" in view.notes(state)
    preset = form.preset_of(state)
    assert preset.omega == 0.4 and preset.rows[0].model is not None
    assert preset.rows[0].prompt == "a <hero> ghost"


def test_pause_resume_stop() -> None:
    trainer = FakeTrainer(pause=0.002)
    runner = Runner(trainer, Turns())
    runner.start(config(steps=100_000))
    with pytest.raises(StudioError, match="a training is running"):
        runner.start(config())
    until(lambda: runner.state.step >= 2)
    runner.pause()
    runner.wait(20)
    assert runner.state.status == "paused" and trainer.closed == 1
    paused = runner.state.step
    runner.resume()
    until(lambda: runner.state.step > paused)
    assert trainer.asked[-1][1] is True
    runner.stop()
    runner.wait(20)
    assert runner.state.status == "done" and runner.state.model == "mine"
    assert trainer.asked[-1][0].steps < 100_000
    with pytest.raises(StudioError, match="no training is running"):
        runner.pause()
    with pytest.raises(StudioError, match="no training of 'other'"):
        runner.resume("other")


def test_only_what_is_possible_is_lit(home: Path) -> None:
    trainer = FakeTrainer(pause=0.002)
    runner = Runner(trainer, Turns())
    lit = lambda name="": {a for a, yes in possible(runner, name).items() if yes}  # noqa: E731
    assert lit() == lit("mine") == lit("x" * 5000) == {"start"}
    runner.start(config(steps=100_000))
    assert lit("mine") == {"pause", "stop"}
    until(lambda: runner.state.step >= 2)
    runner.pause()
    runner.wait(20)
    assert lit() == lit("mine") == {"start", "resume", "stop"} and "resume" not in lit("other")
    folder = training_folder("other")
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").touch()  # of an earlier session
    assert {"resume", "restart"} <= lit("other")


def test_a_failure_is_one_line() -> None:
    runner = Runner(FakeTrainer(fails=StudioError("is full", field="disk")), Turns())
    runner.start(config())
    runner.wait(20)
    assert (runner.state.status, runner.state.text) == ("failed", "disk: is full")
    assert "disk: is full" in view.progress(runner.state)
    with pytest.raises(StudioError, match="no training has finished"):
        form.preset_of(runner.state)


def test_generation_goes_first_and_training_goes_on_after_it() -> None:
    turns, trainer = Turns(), FakeTrainer(pause=0.001)
    runner = Runner(trainer, turns)
    runner.start(config(steps=100_000))
    until(lambda: runner.state.step > 0)
    with turns.generation():
        before = trainer.step
        until(lambda: runner.state.text == "Waiting for a generation")
        assert trainer.step == before
    until(lambda: trainer.step > before)
    runner.pause()
    runner.wait(20)


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


def test_generations_do_not_wait_for_each_other() -> None:
    turns, inside = Turns(), threading.Barrier(2, timeout=10)

    def generate() -> None:
        with turns.generation():
            inside.wait()  # both are inside at once, or this times out

    thread = threading.Thread(target=generate)
    thread.start()
    generate()
    thread.join()


def test_a_shared_page_does_not_train_unless_its_host_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STUDIO_ALLOW_TRAINING", raising=False)
    assert tab.allowed(Limits()) and not tab.allowed(SPACE)
    monkeypatch.setenv("STUDIO_ALLOW_TRAINING", "1")
    assert tab.allowed(SPACE)


def test_real_training_through_the_runner(home: Path, tmp_path: Path) -> None:
    train_tiny.base(home)
    runner = Runner(None, Turns())
    runner.start(train_tiny.config(train_tiny.pictures(tmp_path / "p"), steps=2))
    runner.wait(60)
    assert (runner.state.status, runner.state.model) == ("done", "mine"), runner.state.text
    later = Runner(None, Turns())  # after the studio was started anew
    later.resume("mine")
    later.wait(60)
    assert (later.state.status, later.state.step) == ("done", 2), later.state.text


# -- what helps to begin ----------------------------------------------------------------------


def test_the_example_pictures_are_ready_to_train(home: Path) -> None:
    example = examples.hero()
    given = {**example.settings, "template": "a {word} {superclass}", "steps": 3}
    assert not form.doubts(example.pictures, given)
    found = form.configured(example.files, example.pictures, given)
    written = json.loads(Path(found.captions or "").read_text())
    assert len(written) == 6 and written["hero-1.png"]["target"] == "hero"
    assert examples.hero().settings["name"] == "my-hero-2"  # the first name is in use now


def test_a_caption_file_is_taken_with_the_pictures(dropped: list[str]) -> None:
    file = Path(dropped[0]).parent / "captions.json"
    file.write_text(json.dumps({"a.png": {"caption": "a <hero> ghost", "target": "<hero>"}}))
    found = form.listed([*dropped, str(file)], [])
    assert found[0] == Picture("a.png", "a <hero> ghost", "<hero>")
    file.write_text("[1]")
    with pytest.raises(StudioError, match="must hold an object"):
        form.listed([str(file)], [])
    file.unlink()


def test_a_doubtful_training_is_asked_about() -> None:
    one, given = [Picture("a.png")], {"method": "lora", "superclass": " "}
    assert [text.split(":")[0] for text in form.doubts(one, given)] == [
        "There is one picture only",
        "There is no superclass (the kind of thing that the word stands for, such as ghost)",
    ]
    assert not form.doubts(one * 2, {**given, "superclass": "ghost"})
    assert not form.doubts(one * 2, {**given, "method": "concept"})  # reads none


def test_what_a_browser_kept_comes_back_without_what_is_gone(dropped: list[str]) -> None:
    kept = {
        "uploads": [*dropped, "/gone.png"],
        "pictures": [{"name": "a.png", "caption": "mine"}, {"name": "lost.png"}],
        "steps": 7,
        "other": 1,
    }
    assert form.restored(json.dumps(kept), ["steps", "rate"]) is None  # a path that is no upload
    kept["uploads"] = dropped
    found = form.restored(json.dumps(kept), ["steps", "rate"])
    assert found == (dropped, [Picture("a.png", "mine")], {"steps": 7}, ["lost.png"])
    for text in ("", "null", "[]", "{", '{"uploads": 5}'):
        assert form.restored(text, ["steps"]) is None


def test_a_begun_training_is_begun_anew_only_when_asked(dropped: list[str], home: Path) -> None:
    given = {"name": "mine", "base": "starter", "method": "lora", "word": "<hero>", "steps": 2}
    pictures = [Picture("a.png", "a <hero>")]
    begun = home / "training" / "mine" / "checkpoint.pt"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"")
    with pytest.raises(StudioError, match="restart it"):
        form.configured(dropped, pictures, given)
    assert form.configured(dropped, pictures, given, restart=True).name == "mine"


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


def test_what_is_not_taken_of_dropped_files_is_said(dropped: list[str]) -> None:
    folder = Path(dropped[0]).parent
    (folder / "a.txt").write_text("another caption")
    (folder / "lost.txt").write_text("of no picture")
    (folder / "notes.md").write_text("no caption")
    (folder / "all.json").write_text(json.dumps({"b.png": "b", "gone.png": "gone"}))
    late = [str(folder / name) for name in ("a.txt", "lost.txt", "notes.md", "all.json")]
    before = [Picture("a.png", "mine"), Picture("b.png")]
    assert form.unused(late, before) == [
        "a.txt: a.png keeps its caption",
        "lost.txt: there is no picture lost",
        "notes.md is neither a picture nor a caption",
        "all.json: there is no picture gone.png",
    ]
    assert not form.unused(dropped, [])
    (folder / "a.txt").write_text("x" * 4001)
    with pytest.raises(StudioError, match="has 4001 characters"):
        form.listed([str(folder / "a.txt")], before)
    for name in late:
        Path(name).unlink()
