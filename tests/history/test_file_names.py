"""Pictures that are called by a pattern: none is written over, none takes a name that another had."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from studio.cli.keeping import Keeping
from studio.errors import StudioError
from studio.history import History, history
from studio.history.archive import write_zip
from studio.history.intake import name_of, take_in
from studio.library import Library
from studio.outputs import list_outputs, outputs_folder
from studio.preset import Preset, validate
from studio.settings import change
from studio.share import read_image, save_image, save_or_keep
from studio.share.write import Naming
from studio.ui.keeping import naming
from studio.ui.run import keep_unfinished
from studio.ui.runs import Runs
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until

RED = Image.new("RGB", (16, 8), "red")


def preset(seed: int = 7) -> Preset:
    rows = [{"prompt": "A cat, on the moon"}]
    return validate({"base": "mine/sd1.5.safetensors", "rows": rows, "sampler": {"seed": seed}})


def made(own: History, pattern: str, seed: int = 7) -> str:
    """A picture's path in the history."""
    unheld = Naming(pattern, lambda path: own.knew(name_of(own.outputs, path)))
    save_image(RED, preset(seed), own.outputs, naming=unheld)
    take_in(own)
    return max(own.search().records, key=lambda one: one.changed).path


@pytest.fixture
def own(studio_home: Path) -> History:
    return history()


def test_the_tokens_stand_for_what_they_say(tmp_path: Path) -> None:
    pattern = "[model]/[width]x[height] [steps] [sampler] [seed] [prompt]"
    path = save_image(RED, preset(), tmp_path, naming=Naming(pattern))
    name = "sd1-5/16x8 25 dpm 7 a-cat-on-the-moon.png"
    assert path.relative_to(tmp_path).as_posix() == name
    assert read_image(path)[0] == preset()
    day, time = save_image(RED, preset(), tmp_path, naming=Naming("[date]_[time]")).stem.split("_")
    assert [len(part) for part in (*day.split("-"), *time.split("-"))] == [4, 2, 2, 2, 2, 2]


def test_a_prompt_without_latin_letters_keeps_its_folder(tmp_path: Path) -> None:
    one = validate({"rows": [{"prompt": "红苹果"}], "sampler": {"seed": 7}})
    path = save_image(RED, one, tmp_path, naming=Naming("[width]/[prompt]"))
    assert path.parent == tmp_path / "16" and "seed7" in path.name


def test_a_name_is_given_once_though_its_picture_is_in_the_bin_or_gone(own: History) -> None:
    assert [made(own, "x/[seed]") for _ in range(2)] == ["x/7.png", "x/7-2.png"]
    (first,) = [one.id for one in own.search().records if one.path == "x/7.png"]
    own.mark([first], note="the first")
    assert own.delete([first]) == [first]
    assert made(own, "x/[seed]") == "x/7-3.png"
    assert own.restore([first]) == [first]
    assert own.file(own.get(first)).is_file() and own.get(first).note == "the first"
    own.delete([first])
    own.empty_bin()
    assert made(own, "x/[seed]") == "x/7-4.png"  # else what was said of the first is said of it
    assert {one.note for one in own.search().records} == {""}


def test_the_history_is_the_same_when_it_is_read_anew_and_goes_out_whole(own: History) -> None:
    paths = [made(own, pattern) for pattern in ("[date]/[seed]", "[model]/a/[seed]", "[seed]")]
    before = {one.path: (one.seed, round(one.made, 3)) for one in own.search().records}
    assert set(before) == set(paths) and len({Path(path).parent for path in paths}) == 3
    own.close()
    for file in own.home.glob("studio.db*") if own.home else ():
        file.unlink()
    anew = History(own.home, own.outputs)
    assert take_in(anew) == 3
    records = anew.search().records
    assert {one.path: (one.seed, round(one.made, 3)) for one in records} == before
    packed = io.BytesIO()
    assert write_zip(anew, [one.id for one in records], packed) == []
    with zipfile.ZipFile(packed) as archive:
        assert len({name.casefold() for name in archive.namelist()}) == 3


def test_the_newest_come_first_whatever_they_are_called(studio_home: Path) -> None:
    folder = outputs_folder()
    stamped = save_image(RED, preset(), folder)
    before = save_image(RED, preset(), folder, naming=Naming("z/[seed]"))
    after = save_image(RED, preset(), folder, naming=Naming("a"))
    now = stamped.stat().st_mtime
    for path, time in ((before, now - 3600), (after, now + 3600)):
        os.utime(path, (time, time))
    assert list_outputs() == [after, stamped, before]


def test_the_page_names_pictures_by_the_setting(studio_home: Path) -> None:
    change("file_names", "[preset]/[seed]")
    runs = Runs(FakeEngine(), Limits())
    session = runs.session("a")
    one = validate({"name": "Mine", "rows": [{"prompt": "a"}], "sampler": {"seed": 3, "count": 2}})
    for _ in range(2):
        done = runs.submit(session, one)
        until(lambda done=done: done.state == "done")
    names = [Path(m.path).relative_to(outputs_folder()).as_posix() for m in session.moments]
    assert names[::-1] == ["mine/3.png", "mine/4.png", "mine/3-2.png", "mine/4-2.png"]
    assert {one.path for one in history().search().records} == set(names)
    apart = runs.submit(session, one, folder=studio_home / "sweeps")
    until(lambda: apart.state == "done")
    kept = [path.name for path in (studio_home / "sweeps").iterdir()]
    assert len(kept) == 2 and all("-seed" in name for name in kept)  # a sweep has names of its own
    cut = runs.submit(session, one)
    until(lambda: cut.state == "done")
    cut.previews = [RED]
    kept_one = keep_unfinished(runs, session, 0)
    assert Path(kept_one.path).parent.name.startswith("mine-unfinished")


def test_so_does_the_command_line(studio_home: Path, tmp_path: Path) -> None:
    change("file_names", "[seed]")
    outputs_folder().mkdir(parents=True)
    kept = Keeping(outputs_folder(), Library((tmp_path,)))
    first = save_image(RED, preset(), outputs_folder(), naming=kept.naming())
    take_in(history())
    history().delete([record.id for record in history().search().records])
    second = save_image(RED, preset(), outputs_folder(), naming=kept.naming())
    assert [first.name, second.name] == ["7.png", "7-2.png"]
    other = Keeping(tmp_path / "out", Library((tmp_path,)))
    assert save_image(RED, preset(), tmp_path / "out", naming=other.naming()).name == "7.png"
    assert json.loads((studio_home / "settings.json").read_text()) == {"file_names": "[seed]"}


@pytest.mark.parametrize("pattern", ["", "x/[seed]"])
def test_a_history_that_cannot_be_read_moves_no_picture(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    change("file_names", pattern)
    outputs_folder().mkdir(parents=True)
    own = history()
    kept = Keeping(outputs_folder(), Library((tmp_path,)))
    monkeypatch.setattr("studio.history.database.WAIT_SECONDS", 0.1)
    by = [kept.naming(), naming(history)]
    own.database._connection.close()  # as one that another process has damaged or locks
    monkeypatch.setattr(own.database, "_mend", lambda error: None)
    with pytest.raises((StudioError, sqlite3.Error)):
        own.knew("7.png")
    for one in by:
        path, problem = save_or_keep(RED, preset(), outputs_folder(), naming=one)
        assert not problem and path.is_relative_to(outputs_folder()) and path.is_file()
