"""Galleries as the page shows them: what is sent to it, and what a shared page does without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.preset import validate
from studio.ui.page import build
from studio.ui.presets import galleries
from studio.ui.space import SPACE, Limits


@pytest.fixture
def folder(tmp_path: Path, studio_home: Path) -> Path:
    found = tmp_path / "theirs"
    found.mkdir()
    (found / "cat.json").write_text(json.dumps({"name": "Cat", "rows": [{"prompt": "a cat"}]}))
    Image.new("RGB", (64, 32), "red").save(found / "cat.png")
    (found / "odd.json").write_text('{"rows": 5}')
    return found


def last(source: str, again: bool = False) -> dict[str, Any]:
    return list(galleries.opened(source, again))[-1]


def test_a_gallery_is_shown_and_its_presets_are_used_and_kept(folder: Path) -> None:
    value = last(f" {folder} ")
    assert value["state"] == "done" and value["known"] == [str(folder)]
    cat, odd = value["items"]
    assert cat["picture"] and cat["usable"] and not odd["usable"] and "rows" in odd["text"]
    name = value["source"]
    assert galleries.picked(name, "cat.json").rows[0].prompt == "a cat"
    assert galleries.kept(name, "cat.json") == "Cat is kept as cat.json"
    assert galleries.kept(name, "cat.json") == "Cat is kept already"
    with pytest.raises(StudioError, match="rows"):
        galleries.picked(name, "odd.json")


def test_pictures_are_of_opened_galleries_alone(folder: Path) -> None:
    asked = {"source": str(folder), "ids": ["cat.json", "odd.json", "../../etc/passwd", 3]}
    assert galleries.gallery_pictures(asked) == {}
    last(str(folder))
    found = galleries.gallery_pictures(asked)
    assert found.pop("cat.json").startswith("data:image/webp;base64,")
    assert set(found.values()) == {""}
    for nonsense in (None, [], {"ids": 3}, {"source": ["x"], "ids": []}):
        assert galleries.gallery_pictures(nonsense) == {}


@pytest.mark.parametrize("source", ["", "/nowhere", "hub:me/presets", "hub:me", "\0"])
def test_what_cannot_be_opened_is_one_line(source: str, studio_home: Path) -> None:
    value = last(source)
    assert value["state"] == "failed" and value["items"] == [] and value["known"] == []
    assert "\n" not in value["said"] and value["said"].startswith(("Gallery: ", "'me/presets'"))


def test_publishing_sends_what_was_looked_at_even_when_the_form_has_changed(
    folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    preset = validate({"name": "Mine", "rows": [{"prompt": "/home/me/x"}, {"prompt": "a"}]})
    value, looked = galleries.looked_at(preset, folder / "cat.png", str(target))
    assert value["warnings"] == ["row 1, prompt: holds what looks like a path: '/home/me/x'"]
    assert [one["name"] for one in value["files"]] == ["mine.json", "mine.webp"]
    assert not list(target.iterdir())
    assert galleries.sent(looked)["said"] == "Published mine.json and mine.webp"
    assert (target / "mine.json").read_text() == value["json"]
    with pytest.raises(StudioError, match="look at what would be published first"):
        galleries.sent(None)
    assert galleries.looked_at(preset, None, str(target))[0]["lacks"] == galleries.NO_PICTURE


@pytest.mark.parametrize(("limits", "there"), [(Limits(), True), (SPACE, False)])
def test_a_shared_page_has_no_galleries(limits: Limits, there: bool) -> None:
    config = build(limits).config
    ids = {c["props"].get("elem_id") for c in config["components"]}
    assert ("gs-galleries" in ids) is there and ("gs-publishing" in ids) is there
