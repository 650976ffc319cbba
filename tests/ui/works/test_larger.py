"""Pictures that are made larger: by themselves, many files, many of the history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio import images
from studio.errors import BadPreset, StudioError
from studio.history import history
from studio.history.intake import take_in
from studio.history.record import identity
from studio.library import Library
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui.works import larger, works
from studio.ui.works.asked import Form
from tests.support.studio_page import needs_starter
from tests.ui.works.test_works import META, PRESET, made_with

ASK = {"do": "larger", "factor": 2, "strength": 0.5}
FORM = validate({"rows": [{"prompt": "a field"}]})


def passes(preset: Preset) -> None:
    """A page that makes everything."""


def refused() -> Preset:
    raise BadPreset("a form that cannot be", field="rows")


def sent(path: Path) -> dict[str, Any]:
    return {"name": path.name, "picture": {"path": str(path), "meta": META}}


def of_each(
    ask: dict[str, Any],
    form: Form | None = None,
    check: Callable[[Preset], None] = passes,
    room: int | None = None,
) -> larger.Found:
    reading = larger.larger_of_each(
        {**ASK, **ask}, Library(), form or Form(lambda: FORM), history(), check, room
    )
    while True:
        try:
            next(reading)
        except StopIteration as end:
            return end.value


def alone(path: Path, form: Form) -> Preset:
    ask = {**ASK, "picture": sent(path)["picture"]}
    ((preset, _, _),) = works.presets_of(ask, Library(), form, history())
    return preset


@needs_starter
def test_many_files_are_made_larger_those_without_a_preset_with_the_form_s_rows(
    uploads: Path,
) -> None:
    Image.new("RGB", (64, 48), "red").save(uploads / "photo.png")
    (uploads / "broken.png").write_bytes(b"no picture")
    own = {"name": "own.png", "picture": made_with(PRESET.with_seed(9), uploads)}
    nothing = {"name": "nothing.png"}
    files = [nothing, *(sent(uploads / name) for name in ("photo.png", "broken.png"))]
    form = Form(lambda: FORM)
    made, left_out = of_each({"images": [own, *files]}, form)
    assert [one.label for one in made] == ["own.png", "photo.png"]
    assert [one.preset.rows for one in made] == [PRESET.rows, FORM.rows]
    assert made[0].preset.sampler.seed == 9 and made[1].preset.sampler.width == 128
    assert [line.split(":")[0] for line in left_out] == ["nothing.png", "broken.png"]
    assert larger.said_of_form(ASK, form) == [larger.OF_FORM]


@needs_starter
def test_a_form_that_cannot_be_refuses_only_what_needs_it(uploads: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(uploads / "photo.png")
    own = {"name": "own.png", "picture": made_with(PRESET, uploads)}
    form = Form(refused)
    made, left_out = of_each({"images": [own, sent(uploads / "photo.png")]}, form)
    assert [one.label for one in made] == ["own.png"]
    assert left_out == ["photo.png: rows: a form that cannot be"]
    assert not form.taken and larger.said_of_form(ASK, form) == []
    assert alone(Path(own["picture"]["path"]), form).rows == PRESET.rows
    with pytest.raises(BadPreset, match="a form that cannot be"):
        alone(uploads / "photo.png", form)


@needs_starter
def test_a_picture_without_a_preset_is_made_larger_with_the_form_s_rows(uploads: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(uploads / "photo.png")
    form = Form(lambda: FORM)
    found = alone(uploads / "photo.png", form)
    assert found.rows == FORM.rows and found.sampler.seed == FORM.sampler.seed
    assert (found.sampler.width, found.sampler.height) == (128, 96)
    assert larger.said_of_form(ASK, form) == [larger.OF_FORM]
    assert larger.said_of_form({**ASK, "strength": 0}, form) == []  # no row acts
    with pytest.raises(StudioError, match="carries no preset"):
        works.presets_of(
            {"do": "vary", **sent(uploads / "photo.png"), "count": 4, "strength": 0.2},
            Library(),
            form,
            history(),
        )


@needs_starter
def test_what_else_the_form_holds_is_said_to_be_left_out(uploads: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(uploads / "photo.png")
    start = {"image": "inputs/a.png"}

    def lost(**more: Any) -> list[str]:
        form = Form(lambda: validate({**FORM.model_dump(mode="json"), **more}))
        found = alone(uploads / "photo.png", form)
        assert found.sampler.count == 1 and not found.second_pass.on
        assert found.init and not found.init.mask
        return larger.said_of_form(ASK, form)[1:]

    twice = {"init": start, "second_pass": {"scale": 2.0}, "sampler": {"count": 3}}
    names = "init.image, second_pass.scale, sampler.count"
    assert lost(**twice) == [f"Of the form is left out: {names}"]
    masked = {**start, "mask": "inputs/b.png"}
    assert lost(init=masked) == ["Of the form is left out: init.image, init.mask"]


@needs_starter
@pytest.mark.parametrize("one", [True, False])
def test_a_photograph_that_lies_on_its_side_in_its_file_keeps_its_shape(
    uploads: Path, one: bool
) -> None:
    photo, exif = uploads / "photo.jpg", Image.Exif()
    exif[0x0112] = 6  # orientation: turned by a quarter
    Image.new("RGB", (96, 64), "red").save(photo, exif=exif)
    form = Form(lambda: FORM)
    found = alone(photo, form) if one else of_each({"images": [sent(photo)]})[0][0].preset
    assert (found.sampler.width, found.sampler.height) == (128, 192)
    assert found.init and images.resolve(found.init.image).size == (64, 96)


def of_history(studio_home: Path, presets: list[Preset]) -> list[str]:
    outputs = studio_home / "outputs"
    files = [
        save_image(Image.new("RGB", (64, 64 * n)), one.with_seed(n), outputs)
        for n, one in enumerate(presets, 1)
    ]
    Image.new("RGB", (64, 64)).save(outputs / "plain.png")
    take_in(history())
    return [identity(file.name) for file in (*files, outputs / "plain.png")]


@needs_starter
def test_many_of_the_history_are_made_larger_each_with_its_own_preset(studio_home: Path) -> None:
    presets = [PRESET.model_copy(update={"name": name}) for name in ("cat", "dog", "fox")]
    ids = of_history(studio_home, presets)

    def check(preset: Preset) -> None:
        if preset.sampler.height > 300:
            raise StudioError("at most 300", field="sampler.height")

    ask = {"ids": [ids[1], ids[3], *ids, "nothing"]}
    made, left_out = of_each(ask, check=check)
    assert [(one.label, one.parent) for one in made] == [("dog", ids[1]), ("cat", ids[0])]
    assert [one.preset.sampler.seed for one in made] == [2, 1]
    assert [one.preset.sampler.height for one in made] == [256, 128]
    assert [line.split(":")[0] for line in left_out] == ["plain", "fox", "nothing"]
    said = works.said_left_out([f"{n}: why" for n in range(9)])
    assert said.startswith("Left out: 0: why · ") and said.endswith("5: why · and 3 more")
    assert works.said_left_out([]) == ""
    with pytest.raises(StudioError, match="1 to 1000 pictures, got 0"):
        of_each({"ids": []})


@needs_starter
def test_what_cannot_be_made_is_refused_before_any_picture_is_kept(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = of_history(studio_home, [PRESET, PRESET])
    read: list[Path] = []
    monkeypatch.setattr(images, "store", lambda path, field: read.append(path))

    def check(preset: Preset) -> None:
        raise StudioError("none here", field="sampler.height")

    assert len(of_each({"ids": ids}, check=check).left_out) == 3
    with pytest.raises(StudioError, match="queue: 3 runs are asked for, and 2 more may wait"):
        of_each({"ids": ids}, room=2)
    with pytest.raises(StudioError, match="factor: over 1"):
        of_each({"ids": ids, "factor": 9})
    assert read == []


def test_how_far_the_reading_is_is_told(studio_home: Path) -> None:
    ask = {**ASK, "ids": ["a", "b"]}
    reading = larger.larger_of_each(ask, Library(), Form(lambda: FORM), history(), passes)
    assert list(reading) == [(0, 2), (1, 2)]
