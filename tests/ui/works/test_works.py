"""What the page asks to have made of a picture."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio import images
from studio.errors import StudioError
from studio.history import history
from studio.history.intake import take_in
from studio.history.record import identity
from studio.library import Library
from studio.preset import Preset, validate
from studio.preset.unfinished import unfinished
from studio.share import save_image
from studio.ui.form import to_preset, to_values
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.wiring.works import read_for
from studio.ui.works import fills, works
from studio.ui.works.asked import Form, Labelled
from studio.ui.works.canvas import extended, rounded
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import needs_starter

META = {"_type": "gradio.FileData"}


def made_with(preset: Preset, folder: Path, size: tuple[int, int] = (64, 64)) -> dict[str, Any]:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8))
    return {"path": str(save_image(picture, preset, folder)), "meta": META}


PRESET = validate({"rows": [{"prompt": "a cat"}], "sampler": {"seed": 5, "steps": 8, "count": 3}})


def asked(do: str, picture: Any = None, **more: Any) -> list[Labelled]:
    return presets_of({"do": do, "picture": picture, **more})


def presets_of(ask: dict[str, Any], form: Preset = PRESET) -> list[Labelled]:
    return works.presets_of(ask, Library(), Form(lambda: form), history())


@needs_starter
def test_variations_and_a_larger_one_are_made_from_what_the_picture_carries(uploads: Path) -> None:
    picture = made_with(PRESET, uploads)
    ((varied, _, parent),) = asked("vary", picture, count=4, strength=0.2)
    assert varied.sampler.count == 4 and varied.sampler.seed == 5 and parent == ""
    ((larger, _, _),) = asked("larger", picture, factor=2, strength=0.3)
    assert (larger.sampler.width, larger.sampler.height) == (128, 128)
    assert larger.init is not None and larger.rows == PRESET.rows
    kept, given = images.resolve(larger.init.image), Image.open(picture["path"]).convert("RGB")
    assert np.array_equal(np.asarray(kept), np.asarray(given))
    assert not larger.sampler.tiles and larger.init.enlarge == "pixels"
    ways = {"enlarge": "latents", "tiles": True}
    ((larger, _, _),) = asked("larger", picture, factor=2, strength=0.6, **ways)
    assert larger.sampler.tiles and larger.init is not None and larger.init.enlarge == "latents"
    with pytest.raises(StudioError, match=r"init\.enlarge"):
        asked("larger", picture, factor=2, strength=0.6, enlarge="dreams")
    with pytest.raises(StudioError, match="factor"):
        asked("larger", picture, factor=50, strength=0.3)
    with pytest.raises(StudioError, match="count"):
        asked("vary", picture, count="4", strength=0.2)


def test_what_is_made_of_an_unfinished_picture_is_not_called_so(uploads: Path) -> None:
    named = PRESET.model_copy(update={"name": "Two cats"})
    picture = made_with(unfinished(named, "step 3 of 8"), uploads)
    ((varied, _, _),) = asked("vary", picture, count=2, strength=0.2)
    assert varied.name == "Two cats"


def test_a_file_of_this_machine_is_not_taken(uploads: Path, tmp_path: Path) -> None:
    outside = made_with(PRESET, tmp_path)
    with pytest.raises(StudioError, match="picture"):
        asked("vary", outside, count=4, strength=0.2)
    with pytest.raises(StudioError, match="do"):
        asked("delete")


@needs_starter
def test_each_picture_is_named_and_the_form_is_what_is_made(uploads: Path) -> None:
    given = [{"image": f"inputs/{n}.png", "name": f"{n}.jpg"} for n in range(3)]
    made = asked("each", field="init.image", images=given)
    assert [one.label for one in made] == ["0.jpg", "1.jpg", "2.jpg"]
    assert [one.init and one.init.image for one, _, _ in made] == [one["image"] for one in given]
    assert all(one.rows == PRESET.rows for one, _, _ in made)
    softer = asked("each", field="init.image", images=given, strength=0.4)
    assert [one.init and one.init.strength for one, _, _ in softer] == [0.4] * 3


def test_each_line_of_a_text_is_made_with_its_own_settings() -> None:
    lines = ['--prompt "a dog" --steps 4 --restore_faces true', "a star"]
    made = asked("lines", lines=lines)
    assert [(one.rows[0].prompt, one.sampler.steps) for one, _, _ in made] == [
        ("a dog", 4),
        ("a star", PRESET.sampler.steps),
    ]
    assert [one.label for one in made] == ["a dog", "a star"]
    left = works.left_of_lines({"do": "lines", "lines": lines}, lambda: PRESET)
    assert left == ["line 1 · --restore_faces 'true' is not carried over"]
    with pytest.raises(StudioError, match="line 2: steps: has no value"):
        asked("lines", lines=["a star", "--steps"])
    with pytest.raises(StudioError, match="1 to 1000 lines, got 0"):
        asked("lines", lines=[])


@needs_starter
def test_masks_that_fit_no_picture_are_said_once_and_not_picture_by_picture(uploads: Path) -> None:
    def stored(size: tuple[int, int]) -> str:
        return images.store(images.png_bytes(Image.new("L", size, 255)), mask=True)

    def each(*masks: str, init: Any = None) -> list[Labelled]:
        rows = [{"prompt": "a cat", "mask": mask} for mask in masks]
        form = validate({"rows": rows, "init": init})
        given = [{"image": f"inputs/{n}.png", "name": f"{n}.jpg"} for n in range(3)]
        ask = {"do": "each", "field": "init.image", "images": given}
        assert bool(works.unsaid_loss(ask, form)) == bool(init and init["mask"])
        return presets_of(ask, form)

    square, wide = stored((64, 64)), stored((96, 64))
    assert len(each(square, square)) == 3
    with pytest.raises(StudioError) as refused:
        each(wide, square, stored((64, 96)))
    assert str(refused.value).count("a mask has the aspect of the picture") == 2
    assert "rows.0.mask: is 96x64" in str(refused.value)
    with_mask = {"image": "inputs/a.png", "mask": square}
    assert all(one.preset.init and not one.preset.init.mask for one in each(init=with_mask))
    each(init={"image": "inputs/a.png", "mask": ""})


@needs_starter
def test_what_is_made_of_a_picture_of_the_history_knows_it(
    uploads: Path, studio_home: Path
) -> None:
    """By its very bytes, wherever the page had it from."""
    own = history()
    files = [
        save_image(Image.new("RGB", (64, 64), colour), PRESET, studio_home / "outputs")
        for colour in ("red", "blue", "lime")
    ]
    take_in(own)
    ids = [identity(file.name) for file in files]
    sent = uploads / "picture.png"
    shutil.copyfile(files[1], sent)
    picture = {"path": str(sent), "meta": META}
    assert asked("vary", picture, count=2, strength=0.2)[0].parent == ids[1]
    assert asked("larger", picture, factor=2, strength=0.3)[0].parent == ids[1]
    given = [{"image": "inputs/a.png", "name": "a", "picture": picture}]
    given.append({"image": "inputs/b.png", "name": "b"})
    assert [one.parent for one in asked("each", field="init.image", images=given)] == [ids[1], ""]
    other = save_image(Image.new("RGB", (64, 64)), PRESET.with_seed(6), studio_home / "outputs")
    take_in(own)
    ends = [ids[0], identity(other.name)]
    assert {one.parent for one in asked("between", ids=ends, count=3)} == {ids[0]}


def test_a_run_s_own_parent_comes_before_what_was_loaded(studio_home: Path) -> None:
    runs = Runs(FakeEngine(), Limits())
    session = runs.session("visitor")
    session.parent = "loaded"
    for parent in (None, "made of", ""):
        asked_for = runs.submit(session, PRESET, parent=parent)
        assert asked_for.next().parent == parent
        while asked_for.active():
            runs.wait(session, session.version, 0.1)
    found = history().search(None, 10, 0).records
    assert sorted({one.parent for one in found}) == ["", "loaded", "made of"]


def test_room_around_a_picture_keeps_it_and_is_painted() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (10, 20, 3), np.uint8)
    whole, mask = extended(Image.fromarray(pixels), (3, 0, 1, 2))
    assert whole.size == mask.size == (24, 12)
    inside = np.asarray(whole)[0:10, 3:23]
    assert np.array_equal(inside, pixels)
    white = np.asarray(mask)
    assert not white[0:10, 3:23].any() and white.sum() == 255 * (24 * 12 - 20 * 10)


@pytest.mark.parametrize("sides", [(0, 0, 3, 0), (5, 1, 0, 0), (8, 8, 8, 8)])
def test_room_makes_sides_that_the_base_can_make(sides: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = rounded((64, 64), sides, 16)
    assert (left, top) == sides[:2] and right >= sides[2] and bottom >= sides[3]
    assert (64 + left + right) % 16 == 0 == (64 + top + bottom) % 16
    assert right - sides[2] < 16 and bottom - sides[3] < 16


@pytest.mark.parametrize("sides", [(0, 0, 0, 0), (-1, 0, 0, 9), (9000, 0, 0, 0)])
def test_room_that_cannot_be_is_named(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(StudioError, match="sides"):
        rounded((64, 64), sides, 16)


@needs_starter
def test_the_form_starts_from_the_picture_with_room(uploads: Path) -> None:
    picture = made_with(PRESET, uploads)
    sides = {"left": 10, "top": 0, "right": 0, "bottom": 0}
    form = fills.with_room({"picture": picture, **sides}, Library(), PRESET)
    assert form.rows == PRESET.rows and form.init is not None and form.init.strength == 1
    mask = images.resolve_mask(form.init.mask)
    assert mask.size == (form.sampler.width, form.sampler.height)
    assert images.resolve(form.init.image).size == mask.size and mask.width > 64
    again = validate({**PRESET.model_dump(mode="json"), "second_pass": {"scale": 2.0}})
    asked = {"picture": made_with(PRESET, uploads), **sides, "do": "extend"}
    assert fills.with_room(asked, Library(), again).second_pass.scale == 1
    assert "second_pass.scale" in works.unsaid_loss(asked, again)
    assert works.unsaid_loss(asked, PRESET) == ""


def test_the_start_picture_whose_place_the_room_takes_need_not_fit_the_steps() -> None:
    values = {**to_values(PRESET), "init": {"image": "inputs/a.png", "strength": 0.75}, "steps": 1}
    with pytest.raises(StudioError, match="leaves none to run"):
        to_preset(read_for({"do": "begin"}, values))
    assert to_preset(read_for({"do": "extend"}, values)).init is None


@needs_starter
def test_a_picture_is_a_start_with_its_own_preset(uploads: Path) -> None:
    start = {"image": "inputs/other.png", "mask": "inputs/mask.png", "strength": 0.4}
    made = validate({**PRESET.model_dump(mode="json"), "init": start})
    form = validate({"rows": [{"prompt": "a dog"}]})
    ask = {"do": "begin", "picture": made_with(made, uploads, (132, 64))}
    preset, said, loaded = fills.filled_with(ask, Library(), lambda: form, Limits())
    assert preset.rows == made.rows and preset.sampler.seed == 5 and loaded
    assert (preset.sampler.width, preset.sampler.height) == (128, 64)  # as the model makes them
    assert preset.init is not None and preset.init.strength == 0.4 and not preset.init.mask
    given = Image.open(ask["picture"]["path"]).convert("RGB")
    assert np.array_equal(np.asarray(images.resolve(preset.init.image)), np.asarray(given))
    assert [line.partition(":")[0] for line in said] == ["init.image", "init.mask"]
    twice = validate({**PRESET.model_dump(mode="json"), "second_pass": {"scale": 2.0}})
    again = {"do": "begin", "picture": made_with(twice, uploads)}
    preset, said, _ = fills.filled_with(again, Library(), lambda: form, Limits())
    assert preset.second_pass.scale == 1 and [line[:12] for line in said] == ["second_pass."]
    with pytest.raises(StudioError, match=r"^do: "):
        fills.filled_with({**ask, "do": "paint"}, Library(), lambda: form, Limits())
    with pytest.raises(StudioError, match="width"):
        fills.filled_with(ask, Library(), lambda: form, Limits(edge=64))


@needs_starter
def test_another_model_finishes_what_the_form_holds() -> None:
    ask = {"do": "finish", "model": "starter-1", "at": 0.7}
    preset, said, loaded = fills.filled_with(ask, Library(), lambda: PRESET, Limits())
    assert (preset.refiner.model, preset.refiner.at, preset.rows) == ("starter-1", 0.7, PRESET.rows)
    assert not said and not loaded
    for changes, field in (
        ({"at": "half"}, "refiner.at"),
        ({"at": 2}, "refiner.at"),
        ({"model": "starter"}, "refiner.model"),
        ({"model": "nothing"}, "refiner.model"),
    ):
        with pytest.raises(StudioError) as refused:
            fills.filled_with({**ask, **changes}, Library(), lambda: PRESET, Limits())
        assert refused.value.field == field


@pytest.mark.parametrize("make", ["room", "larger", "vary"])
def test_a_picture_that_cannot_be_read_is_refused_by_its_file(make: str, uploads: Path) -> None:
    (uploads / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    picture = {"path": str(uploads / "torn.png"), "meta": META}
    sides = {"left": 8, "top": 8, "right": 8, "bottom": 8}
    with pytest.raises(StudioError, match=r"^torn\.png: "):
        if make == "room":
            fills.with_room({"picture": picture, **sides}, Library(), PRESET)
        else:
            asked(make, picture, factor=2, strength=0.3, count=2)
