"""Pictures that are taken into the form: what of a file is taken, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio")
from gradio.utils import get_upload_folder
from PIL import Image

from studio.languages import ENGLISH, languages
from studio.ui.editor.stack import FIRST, store_image
from studio.ui.widgets import FILE_META

COLOURS = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]


@pytest.fixture
def uploads(studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    yield Path(get_upload_folder())


def noted(path: Path) -> str:
    answer = store_image({"path": str(path), "meta": FILE_META})
    assert answer["image"].startswith("inputs/"), answer
    return answer.get("note", "")


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tif", "a.png"])
def test_of_several_pictures_in_a_file_it_is_said_that_the_first_is_taken(
    uploads: Path, name: str
) -> None:
    COLOURS[0].save(uploads / name, save_all=True, append_images=COLOURS[1:])
    assert noted(uploads / name) == FIRST
    one = uploads / f"one-{name}"
    COLOURS[0].save(one)
    assert noted(one) == ""


def test_a_camera_s_second_picture_is_not_spoken_of(uploads: Path) -> None:
    COLOURS[0].save(uploads / "a.mpo", save_all=True, append_images=COLOURS[1:])
    assert noted(uploads / "a.mpo") == ""


def test_an_animation_that_is_damaged_behind_its_first_picture_is_taken(uploads: Path) -> None:
    COLOURS[0].save(uploads / "a.gif", save_all=True, append_images=COLOURS[1:])
    whole = (uploads / "a.gif").read_bytes()
    second = whole.index(b"\x21\xf9", whole.index(b"\x21\xf9") + 2)
    (uploads / "cut.gif").write_bytes(whole[: second + 12])
    noted(uploads / "cut.gif")


def test_what_is_said_of_it_is_in_every_language() -> None:
    assert all(FIRST in dict(one.messages) for tag, one in languages().items() if tag != ENGLISH)
