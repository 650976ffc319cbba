"""Strokes of colour over a picture to start from, on the server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio import images
from studio.errors import StudioError
from studio.ui.editor.stack import paint_over
from studio.ui.sketches import painted_over


@pytest.fixture
def picture(studio_home: Path) -> str:
    return images.store(images.png_bytes(Image.new("RGB", (1600, 800), "blue")))


def _strokes(path: Path, size: tuple[int, int]) -> Path:
    strokes = Image.new("RGBA", size)  # black where nothing is painted
    strokes.paste((255, 238, 0, 255), (0, 0, size[0] // 2, size[1]))
    strokes.save(path)
    return path


def test_what_is_painted_lies_over_the_whole_picture_and_that_stays(
    picture: str, tmp_path: Path
) -> None:
    made = images.resolve(painted_over(picture, _strokes(tmp_path / "s.png", (768, 384))))
    assert made.size == (1600, 800)
    assert made.getpixel((700, 400)) == (255, 238, 0)
    assert made.getpixel((900, 400)) == (0, 0, 255)
    edge = np.asarray(made)[400, 790:811].astype(int)
    assert abs(edge[:, 0] + edge[:, 2] - 255).max() <= 2  # no black between them
    assert images.resolve(picture).getpixel((700, 400)) == (0, 0, 255)


@pytest.mark.parametrize(("size", "canvas"), [((2000, 30), (768, 12)), ((3000, 10), (768, 3))])
def test_a_narrow_picture_s_canvas_is_rounded_to_whole_pixels(
    studio_home: Path, tmp_path: Path, size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    narrow = images.store(images.png_bytes(Image.new("RGB", size, "blue")))
    made = images.resolve(painted_over(narrow, _strokes(tmp_path / "s.png", canvas)))
    assert made.size == size
    with pytest.raises(StudioError, match="pixels over a picture of"):
        painted_over(narrow, _strokes(tmp_path / "t.png", (768, canvas[1] + 2)))


def test_of_a_copy_too_small_to_tell_the_shape_has_to_be_the_same() -> None:
    assert not images.same_aspect((1, 1), (2000, 1000))
    assert not images.same_aspect((3, 2), (1000, 500))
    assert images.same_aspect((30, 2000), (12, 768))


def test_strokes_of_another_aspect_or_none_are_refused(picture: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="384x384 pixels over a picture of 1600x800"):
        painted_over(picture, _strokes(tmp_path / "s.png", (384, 384)))
    with pytest.raises(StudioError, match="inputs/none"):
        painted_over("inputs/none.png", tmp_path / "s.png")
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(StudioError, match="strokes"):
        painted_over(picture, tmp_path / "bad.png")
    for value in (None, {"image": picture, "path": str(tmp_path / "s.png")}):
        assert paint_over(value)["error"].startswith("strokes: ")
