"""A result becomes the picture of a model, in the studio's own folder, and can be taken back."""

from __future__ import annotations

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
    monkeypatch.setattr("studio.ui.editor.stack.get_upload_folder", lambda: str(folder))
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
    blue = depicted({"picture": second, "id": HERO})["pictures"][HERO]
    assert blue != red and previews.of([HERO])[HERO] == blue
    assert depicted({"id": HERO, "back": True})["pictures"][HERO] == red
    assert depicted({"id": HERO, "back": True})["pictures"][HERO] == before


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
