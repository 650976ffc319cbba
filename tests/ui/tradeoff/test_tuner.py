"""The search behind the page: through the queue, stopped, gone on with, and what it needs."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.experiments.tune.points import Point
from studio.home import ASSETS, training_folder
from studio.metrics import present
from studio.preset import Preset, validate
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.tradeoff import subject
from studio.ui.tradeoff.panel import follow, known_subject, refused
from studio.ui.tradeoff.shown import shown
from studio.ui.tradeoff.state import State
from studio.ui.tradeoff.subject import Subject, known_pictures, subject_of
from studio.ui.tradeoff.tuner import Tuner
from tests.support.fake_engine import FakeEngine
from tests.support.held_engine import EVENTS, HeldEngine
from tests.support.studio_page import needs_starter
from tests.support.waiting import until

HERO = {
    "rows": [
        {"prompt": "a cat face", "weight": 1.0},
        {"prompt": "a hero", "weight": 4.0, "model": {"lora": "starter/lora-hero"}},
    ],
    "omega": 0.7,
}


def _finished(tuner: Tuner) -> None:
    for _ in follow(tuner):
        pass


def _tuner(engine: FakeEngine | HeldEngine) -> Tuner:
    return Tuner(Runs(engine, Limits()))


def _preset() -> Preset:
    return validate(HERO)


@needs_starter
def test_the_subject_is_the_first_personalised_row() -> None:
    found = subject_of(_preset())
    assert (found.row, found.model) == (1, "starter/lora-hero")
    assert [path.name for path in found.pictures] == [f"hero-{i}.png" for i in range(1, 7)]
    assert known_subject("starter/lora-hero")["count"] == 6
    assert known_subject({"no": "text"}) == known_subject("unknown") == {"count": 0, "whose": ""}
    with pytest.raises(StudioError, match="rows: no row that takes part has a LoRA"):
        subject_of(validate({"rows": [{"prompt": "a"}]}))
    with pytest.raises(StudioError, match="is not an uploaded file"):
        subject_of(_preset(), [{"path": "/etc/passwd"}])
    with pytest.raises(StudioError, match="at most 64 pictures, got 65"):
        subject_of(_preset(), [{"path": "a.png"}] * 65)  # none is left out without a word


def test_a_models_training_pictures_are_found(studio_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    Image.new("RGB", (8, 8)).save(folder / "c.gif")  # whatever a training takes
    Image.new("RGB", (8, 8)).save(folder / "d.BMP")
    (folder / "a.txt").write_text("a caption")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:40])  # the training left it out
    settings = training_folder("my-hero") / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"images": str(folder)}))
    readable = tuple(folder / name for name in ("a.png", "c.gif", "d.BMP"))
    assert known_pictures("my-hero") == (readable, "training")
    (folder / "a.mask.png").write_bytes((folder / "a.png").read_bytes())  # of a, no picture
    repeated = folder / "10_hero" / "e.png"
    repeated.parent.mkdir()
    repeated.write_bytes((folder / "a.png").read_bytes())
    assert known_pictures("my-hero") == ((*readable, repeated), "training")
    settings.write_text("{")
    assert known_pictures("my-hero") == ((), "")


def test_of_many_training_pictures_those_that_are_wanted_are_decoded_once(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the page asks twice at once."""
    Image.new("RGB", (8, 8)).save(tmp_path / "p000.png")
    for number in range(1, 100):
        (tmp_path / f"p{number:03}.png").write_bytes((tmp_path / "p000.png").read_bytes())
    settings = training_folder("many") / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"images": str(tmp_path)}))
    decoded: list[str] = []
    monkeypatch.setattr(
        subject, "open_checked", lambda path, name: decoded.append(name) or time.sleep(0.002)
    )
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(known_pictures, ["many", "many"])
    assert one == other
    assert [path.name for path in one[0]] == [f"p{number:03}.png" for number in range(64)]
    assert decoded == [path.name for path in one[0]]


@needs_starter
def test_a_search_runs_through_the_queue_and_goes_on(studio_home: Path) -> None:
    engine = FakeEngine()
    tuner, preset = _tuner(engine), _preset()
    tuner.start(preset, subject_of(preset), 12, weight=True)
    _finished(tuner)
    assert tuner.state.state == "done", tuner.state.text
    assert len(engine.seen) == 12 and {one.sampler.seed for one in engine.seen} == {0, 1, 2, 3}
    assert {one.omega for one in engine.seen} >= {0.0, 1.0}
    assert all(one.rows[0].weight == 1.0 for one in engine.seen)  # the other row stays
    value = shown(tuner.state)
    assert len(value["points"]) == 3 and value["row"] == 1
    assert any(point["front"] == 0 for point in value["points"])
    assert not list((studio_home / "outputs").rglob("*.png"))  # nothing in the history
    kept = list((studio_home / "tune").rglob("pictures/*/*.png"))
    assert len(kept) == 12
    moved = preset.model_copy(update={"omega": 0.1, "name": "moved"})
    tuner.start(moved, subject_of(moved), 12, weight=True)  # the same search, so it goes on
    _finished(tuner)
    assert len(engine.seen) == 24 and len(tuner.state.points) == 6


@needs_starter
def test_the_pictures_that_are_made_are_counted_beforehand(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whole settings, and of this search, not of those before it."""
    tuner, preset = _tuner(FakeEngine()), _preset()
    said: list[str] = []
    tell = tuner._tell
    monkeypatch.setattr(
        tuner, "_tell", lambda **new: said.append(new.get("text", "")) or tell(**new)
    )
    for _ in range(2):
        said.clear()
        tuner.start(preset, subject_of(preset), 14, weight=False)
        tuner.told("key-of-it")
        _finished(tuner)
        counted = [text.split(":")[0] for text in said if text.startswith("Picture")]
        assert (counted[0], counted[-1]) == ("Picture 1 of 12", "Picture 12 of 12")
        now = shown(tuner.state)
        assert now["prompt"] == "a cat face"  # what was searched, whatever comes
        assert now["asked"] == 14  # a page that is loaded anew asks for as many
        assert (now["made"], now["total"]) == (12, 12)  # as far as the tab's title says it is
    anew = shown(State())  # of a studio that was started anew
    for name in ("points", "model", "row", "prompt", "text", "x"):
        assert anew[name] == now[name]
    assert anew["state"] == "idle" and anew["total"] == 0  # nothing goes on
    *_, told = refused(Tuner(Runs(FakeEngine(), Limits())), "clip: is not here")
    assert told["points"] == now["points"]
    for name in ("asked", "weight", "key"):  # so that a press goes on with it
        assert anew[name] == now[name]
    assert now["key"] == "key-of-it" and not now["weight"]
    Path(next(one["image"] for one in now["points"] if "image" in one)["file"]["path"]).unlink()
    left = shown(State())["points"]
    assert [one["x"] for one in left] == [one["x"] for one in now["points"]]
    pictures = [sum("image" in one for one in points) for points in (left, now["points"])]
    assert pictures[0] == pictures[1] - 1  # of that point alone


@needs_starter
def test_it_stops_before_the_next_picture(studio_home: Path) -> None:
    engine = HeldEngine(further=True)
    tuner = _tuner(engine)
    tuner.start(_preset(), subject_of(_preset()), 40, weight=False)
    engine.release(EVENTS + 1)  # it stands still in the second
    until(lambda: len(engine.started) == 2)
    with pytest.raises(StudioError, match="search: a search runs already"):
        tuner.start(_preset(), subject_of(_preset()), 40, weight=False)
    tuner.stop()
    engine.release(80 * EVENTS)
    _finished(tuner)
    assert tuner.state.state == "stopped" and len(engine.started) <= 3
    assert len(list((studio_home / "tune").rglob("pictures/*/*.png"))) == 1
    assert tuner.state.text == (
        "Stopped. 0 settings, 1 picture. 1 of them is of a setting that is not finished; the next "
        "search goes on with it."
    )


@needs_starter
def test_what_goes_wrong_is_one_line(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuner = _tuner(FakeEngine(fails=StudioError("is full", field="disk")))
    with pytest.raises(StudioError, match="subject: needs pictures of what mine was trained on"):
        tuner.start(_preset(), Subject(1, "mine"), 12, weight=False)
    with pytest.raises(StudioError, match="pictures: from 12 to 400, got 3"):
        tuner.start(_preset(), subject_of(_preset()), 3, weight=False)
    tuner.start(_preset(), subject_of(_preset()), 12, weight=False)
    _finished(tuner)
    assert tuner.state.state == "failed" and "disk: is full" in tuner.state.text


@needs_starter
def test_what_is_refused_takes_nothing_out_of_sight(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither points nor whose they are: all that a search needs is looked at before it begins."""
    tuner = _tuner(FakeEngine())
    tuner.start(_preset(), subject_of(_preset()), 12, weight=False)
    _finished(tuner)
    before = shown(tuner.state)
    assert len(before["points"]) == 3

    silent = validate({**HERO, "rows": [{"prompt": "", "model": {"lora": "starter/lora-hero"}}]})
    with pytest.raises(StudioError, match="rows: no row holds a prompt"):
        tuner.start(silent, subject_of(silent), 12, weight=False)

    def absent(base: str, made_from: str) -> str:
        raise StudioError("is not here", field="clip")

    monkeypatch.setattr(present, "clip_for", absent)
    with pytest.raises(StudioError, match="clip: is not here"):
        tuner.start(_preset(), subject_of(_preset()), 12, weight=False)
    assert shown(tuner.state) == before

    *_, told = refused(tuner, "clip: is not here")
    assert told["points"] == before["points"] and told["model"] == "starter/lora-hero"
    assert told["state"] == "failed" and told["text"] == told["refused"] == "clip: is not here"


@needs_starter
def test_why_a_second_search_is_refused_stands_while_the_first_goes_on(studio_home: Path) -> None:
    engine = HeldEngine()
    tuner = _tuner(engine)
    tuner.start(_preset(), subject_of(_preset()), 12, weight=False)
    until(lambda: len(engine.started) == 1)
    told = refused(tuner, "search: a search runs already; stop it first")
    seen = [next(told)]
    engine.release(20 * EVENTS)
    seen += [one for one in told if "state" in one]
    assert {one["refused"] for one in seen if one["state"] == "running"} == {
        "search: a search runs already; stop it first"
    }
    assert seen[0]["state"] == "running" and len(seen) > 2
    assert seen[-1]["state"] == "done" and not seen[-1]["refused"]


@needs_starter
def test_a_picture_that_cannot_be_read_is_named_without_the_servers_folder(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "hash").mkdir()
    (tmp_path / "hash" / "fake.png").write_bytes(b"no picture")
    given = [{"path": str(tmp_path / "hash" / "fake.png"), "meta": {"_type": "gradio.FileData"}}]
    with pytest.raises(StudioError, match=r"^fake\.png: is not a"):
        subject_of(_preset(), given)
    Image.new("RGB", (8, 8)).save(tmp_path / "hash" / "fake.png")
    assert len(subject_of(_preset(), given).pictures) == 1  # looked at again once it has changed


@needs_starter
@pytest.mark.parametrize(
    ("points", "pictures", "said"),
    [(0, 1, "0 settings, 1 picture."), (1, 4, "1 setting, 4 pictures."), (2, 8, "2 settings, 8 ")],
)
def test_one_is_no_plural(points: int, pictures: int, said: str) -> None:
    tuner = _tuner(FakeEngine())
    each = pictures // points if points else 0
    tuner.state.points = [Point({}, (Path("a.png"),) * each) for _ in range(points)]
    tuner.state.begun = 0 if points else pictures
    assert tuner._said().startswith(said)


@needs_starter
def test_what_is_given_up_and_what_is_begun_are_two_things() -> None:
    tuner = _tuner(FakeEngine())
    early = Point({}, (Path("a.png"),) * 3, stopped=True)
    tuner.state.points, tuner.state.begun = [early, early, Point({}, (Path("a.png"),) * 4)], 2
    pictures, begun, given_up = re.split(r"(?<=\.) ", tuner._said())
    assert pictures == "3 settings, 12 pictures." and begun.startswith("2 of them are of a setting")
    assert given_up == "2 settings were given up early: another is better in both scores."


def test_a_base_of_photographs_asks_for_a_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ("starter", ""), ("starter/fine", ""), ("starter-1", ""), ("mine", "starter")
    for base, made_from in own:
        assert present.clip_for(base, made_from) == "starter/clip"
    monkeypatch.setattr(present, "_is_here", lambda name: name == present.KNOWN[2])
    assert present.clip_for("some/sd15") == present.KNOWN[2]
    monkeypatch.setattr(present, "_is_here", lambda name: False)
    with pytest.raises(StudioError, match=r"clip: scores .* studio download openai/clip-vit-base"):
        present.clip_for("some/sd15")
    assert (ASSETS / "starter" / "clip").is_dir()
