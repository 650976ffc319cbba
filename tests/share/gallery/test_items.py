"""A folder as a gallery: what is listed, what is kept among one's own, and what never happens to those."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from studio.__main__ import main
from studio.errors import StudioError
from studio.home import presets_folder
from studio.library import Library
from studio.share import gallery
from studio.share.gallery.items import find


def preset(path: Path, name: str = "", prompt: str = "a cat", **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name, "rows": [{"prompt": prompt}], **more}))
    return path


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two presets, one of them with a picture and a model that is not here, and odd files."""
    found = tmp_path / "theirs"
    preset(found / "cat.json", "Cat", base="nobody/nowhere")
    Image.new("RGB", (900, 300), "red").save(found / "cat.png")
    preset(found / "deep/er/dog.json", prompt="a dog")
    (found / "package.json").write_text('{"name": "not a preset"}')
    (found / "broken.json").write_text('{"rows": [')
    (found / "odd.json").write_text('{"rows": [{"wieght": 1}]}')
    return found


def test_presets_are_listed_with_what_they_lack_and_one_bad_file_hides_no_other(
    folder: Path, studio_home: Path
) -> None:
    items, notes = gallery.items_of(folder)
    assert [one.id for one in items] == ["broken.json", "cat.json", "deep/er/dog.json", "odd.json"]
    assert [bool(one.problem) for one in items] == [True, False, False, True]
    assert "wieght" in items[3].problem and notes == ["1 JSON file is no preset"]
    assert items[1].name == "Cat" and items[2].name == "dog"
    assert items[1].thumbnail == folder / "cat.png" and items[2].thumbnail is None
    library = Library()
    assert items[1].lacks(library) == ["nobody/nowhere"] and items[2].lacks(library) == []


def test_import_keeps_the_preset_and_its_picture_and_leaves_ones_own_alone(
    folder: Path, studio_home: Path
) -> None:
    own = preset(presets_folder() / "cat.json", "Cat", "my own cat")
    mine = own.read_bytes()
    items, _ = gallery.items_of(folder)
    path, new = gallery.taken(find(items, "Cat"))
    assert new and path.name == "cat-2.json" and own.read_bytes() == mine
    assert json.loads(path.read_text())["rows"][0]["prompt"] == "a cat"
    with Image.open(path.with_suffix(".webp")) as small:
        assert small.format == "WEBP" and small.size == (256, 85)
    assert gallery.taken(find(items, "cat.json")) == (path, False)  # not twice
    assert len(list(presets_folder().glob("*.json"))) == 2


def test_a_damaged_picture_is_left_out_and_a_lone_one_stays(
    folder: Path, studio_home: Path
) -> None:
    (folder / "cat.png").write_bytes(b"no picture")
    presets_folder().mkdir(parents=True)
    lone = presets_folder() / "dog.webp"
    Image.new("RGB", (9, 9), "blue").save(lone)
    before = lone.read_bytes()
    items, _ = gallery.items_of(folder)
    path, _ = gallery.taken(find(items, "Cat"))
    assert path.is_file() and not path.with_suffix(".webp").exists()
    Image.new("RGB", (9, 9), "red").save(folder / "deep/er/dog.png")
    items, _ = gallery.items_of(folder)
    gallery.taken(find(items, "dog"))
    assert lone.read_bytes() == before


def test_what_cannot_be_taken_is_named(folder: Path, studio_home: Path) -> None:
    items, _ = gallery.items_of(folder)
    with pytest.raises(StudioError, match=r"odd\.json: .*wieght"):
        find(items, "odd.json")
    with pytest.raises(StudioError, match="no such preset"):
        find(items, "../cat.json")
    preset(folder / "other.json", "CAT", "another")
    items, _ = gallery.items_of(folder)
    with pytest.raises(StudioError, match=r"cat\.json, other\.json"):
        find(items, "cat")


def test_the_command_line_lists_remembers_and_imports(
    folder: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery", "list", str(folder)]) == 0
    printed = capsys.readouterr()
    told = {one["id"]: one for one in lines(printed.out)}
    assert told["cat.json"]["missing"] == ["nobody/nowhere"] and told["cat.json"]["picture"]
    assert "wieght" in told["odd.json"]["problem"] and "is no preset" in printed.err
    assert main(["gallery", "list"]) == 0
    assert lines(capsys.readouterr().out) == [{"gallery": str(folder)}]
    assert main(["gallery", "import", str(folder), "--all"]) == 0
    assert [one["new"] for one in lines(capsys.readouterr().out)] == [True, True]
    assert main(["gallery", "import", str(folder), "dog", "nothing"]) == 2
    assert not capsys.readouterr().out  # all or nothing
    (empty := folder / "empty").mkdir()
    assert main(["gallery", "list", str(empty)]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"note: {empty} holds no preset\n")
    assert main(["gallery", "list", str(empty), "--forget"]) == 0
    assert main(["gallery", "list", str(folder), "--forget"]) == 0
    assert gallery.known() == ()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"galleries": 3}', '{"galleries": [1, ""]}'])
def test_a_damaged_list_of_galleries_stops_nothing(studio_home: Path, text: str) -> None:
    (studio_home / "galleries.json").write_text(text)
    assert gallery.known() == ()
    gallery.remember("/a")
    gallery.remember("/b")
    gallery.remember("/a")
    assert gallery.known() == ("/a", "/b")


def test_of_galleries_opened_at_once_none_is_forgotten(studio_home: Path) -> None:
    names = [f"/{number}" for number in range(12)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(gallery.remember, names))
    assert sorted(gallery.known()) == sorted(names)
