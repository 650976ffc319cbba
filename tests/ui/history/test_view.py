"""What the History tab asks for and gets; a visitor's own history."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.events import Done, Event
from studio.history import History, Query, history
from studio.history.differences import differences
from studio.history.intake import take_in
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui.history import folder, reuse, unopened, view
from studio.ui.runs import Runs
from studio.ui.schema import labels, titles
from studio.ui.space import Limits


def preset(weight: float = 3.0, **fields: Any) -> Preset:
    rows = [{"prompt": "a cat", "weight": 2.0}, {"prompt": "a dog", "weight": weight}]
    return validate({"name": "One", "rows": rows, **fields})


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    for seed, colour in enumerate(("red", "green", "blue")):
        made = preset(3.0 + seed, sampler={"seed": seed}, omega=0.2 * seed)
        save_image(Image.new("RGB", (40, 20), colour), made, tmp_path / "outputs")
    found = History(tmp_path, tmp_path / "outputs")
    take_in(found)
    yield found
    found.close()


def test_a_page_holds_small_copies_made_once(own: History, tmp_path: Path) -> None:
    answer = view.answer(own, {"do": "page", "first": 0, "count": 2, "key": "1"})
    assert answer["page"]["total"] == 3 and len(answer["page"]["items"]) == 2
    assert answer["names"]["sizes"] == [("40x20", 3)]
    assert answer["names"]["schedulers"] == [("dpm++", 3)]
    assert answer["names"]["titles"] == {"schedulers": {"dpm++": "DPM-Solver++ 2M"}}
    assert answer["page"]["items"][0]["thumb"].startswith("data:image/webp;base64,")
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cache" / "thumbnails").iterdir()}
    assert len(kept) == 2
    view.answer(own, {"do": "page", "first": 0, "count": 2, "key": "1"})
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "cache" / "thumbnails").iterdir()} == kept


def test_its_owner_opens_a_picture_s_folder_without_a_shell(
    own: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"do": "folder", "id": own.search(None, 1, 0).records[0].id}
    outputs = str((tmp_path / "outputs").resolve())
    started: list[list[str]] = []
    monkeypatch.setattr(folder, "manager", lambda *_: "/usr/bin/xdg-open")
    found = folder.opened(own, asked, lambda words, **_: started.append(words))
    assert found == {"folder": outputs, "started": True}
    assert started == [["/usr/bin/xdg-open", outputs]]
    monkeypatch.setattr(folder, "manager", lambda *_: str(tmp_path / "none"))
    assert not view.answer(own, asked, owner=True)["started"]  # the path is shown instead
    with pytest.raises(StudioError, match="'folder'"):
        view.answer(own, asked)  # a page that others reach


def test_without_a_screen_there_is_no_file_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert folder.manager("linux", {}) == "" and folder.manager("linux", {"DISPLAY": ""}) == ""
    assert folder.manager("linux", {"WAYLAND_DISPLAY": "wayland-0"}) == "/bin/xdg-open"
    assert folder.manager("darwin", {}) == "/bin/open"
    assert folder.manager("win32", {}) == "/bin/explorer"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert folder.manager("linux", {"DISPLAY": ":0"}) == ""


def test_pictures_that_come_in_behind_a_search_are_asked_for_again(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intake ends while the search runs: the answer lacks what came last, and must say so."""
    taking_in, found = [True], own.search

    def searched(*asked: Any) -> Any:
        taking_in.clear()
        return found(*asked)

    monkeypatch.setattr(own, "search", searched)
    monkeypatch.setattr(view, "begin", lambda history: 0.0)
    monkeypatch.setattr(view, "busy", lambda history: bool(taking_in))
    assert view.page(own, {"key": "1"})["busy"]
    assert not view.page(own, {"key": "1"})["busy"]


def test_names_beyond_those_of_a_list_are_counted(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.mark(own.ids(Query()), tags=["a", "b", "c"], board="one")
    monkeypatch.setattr(view, "MOST_NAMES", 2)
    names = view.page(own, {"key": "1"})["names"]
    assert [name for name, _ in names["tags"]] == ["a", "b"]
    assert names["more"]["tags"] == 1 and names["more"]["presets"] <= 0
    assert "boards" not in names["more"]  # the search does not find those: all of them are there


def test_differences_are_words() -> None:
    one, two = preset(), preset(4.0, omega=0.4, sampler={"seed": 9, "width": 64})
    euler = preset(sampler={"scheduler": "euler_a"})
    (called,) = differences(preset(), euler, labels(), titles())
    assert called == "Scheduler: DPM-Solver++ 2M → Euler ancestral"
    assert differences(one, two) == [
        "weight of row 2: 3 → 4",
        "omega: 0 → 0.4",
        "seed: 7 → 9",
        "width: none → 64",
    ]
    named = differences(one, two, labels())
    assert named[1:3] == ["ω, personalization guidance: 0 → 0.4", "Seed: 7 → 9"]
    assert named[0] == "weight of row 2: 3 → 4"
    assert differences(one, one) == []
    seen, other = (
        {"image_prompt": {"image": f"data:image/png;base64,{x}", "model": "m"}}
        for x in ("AA", "AB")
    )
    asked = differences(validate({"rows": [seen]}), validate({"rows": [other]}))
    assert asked == ["picture of the image prompt of row 1: a picture → another picture"]
    rows = ({"range": [0, 1]}, {"range": [0, 0.5], "curve": [[0, 0], [1, 2]], "solo": True})
    assert differences(*(validate({"rows": [row]}) for row in rows)) == [
        "row 1 solo",
        "range of row 1: 0, 1 → 0, 0.5",
        "curve of row 1: “constant” → 0:0, 1:2",
    ]
    assert differences(one, preset(sampler={"tiles": True}))[-1] == "tiles: no → yes"
    (cut,) = differences(one, preset(description="x" * 300))
    assert cut.endswith("xxx…”")  # what is left out is not left out without a mark


@pytest.mark.parametrize(
    ("part", "same"), [("all", ()), ("rows", ("omega", "sampler")), ("seed", ("rows", "omega"))]
)
def test_a_part_of_a_picture_is_used_again(part: str, same: tuple[str, ...]) -> None:
    made = preset(9.0, omega=0.5, sampler={"seed": 11})
    current = preset(1.0, omega=0.1, sampler={"seed": 2})
    found = reuse.again(made, current, part)
    for name in ("rows", "omega", "sampler"):
        expected = current if name in same else made
        assert getattr(found, name) == getattr(expected, name)


def test_prompts_alone_keep_the_rows_weights() -> None:
    current = validate({"rows": [{"prompt": "x", "weight": -4.0}]})
    found = reuse.again(preset(), current, "prompts")
    assert [(r.prompt, r.weight) for r in found.rows] == [("a cat", -4.0), ("a dog", 3.0)]


def test_pictures_go_out_as_a_zip_with_their_presets(own: History) -> None:
    answer = view.answer(own, {"do": "zip", "all": True, "query": {}})
    path = Path(answer["file"]["path"])
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        with Image.open(io.BytesIO(archive.read(names[0]))) as image:
            assert "guidance_studio" in image.info
    path.unlink()
    assert len(names) == 3


def test_what_cannot_be_asked_for_is_refused_by_name(own: History) -> None:
    with pytest.raises(StudioError, match="do: page"):
        view.answer(own, {"do": "rm"})
    with pytest.raises(StudioError, match="2 to 4"):
        view.answer(own, {"do": "compare", "ids": ["a"]})
    with pytest.raises(StudioError, match="starred"):
        view.answer(own, {"do": "mark", "ids": own.ids(Query()), "said": {"path": "/etc"}})


@pytest.mark.parametrize(
    "said", [{"hashes": {"a": "x" * 1_000_000}}, {"scores": {"clip-t": 1.0}}, {"forwards": 1}]
)
def test_a_page_says_of_a_picture_what_people_say(own: History, said: dict[str, Any]) -> None:
    (first, *_) = own.ids(Query())
    with pytest.raises(StudioError, match="starred, note, tags, board"):
        view.answer(own, {"do": "mark", "ids": [first], "said": {"starred": True, **said}})
    kept = own.get(first)
    assert (kept.hashes, kept.scores, kept.starred) == ({}, {}, False)


def test_too_many_pictures_and_too_long_a_search_are_refused(own: History) -> None:
    many = ["0123456789abcdef"] * (view.MOST_NAMED + 1)
    for do in ("mark", "delete", "restore"):
        with pytest.raises(StudioError, match="at most 100000 pictures at once, got 100001"):
            view.answer(own, {"do": do, "ids": many, "said": {"starred": True}})
    for field, name in (("text", "search"), ("tag", "tag"), ("sort", "sort")):
        with pytest.raises(StudioError, match=f"{name}: at most 5000 characters, got 20000"):
            view.answer(own, {"do": "page", "query": {field: "猫" * 20_000}})
        with pytest.raises(StudioError, match=f"{name}: at most 5000 characters"):
            view.answer(own, {"do": "delete", "all": True, "query": {field: "x" * 20_000}})
    assert own.search().total == 3


def test_tags_for_several_pictures_come_to_those_that_each_has(own: History) -> None:
    first, second, third = own.ids(Query())
    own.mark([first], tags=["mine", "cat"])
    own.mark([second], tags=["dog"])
    view.answer(own, {"do": "mark", "ids": [first, second], "said": {"more_tags": [" cat", "sea"]}})
    assert [set(own.get(one).tags) for one in (first, second, third)] == [
        {"mine", "cat", "sea"},
        {"dog", "cat", "sea"},
        set(),
    ]
    ids = ["0123456789abcdef", second]  # one has gone since it was chosen
    view.answer(own, {"do": "mark", "ids": ids, "said": {"more_tags": ["late"], "note": "kept"}})
    assert set(own.get(second).tags) == {"dog", "cat", "sea", "late"}
    assert (own.get(second).note, own.get(first).note) == ("kept", "")
    many = [str(number) for number in range(49)]
    with pytest.raises(StudioError, match="tags: at most 50 tags"):
        view.answer(own, {"do": "mark", "ids": [third, first], "said": {"more_tags": many}})
    assert not own.get(third).tags  # all or none


def test_tags_for_several_pictures_are_kept_at_one_stroke(
    own: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = own.ids(Query())
    own.mark(ids[:1], tags=["mine"])
    begun: list[None] = []
    writing = own.database.writing
    monkeypatch.setattr(own.database, "writing", lambda: begun.append(None) or writing())
    view.answer(own, {"do": "mark", "ids": ids, "said": {"more_tags": ["sea"], "starred": True}})
    assert len(begun) == 1
    again = History(tmp_path, tmp_path / "outputs")
    assert [set(again.get(one).tags) for one in ids] == [{"mine", "sea"}, {"sea"}, {"sea"}]
    assert all(again.get(one).starred for one in ids)
    again.close()


def test_all_found_are_those_that_were_counted(own: History) -> None:
    with pytest.raises(StudioError, match=r"^3 are found by now, and 2 were shown; look again"):
        view.answer(own, {"do": "delete", "all": True, "query": {}, "counted": 2})
    assert len(own.ids(Query())) == 3
    assert len(view.answer(own, {"do": "delete", "all": True, "counted": 3})["deleted"]) == 3


def test_deleting_all_found_spares_the_starred(own: History) -> None:
    starred = own.ids(Query())[0]
    view.answer(own, {"do": "mark", "ids": [starred], "said": {"starred": True}})
    answer = view.answer(own, {"do": "delete", "all": True, "query": {}})
    assert len(answer["deleted"]) == 2 and answer["kept"] == 1
    view.answer(own, {"do": "restore", "ids": answer["deleted"]})
    assert own.search().total == 3


def _stream(preset: Preset) -> Iterator[Event]:
    yield Done(Image.new("RGB", (8, 8)), 5, preset, 50, 1.25)


def _run(limits: Limits, key: str) -> tuple[Runs, Any]:
    runs = Runs(_stream, limits)
    session = runs.session(key)
    run = runs.submit(session, preset())
    while run.active():
        runs.wait(session, session.version, 5.0)
    return runs, session


def test_what_is_made_is_in_the_history_with_what_it_took(own: History) -> None:
    _, session = _run(Limits(), "one")
    record = history().search().records[0]
    assert (record.forwards, record.seconds) == (50, 1.25)
    assert Path(session.moments[0].path).name == Path(record.path).name


def test_visitors_have_histories_of_their_own_in_memory(own: History, tmp_path: Path) -> None:
    runs, one = _run(Limits(shared=True), "one")
    assert runs.history(one).search().total == 1
    assert runs.history(runs.session("two")).search().total == 0
    assert own.search().total == 3


def test_a_visitors_database_is_made_when_it_is_looked_into(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[History] = []
    monkeypatch.setattr(unopened, "History", lambda *a: opened.append(History(*a)) or opened[-1])
    runs, one = _run(Limits(shared=True), "one")
    assert not opened  # it takes more memory than hundreds of its records
    assert runs.history(one) is runs.history(one) is opened[0]
    run = runs.submit(one, preset(4.0))
    while run.active():
        runs.wait(one, one.version, 5.0)
    first, second = sorted(runs.history(one).search().records, key=lambda record: record.made)
    assert [len(opened), first.forwards, second.forwards] == [1, 50, 50]
    assert [one.moments[-1].path, one.moments[0].path] == [
        str(opened[0].file(record)) for record in (first, second)
    ]
