"""A result becomes the picture of a model, in the studio's own folder, and can be taken back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.errors import StudioError
from studio.library.own_pictures import own_picture
from studio.preset import validate
from studio.share import save_image
from studio.ui.library import models, previews
from studio.ui.library.depicting import depicted
from tests.support.studio_page import needs_starter

HERO = "starter/lora-hero"
PRESET = validate({"rows": [{"prompt": "hero", "model": {"lora": HERO, "strength": 0.5}}]})


def picture(colour: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr("studio.ui.editor.sent.get_upload_folder", lambda: str(folder))
    path = save_image(Image.new("RGB", (1024, 512), colour), PRESET, folder)
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


@needs_starter
def test_a_result_is_given_to_a_model_that_made_it_and_taken_back(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = previews.of([HERO])[HERO]
    first, second = (picture(colour, tmp_path, monkeypatch) for colour in ("red", "blue"))
    asked = depicted({"picture": first})
    assert [one["id"] for one in asked["choices"]] == [HERO, "starter"]
    assert asked["picture"] == first and not own_picture(HERO)
    given = depicted({"picture": first, "id": HERO})
    assert given["given"]["id"] == HERO and given["pictures"][HERO].startswith("data:image/")
    red = given["pictures"][HERO]
    assert Image.open(own_picture(HERO)).size == (512, 256)
    assert Path(own_picture(HERO)).is_relative_to(studio_home)
    line = next(part for part in models.table(False).split("<div") if f">{HERO}<" in part)
    assert "data-preview" in line and "data-seen" not in line
    again = depicted({"picture": second, "id": HERO})
    blue = again["pictures"][HERO]
    assert blue != red and previews.of([HERO])[HERO] == blue
    late = depicted({"id": HERO, "back": given["given"]["mark"]})  # of a toast before the last one
    assert late["late"] and late["pictures"][HERO] == blue
    back = depicted({"id": HERO, "back": again["given"]["mark"]})
    assert not back["late"] and back["pictures"][HERO] == red
    assert depicted({"id": HERO, "back": given["given"]["mark"]})["pictures"][HERO] == before


@needs_starter
def test_a_model_is_without_a_picture_of_its_own_again(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, sent = previews.of([HERO])[HERO], picture("red", tmp_path, monkeypatch)
    assert [one["own"] for one in depicted({"picture": sent})["choices"]] == [False, False]
    red = depicted({"picture": sent, "id": HERO})["pictures"][HERO]
    assert depicted({"picture": sent})["choices"][0]["own"]
    taken = depicted({"id": HERO, "bare": True})
    assert taken["pictures"][HERO] == before and not own_picture(HERO)
    back = depicted({"id": HERO, "back": taken["taken"]["mark"]})
    assert back["pictures"][HERO] == red and not back["late"]


@needs_starter
def test_on_a_full_disk_a_model_keeps_its_picture(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (picture(colour, tmp_path, monkeypatch) for colour in ("red", "blue"))
    red = depicted({"picture": first, "id": HERO})["pictures"][HERO]
    folder = Path(own_picture(HERO)).parent

    def full(path: Path, data: bytes) -> Path:
        raise StudioError("no space left", field=path.name)

    with monkeypatch.context() as patched:
        patched.setattr("studio.library.own_pictures.write_atomically", full)
        with pytest.raises(StudioError, match="no space left"):
            depicted({"picture": second, "id": HERO})
    assert previews.of([HERO])[HERO] == red

    replace = os.replace

    def torn(one: Path, other: Path) -> None:
        if one.suffix == ".new":
            raise PermissionError(13, "not allowed")
        replace(one, other)

    with monkeypatch.context() as patched:
        patched.setattr("studio.library.own_pictures.os.replace", torn)
        with pytest.raises(StudioError, match=r"model-pictures: cannot be written \(not allowed\)"):
            depicted({"picture": second, "id": HERO})
    assert previews.of([HERO])[HERO] == red
    assert [file.name for file in folder.iterdir()] == [Path(own_picture(HERO)).name]


@needs_starter
def test_what_cannot_be_given_is_refused(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = picture("red", tmp_path, monkeypatch)
    with pytest.raises(StudioError, match=r"'nobody' is not in the library"):
        depicted({"picture": sent, "id": "nobody"})
    with pytest.raises(StudioError, match="is not an uploaded file"):
        depicted({"picture": {"path": "/etc/passwd"}, "id": HERO})
    monkeypatch.setattr("studio.ui.library.depicting.models_of", lambda preset: ("gone",))
    with pytest.raises(StudioError, match="none of the models"):
        depicted({"picture": sent})
