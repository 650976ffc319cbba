"""Presets and styles that were deleted or replaced come back as they were; nothing else goes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.errors import MissingFile, StudioError
from studio.home import presets_bin, presets_folder, styles_folder
from studio.preset import own_styles, validate
from studio.preset.styles import find, save_style, styles
from studio.ui.presets import gallery
from studio.ui.presets.back import bring_back
from studio.ui.space import Limits

ALONE = Limits()
CAT = validate({"name": "Cat", "rows": [{"prompt": "a cat"}]})
TREE = validate({"name": "Tree", "rows": [{"prompt": "a tree"}]})


@pytest.fixture
def shelf(studio_home: Path, tmp_path: Path) -> str:
    """The id of a preset of one's own that has a picture."""
    picture = tmp_path / "cat.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    gallery.save(CAT, ALONE, picture)
    return str(gallery.cards(ALONE)["items"][0]["id"])


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def back(token: str, of: str = "presets", **more: Any) -> dict[str, Any]:
    return bring_back({"of": of, "token": token, **more})


def test_a_preset_that_was_deleted_comes_back_with_its_picture(shelf: str) -> None:
    before = files(presets_folder())
    name, token = gallery.delete(ALONE, shelf)
    assert name == "Cat" and files(presets_folder()) == {} and len(before) == 2
    assert back(token) == {"back": True} and files(presets_folder()) == before
    assert not list(presets_bin().iterdir())
    assert "bin: it is not there any more" in back(token)["error"]


def test_it_takes_another_name_where_its_own_has_been_taken(shelf: str) -> None:
    _, token = gallery.delete(ALONE, shelf)
    gallery.save(validate({"name": "Cat", "rows": [{"prompt": "a dog"}]}), ALONE)
    (taken,) = files(presets_folder()).items()
    assert back(token) == {"back": True}
    now = files(presets_folder())
    assert now[taken[0]] == taken[1] and sorted(now) == ["cat-2.json", "cat-2.webp", "cat.json"]


def test_a_replaced_one_comes_back_and_what_replaced_it_goes_into_the_bin(shelf: str) -> None:
    before = files(presets_folder())
    _, token, wrote = gallery.replace(ALONE, shelf, TREE)
    replaced = files(presets_folder())
    assert replaced != before and len(replaced) == 1
    assert back(token, replaced=wrote) == {"back": True} and files(presets_folder()) == before
    (kept,) = presets_bin().iterdir()
    assert files(kept) == replaced


def test_a_replaced_one_that_is_deleted_by_then_comes_back_all_the_same(shelf: str) -> None:
    before = files(presets_folder())
    _, token, wrote = gallery.replace(ALONE, shelf, TREE)
    gallery.delete(ALONE, shelf)
    assert back(token, replaced=wrote) == {"back": True} and files(presets_folder()) == before


def test_it_takes_the_place_of_nothing_else_that_stands_there_by_then(shelf: str) -> None:
    before = files(presets_folder())
    _, token, wrote = gallery.replace(ALONE, shelf, TREE)
    gallery.rename(ALONE, shelf, "Oak")
    renamed = (presets_folder() / "cat.json").read_bytes()
    (presets_folder() / "cat-2.webp").write_bytes(b"another's")
    assert back(token, replaced=wrote) == {"back": True}
    now = files(presets_folder())
    assert now["cat.json"] == renamed and now["cat-2.webp"] == b"another's"
    assert now["cat-3.json"] == before["cat.json"] and now["cat-3.webp"] == before["cat.webp"]


@pytest.mark.parametrize("token", ["", "..", "../../presets", "presets-" + "0" * 16, "None"])
def test_nothing_else_is_brought_back_nor_removed(shelf: str, token: str) -> None:
    before = files(presets_folder())
    for of in ("presets", "styles", "else"):
        assert "bin: it is not there any more" in back(token, of)["error"]
    assert "error" in bring_back(None) and files(presets_folder()) == before


def test_what_was_put_aside_of_one_kind_is_none_of_another(shelf: str) -> None:
    save_style("Dusk", "at dusk")
    _, preset = gallery.delete(ALONE, shelf)
    _, style = own_styles.delete_style("Dusk")
    for token, of, name in ((preset, "styles", "Cat"), (preset, "styles", "x")):
        assert "bin: it is not there" in back(token, of, name=name)["error"]
    for file in (presets_bin() / preset).glob("*.json"):
        file.unlink()
    assert "bin: it is not there" in back(preset)["error"]
    assert back(style, "styles", name="Dusk") == {"back": True}


def test_what_cannot_be_put_into_the_bin_stays(shelf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(presets_folder())
    presets_bin().parent.mkdir(parents=True, exist_ok=True)
    presets_bin().write_text("a file stands where the bin should be")
    for change in (
        lambda: gallery.delete(ALONE, shelf),
        lambda: gallery.replace(ALONE, shelf, TREE),
    ):
        with pytest.raises(MissingFile, match="cannot be put into the bin"):
            change()
    assert files(presets_folder()) == before


def test_a_deletion_that_fails_leaves_nothing_in_the_bin(
    shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError("in use")

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(PermissionError):
        gallery.delete(ALONE, shelf)
    assert not list(presets_bin().iterdir()) and files(presets_folder())


def test_a_picture_that_cannot_be_read_replaces_nothing(shelf: str, tmp_path: Path) -> None:
    before = files(presets_folder())
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(StudioError):
        gallery.replace(ALONE, shelf, TREE, bad)
    assert files(presets_folder()) == before


def test_what_was_written_over_stays_in_the_bin_though_the_rest_fails(
    shelf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(presets_folder())

    def full(*_: object) -> None:
        raise StudioError("the disk is full", field="cat.webp")

    monkeypatch.setattr(gallery, "_picture", full)
    with pytest.raises(StudioError, match="full"):
        gallery.replace(ALONE, shelf, TREE)
    (kept,) = presets_bin().iterdir()
    assert files(kept) == before


TABLE = (
    "\ufeffname,prompt,negative_prompt,mine\r\nInk,in ink,photo,x\r\nPen,a pen,,y\r\nink,ink,,z\r\n"
)


def test_a_deleted_style_comes_back_where_it_stood(studio_home: Path) -> None:
    styles_folder().mkdir(parents=True)
    table = styles_folder() / "styles.csv"
    table.write_text(TABLE, encoding="utf-8", newline="")
    save_style("Dusk", "at dusk", "noon")
    before = files(styles_folder())
    for name in ("Ink", "Dusk"):  # one of several of that name, and the only one of its file
        _, token = own_styles.delete_style(name)
        assert files(styles_folder()) != before
        assert back(token, "styles", name=name) == {"back": True}
        assert files(styles_folder()) == before


def test_it_comes_back_beside_what_its_file_holds_by_then(studio_home: Path) -> None:
    styles_folder().mkdir(parents=True)
    table = styles_folder() / "styles.csv"
    table.write_text(TABLE, encoding="utf-8", newline="")
    was = find("Ink")
    _, token = own_styles.delete_style("Ink")
    own_styles.edit_style("Pen", "Pen", "a fine pen")
    assert back(token, "styles", name="Ink") == {"back": True}
    now = find("Ink")
    assert (now.prompt, now.negative) == (was.prompt, was.negative)
    assert find("Pen").prompt == "a fine pen" and len(styles()) == 3


def test_it_does_not_take_a_name_from_another(studio_home: Path) -> None:
    save_style("Dusk", "at dusk")
    _, token = own_styles.delete_style("Dusk")
    save_style("dusk", "another")
    assert "there is a style" in back(token, "styles", name="Dusk")["error"]
    assert find("dusk").prompt == "another" and list(presets_bin().iterdir())
