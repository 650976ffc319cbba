"""What the Train tab asks for: pictures, captions and settings, checked and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from gradio.utils import get_upload_folder
from PIL import Image

from studio.errors import StudioError
from studio.home import ASSETS
from studio.ui.library import models
from studio.ui.train import dropped as dropping
from studio.ui.train import examples, form
from studio.ui.train.images import Picture
from studio.ui.train.resumed import left_out


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


def test_pictures_are_listed_with_their_texts_and_keep_what_was_written(
    dropped: list[str],
) -> None:
    written = Picture("a.png", "mine", crop=(0.0, 0.0, 0.5, 1.0))
    found = dropping.listed(dropped, [written])
    assert found == [written, Picture("b.png", "a <hero> ghost at sea")]
    assert dropping.listed(dropped[2:], found[:1]) == found[:1]  # a removed one stays away
    late = dropping.listed(dropped[2:], [Picture("b.png")])  # its text came after it
    assert late == [Picture("b.png", "a <hero> ghost at sea")]
    with pytest.raises(StudioError, match="is no uploaded file"):
        dropping.listed(["/etc/passwd.txt"], [])
    (mine,) = dropping.listed(dropped[:1], [])
    form.refuse_to_lose([], [])
    form.refuse_to_lose([mine], [mine])
    with pytest.raises(StudioError, match="images: one of your own is here, which the example"):
        form.refuse_to_lose([mine, Picture("b.png")], [Picture("b.png")])
    assert dropping.together(["/x/a.png", "/x/b.png"], ["/y/a.png"]) == ["/y/a.png", "/x/b.png"]


def test_a_picture_of_the_same_name_is_said_to_take_the_other_s_place(dropped: list[str]) -> None:
    again = Path(dropped[0]).parent / "later" / "a.png"
    again.parent.mkdir()
    try:
        again.write_bytes(Path(dropped[0]).read_bytes())
        listed = [Picture("a.png", "mine")]
        assert dropping.replaced(dropped, [str(again)], listed) == []  # the same once more
        Image.new("RGB", (40, 20), "green").save(again)
        said = ["a.png takes the place of the picture of that name"]
        kept = [f"{said[0]}; it has that one's caption now"]
        assert dropping.replaced(dropped, [str(again)], listed) == kept
        listed = [Picture("a.png", "mine", crop=(0.5, 0.0, 1.0, 1.0))]
        kept = [f"{said[0]}; it has that one's caption and crop now"]
        assert dropping.replaced(dropped, [str(again)], listed) == kept
        assert dropping.replaced(dropped, [str(again)], []) == []  # removed before
        both = [dropped[0], str(again)]  # of two folders, at once
        assert dropping.replaced([], both, []) == said
        assert dropping.listed(both, []) == [Picture("a.png")]
    finally:
        again.unlink()
        again.parent.rmdir()


def test_captions_are_filled_and_split(dropped: list[str]) -> None:
    found = dropping.listed(dropped, [Picture("a.png", crop=(0.0, 0.0, 0.5, 1.0))])
    texts = "<hero>", "ghost", "a {word} {superclass}"
    whole = ("<hero> ghost", ""), ("<hero> ghost", "at sea")
    first = [
        Picture("a.png", "a <hero> ghost", *whole[0], found[0].crop, whole[0], "a <hero> ghost"),
        Picture("b.png", "a <hero> ghost at sea", *whole[1], None, whole[1]),
    ]
    assert form.filled(found, *texts) == (first, [])
    later = replace(first[0], caption="a <hero> ghost in rain")  # what was split is split anew
    mine = replace(first[1], general="at sea, in the rain")  # what a person wrote stays
    rain = replace(later, general="in rain", split=("<hero> ghost", "in rain"))
    stays = "Target and general text stay as they are:"
    assert form.filled([later, mine], *texts) == ([rain, mine], [f"{stays} b.png"])
    given = Picture("c.png", "a <hero> ghost", "<hero>", "a ghost")  # of a caption file
    assert form.filled([given], *texts) == ([given], [f"{stays} c.png"])


def test_settings_are_checked_and_pictures_kept(dropped: list[str], home: Path) -> None:
    given = {
        "name": "mine",
        "base": "starter",
        "method": "lora",
        "word": "<hero>",
        "superclass": "ghost",
        "template": "a {word} {superclass}",
        "steps": 5.0,
        "rank": 8.0,
        "minutes": None,
        "ddloss": 0.2,
        "pdloss": 0,
        "sample_prompts": "one\n\n two ",
    }
    rows = [
        Picture("a.png", crop=(0.0, 0.0, 0.8, 0.8)),
        Picture("b.png", "a <hero> ghost at sea", "<hero>", "sea"),
    ]
    for name in ("steps", "rank"):  # a red field that says what it needs
        with pytest.raises(StudioError, match=f"{name}: is empty; write a number"):
            form.checked(dropped, rows, given | {name: None})
    asked = form.checked(dropped, rows, given)
    found = asked.config
    assert not Path(found.images).exists()  # what is asked about is not begun
    asked.keep()
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
    assert left_out(found, rows, given) == []  # what it was begun with
    other = {**given, "steps": 50, "sample_prompts": "one", "name": "else", "vectors": 3}
    assert left_out(found, [*rows, Picture("c.png")], other) == [
        "steps",
        "sample_prompts",
        "images",
    ]
    assert left_out(found, [rows[0], replace(rows[1], caption="a <hero>")], given) == ["captions"]
    assert left_out(found, [], {**given, "base": "sd15", "steps": ""}) == ["base"]
    with pytest.raises(StudioError, match="drop some pictures first"):
        form.checked([], rows, given)
    with pytest.raises(StudioError, match=r"images: lost\.png: no longer on this machine"):
        form.checked(dropped, [*rows, Picture("lost.png")], given)
    with pytest.raises(StudioError, match="drop some pictures first"):
        form.checked(dropped, [], given)
    with pytest.raises(StudioError, match="name"):
        form.checked(dropped, rows, {**given, "name": "../up"})
    concept = form.checked(dropped, rows, {**given, "name": "c", "method": "concept"}).config
    assert (concept.captions, concept.ddloss, concept.word) == (None, 0.0, "")
    (home / "models" / "mine").mkdir(parents=True)
    with pytest.raises(StudioError, match="already holds 'mine'"):
        form.checked(dropped, rows, given)


def test_the_example_pictures_are_ready_to_train(home: Path) -> None:
    example = examples.hero()
    words = json.loads((ASSETS / "starter" / "vocabulary.json").read_text(encoding="utf-8"))
    phrases = [phrase for group in words["groups"] for phrase in group["phrases"]]
    assert example.settings["superclass"] in phrases  # its base knows it
    given = {**example.settings, "template": "a {word} {superclass}", "steps": 3}
    assert not form.doubts(example.pictures, given)
    usual = {"name": "", "base": "starter", "method": "lora", "word": "<hero>", "superclass": ""}
    assert not examples.replaced(example.settings, usual, usual)
    typed = {**usual, "name": "mine", "superclass": "man"}
    said = "The example took the place of Name of the model “mine”"
    assert examples.replaced(example.settings, typed, usual) == said
    assert "“Textual inversion”" in examples.replaced({"method": "lora"}, {"method": "ti"}, usual)
    asked = form.checked(example.files, example.pictures, given)
    asked.keep()
    found = asked.config
    written = json.loads(Path(found.captions or "").read_text())
    assert len(written) == 6 and written["hero-1.png"]["target"] == "hero"
    assert examples.hero().settings["name"] == "my-hero-2"  # the first name is in use now


def test_a_caption_file_is_taken_with_the_pictures(dropped: list[str]) -> None:
    file = Path(dropped[0]).parent / "captions.json"
    file.write_text(json.dumps({"a.png": {"caption": "a <hero> ghost", "target": "<hero>"}}))
    found = dropping.listed([*dropped, str(file)], [])
    assert found[0] == Picture("a.png", "a <hero> ghost", "<hero>")
    file.write_text("[1]")
    with pytest.raises(StudioError, match="must hold an object"):
        dropping.listed([str(file)], [])
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
        form.checked(dropped, pictures, given)
    assert form.checked(dropped, pictures, given, restart=True).config.name == "mine"


def test_captions_of_other_trainers_are_read(dropped: list[str]) -> None:
    """``NAME.caption``, a data set's ``metadata.jsonl``, and a name that a Mac has taken apart."""
    folder = Path(dropped[0]).parent
    (folder / "a.caption").write_text("a <hero> on a hill")
    lines = (
        {"file_name": "e\u0301.png", "text": "at \u00e9tretat"},
        {"file_name": "x.png", "text": "x"},
    )
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    late = [str(folder / name) for name in ("a.caption", "metadata.jsonl")]
    before = [Picture("a.png"), Picture("\u00e9.png")]
    captions = [picture.caption for picture in dropping.listed(late, before)]
    assert captions == ["a <hero> on a hill", "at \u00e9tretat"]
    assert dropping.unused(late, before) == ["metadata.jsonl: there is no picture x.png"]
    for name in late:
        Path(name).unlink()


def test_what_is_not_taken_of_dropped_files_is_said(dropped: list[str]) -> None:
    folder = Path(dropped[0]).parent
    (folder / "a.txt").write_text("another caption")
    (folder / "lost.txt").write_text("of no picture")
    (folder / "notes.md").write_text("no caption")
    (folder / "all.json").write_text(json.dumps({"b.png": "b", "gone.png": "gone"}))
    late = [str(folder / name) for name in ("a.txt", "lost.txt", "notes.md", "all.json")]
    before = [Picture("a.png", "mine"), Picture("b.png")]
    assert dropping.unused(late, before) == [
        "a.txt: a.png keeps its caption",
        "lost.txt: there is no picture lost",
        "notes.md is neither a picture nor a caption",
        "all.json: there is no picture gone.png",
    ]
    assert not dropping.unused(dropped, [])
    (folder / "c.txt").write_bytes(b"caf\xe9")
    (folder / "bad.json").write_text("{")
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes((folder / "b.png").read_bytes()[:-40])
    bad = [str(folder / name) for name in ("c.txt", "bad.json", "empty.png", "cut.png")]
    good, said = dropping.readable([*late, *bad, *dropped])
    assert good == [*late, *dropped]
    assert said[0] == "c.txt is not taken: cannot be read as UTF-8 text"
    assert said[1].startswith("bad.json is not taken: is not JSON (")
    assert said[2].startswith("empty.png is not taken: ")
    assert said[3].startswith("cut.png is not taken: ") and len(said) == 4
    late += bad
    (folder / "a.txt").write_text("x" * 4001)
    with pytest.raises(StudioError, match="has 4001 characters"):
        dropping.listed([str(folder / "a.txt")], before)
    for name in late:
        Path(name).unlink()


def test_a_drop_that_the_page_has_not_heard_of_is_not_lost_by_the_next() -> None:
    first, second = ["/u/a.png"], ["/u/a.png", "/u/b.png"]
    assert dropping.unheard([], []) == ([], [], [[]])
    drops = [[], first]
    assert dropping.unheard([], drops) == (first, first, drops)  # asked before the answer
    drops.append(second)
    assert dropping.unheard(first, drops) == (second, ["/u/b.png"], [first, second])
    assert dropping.unheard(second, drops) == (second, [], [second])
    example = ["/u/hero.png"]
    assert dropping.unheard(example, drops) == (example, [], [example])
