"""What is said of a preset's pictures beside the plan: looked at once, and not kept themselves."""

from __future__ import annotations

import base64
import gc
import io
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from studio.engine.detail import NONE_FOUND
from studio.engine.inputs.start_image import _check_aspect
from studio.errors import BadPreset
from studio.events import Done, Event
from studio.preset import Preset, validate
from studio.ui import picture_notes, run
from studio.ui.editor.stack import image_size, mask_fits
from studio.ui.runs import Runs
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until


class Text(str):
    """A reference of which one sees when it is let go."""


def uri(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def notes(image: str, mask: str) -> list[str]:
    made = validate({"init": {"image": image, "mask": mask}, "rows": [{"prompt": "a cat"}]})
    return list(picture_notes.notes_of(made, (64, 64)))


def said(size: tuple[int, int], masks: list[Image.Image | None], **more: object) -> list[str]:
    rows = [{"prompt": "a cat", "mask": uri(mask) if mask else ""} for mask in masks]
    return list(picture_notes.notes_of(validate({"rows": rows, **more}), size))


def test_all_rows_whose_masks_do_not_fit_are_said_at_once() -> None:
    square, wide = Image.new("L", (64, 64), 255), Image.new("L", (96, 48), 255)
    assert said((64, 64), [square, None, square]) == []
    assert said((96, 48), [square, wide, None]) == [
        "rows.0.mask: is 64x64; a mask has the aspect of the picture, 96x48"
    ]
    assert said((128, 64), [square, wide, square]) == [
        "the masks of rows 1, 3 are 64x64 and do not fit the picture, 128x64: "
        "Use masks, under Masks, stretches them"
    ]
    assert len(said((300, 100), [square, wide, square])) == 2


def test_a_mask_that_does_not_fit_is_said_as_it_is_refused() -> None:
    square = uri(Image.new("L", (64, 64), 255))
    wide = uri(Image.new("RGB", (96, 48), "navy"))
    preset = validate(
        {"rows": [{"mask": square, "prompt": "a"}], "init": {"image": wide, "mask": square}}
    )
    told = list(picture_notes.notes_of(preset, (96, 48)))
    assert told == [
        "rows.0.mask: is 64x64; a mask has the aspect of the picture, 96x48",
        "init.mask: is 64x64; a mask has the aspect of init.image, 96x48",
    ]
    with pytest.raises(BadPreset) as refused:
        _check_aspect(Image.new("L", (64, 64)), (96, 48), "rows.0.mask", "the picture")
    assert str(refused.value) == told[0]


def test_the_page_asks_whether_a_mask_fits_a_picture() -> None:
    wide = uri(Image.new("RGB", (96, 48)))
    masks = [uri(Image.new("L", size)) for size in ((64, 32), (64, 64))]
    fits = [mask_fits({"mask": mask, "image": wide}) for mask in masks]
    assert fits == [{"fits": True}, {"fits": False}]
    for wrong in (None, {}, {"mask": "/etc/passwd", "image": wide}):
        assert set(mask_fits(wrong)) == {"error"}


def test_the_page_asks_how_large_a_picture_is() -> None:
    assert image_size(uri(Image.new("RGB", (96, 48)))) == {"size": [96, 48]}
    for wrong in (None, {}, "/etc/passwd"):
        assert set(image_size(wrong)) == {"error"}


def test_rows_that_are_left_out_fit_any_picture() -> None:
    square = uri(Image.new("L", (64, 64), 255))
    preset = validate({"rows": [{"mask": square, "enabled": False}, {"mask": square, "weight": 0}]})
    assert list(picture_notes.notes_of(preset, (96, 48))) == []


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the references that were looked at."""
    lengths: list[int] = []
    for name in ("resolve", "resolve_mask"):
        look = getattr(picture_notes, name)
        monkeypatch.setattr(
            picture_notes, name, lambda text, look=look: lengths.append(len(text)) or look(text)
        )
    return lengths


def test_a_picture_is_looked_at_once(looked: list[int]) -> None:
    wide, black = uri(Image.new("RGB", (96, 48), "red")), uri(Image.new("L", (16, 8)))
    said = [
        "init.image: its middle is taken, 96x48 to 64x64",
        "init.mask: is black all over, so nothing of the picture is painted anew",
    ]
    assert [notes(wide, black) for _ in range(3)] == [said] * 3
    assert looked == [len(wide), len(black), len(black)]  # whether it is black, its size


def test_a_start_that_loses_pixels_is_said_and_one_that_loses_none_is_not() -> None:
    def start(size: tuple[int, int]) -> list[str]:
        return said((64, 64), [None], init={"image": uri(Image.new("RGB", size))})

    assert start((96, 96)) == [
        "init.image: is made smaller, 96x96 to 64x64; width and height can keep its size"
    ]
    assert start((64, 64)) == start((32, 32)) == []
    assert len(start((96, 48))) == 1  # its middle is taken


def test_pictures_that_come_in_turn_are_counted_where_they_are_cut() -> None:
    sizes = ((64, 64), (96, 48), (30, 60), (128, 128))
    pictures = [uri(Image.new("RGB", size, "green")) for size in sizes]
    cut = "of another aspect than 64x64, so that its middle is taken: 2 of 4 pictures"
    for field in ("init.image", "rows.10.image"):
        assert picture_notes.of_many(field, pictures, (64, 64)) == f"{field}: {cut}"
    squeezed = picture_notes.of_many("rows.0.control.image", pictures, (64, 64))
    assert "it is squeezed: 2 of 4" in squeezed
    assert picture_notes.of_many("rows.0.image_prompt.image", pictures, (64, 64)) == ""
    assert picture_notes.of_many("init.image", pictures[::3], (64, 64)) == ""


def test_a_picture_that_was_looked_at_is_let_go() -> None:
    for look, image in (
        (picture_notes.size_of, Image.new("RGB", (31, 17), "blue")),
        (picture_notes._is_black, Image.new("L", (31, 17), 9)),
    ):
        text = Text(uri(image))
        kept = weakref.ref(text)
        assert look(text) == look(str(text))
        del text
        gc.collect()
        assert kept() is None


def test_what_was_found_is_bounded(monkeypatch: pytest.MonkeyPatch, looked: list[int]) -> None:
    monkeypatch.setattr(picture_notes, "MOST_KEPT", 2)
    sizes = [(64 * width, 63) for width in (1, 2, 3, 1)]
    assert [picture_notes.size_of(uri(Image.new("RGB", size, "green"))) for size in sizes] == sizes
    assert len(looked) == 4  # the first was let go when there were too many


def test_what_is_painted_around_a_mask_alone_says_its_sizes() -> None:
    """Rows' masks are then of the whole picture, of which no middle is taken."""
    wide, square = Image.new("RGB", (96, 48), "navy"), Image.new("L", (64, 64), 255)
    init = {"image": uri(wide), "mask": uri(Image.new("L", (96, 48), 255)), "area": "mask"}
    size = (
        "init.area: the part around the mask is made at 64x64 and put back; the picture stays 96x48"
    )
    assert said((64, 64), [Image.new("L", (96, 48), 255)], init=init) == [size]
    rows = [{"prompt": "a", "mask": init["mask"]}]
    picture_notes.refuse_masks(validate({"rows": rows, "init": init}), (64, 64))
    assert said((64, 64), [square], init=init) == [
        size,
        "rows.0.mask: is 64x64; a mask has the aspect of the picture, 96x48",
    ]


def test_a_note_on_a_finished_picture_names_the_field_as_the_form_does() -> None:
    class Noting(FakeEngine):
        def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
            for event in super().__call__(preset, explain):
                yield replace(event, notes=(NONE_FOUND,)) if isinstance(event, Done) else event

    runs = Runs(Noting(), Limits())
    made = runs.submit(runs.session("a"), validate({"rows": [{"prompt": "a cat"}]}))
    until(lambda: made.state == "done")
    assert "Detail pass, finds: nothing was found" in run.bar_of(runs, made)
