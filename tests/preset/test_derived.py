"""Presets that are made from a picture's own."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import BadPreset
from studio.preset import Preset, validate
from studio.preset.derived import between, from_each, larger, left_by_each, varied

MASKED = {"image": "inputs/a.png", "mask": "inputs/m.png", "strength": 0.6}


def preset(**changes: Any) -> Preset:
    row = {
        "prompt": "a cat",
        "control": {"type": "canny", "image": "inputs/c.png"},
        "mask": "inputs/r.png",
    }
    return validate({"rows": [row, {"prompt": "a dog"}], "sampler": {"seed": 5}, **changes})


def test_variations_keep_the_seed_and_count_a_new_one_beside_it() -> None:
    before = preset()
    after = varied(before, 4, 0.25)
    sampler = after.sampler
    assert (sampler.seed, sampler.count, sampler.variation_strength) == (5, 4, 0.25)
    assert sampler.variation_seed >= 0 and after.rows == before.rows
    assert varied(before, 4, 0.25).sampler.variation_seed != sampler.variation_seed
    for strength in (0.0, -1.0, 1.5):
        with pytest.raises(BadPreset, match="variation_strength"):
            varied(before, 4, strength)
    with pytest.raises(BadPreset, match="count"):
        varied(before, 0, 0.5)


def test_the_way_to_another_seed_has_both_ends() -> None:
    way = between(preset(), preset(sampler={"seed": 9, "steps": 3}), 5)
    assert [one.sampler.variation_strength for one in way] == [0, 0.25, 0.5, 0.75, 1]
    assert {(one.sampler.seed, one.sampler.variation_seed) for one in way} == {(5, 9)}
    assert {one.sampler.steps for one in way} == {25}  # all but the noise is the first's
    with pytest.raises(BadPreset, match="different seeds"):
        between(preset(), preset(), 5)
    with pytest.raises(BadPreset, match="variation"):
        between(preset(), varied(preset(sampler={"seed": 9}), 1, 0.5), 5)
    with pytest.raises(BadPreset, match="count"):
        between(preset(), preset(sampler={"seed": 9}), 1)


def test_a_larger_one_starts_from_the_picture_and_keeps_rows_and_masks() -> None:
    before = preset(init=MASKED, sampler={"seed": 5, "count": 3})
    after = larger(before, "inputs/p.png", (250, 128), 1.5, 0.35, 8)
    sampler = after.sampler
    assert (sampler.width, sampler.height, sampler.count) == (
        376,
        192,
        1,
    )  # 375 is no multiple of 8
    assert after.init is not None and after.rows == before.rows
    assert (after.init.image, after.init.mask, after.init.strength) == ("inputs/p.png", "", 0.35)
    with pytest.raises(BadPreset, match=r"init\.strength"):
        larger(before, "inputs/p.png", (250, 128), 1.5, -0.1, 8)
    with pytest.raises(BadPreset, match=r"sampler\.width"):
        larger(before, "inputs/p.png", (2048, 128), 4, 0.3, 8)
    alone = larger(before, "inputs/p.png", (250, 128), 1.5, 0.0, 8, upscaler="4x")
    assert not alone.paints and alone.upscalers() == [("init.upscaler", "4x")]


@pytest.mark.parametrize("field", ["init.image", "rows.0.control.image"])
def test_one_preset_over_many_pictures(field: str) -> None:
    before = preset(init=MASKED)
    made = from_each(before, field, ["inputs/1.png", "inputs/2.png"])
    held = [{path: ref for ref, path in one.image_references()}[field] for one in made]
    assert held == ["inputs/1.png", "inputs/2.png"]
    for one in made:
        assert one.init is not None and one.init.strength == 0.6
        assert bool(one.init.mask) == (field != "init.image")
    left = "init.mask: is of another picture, and is left out" if field == "init.image" else ""
    assert left_by_each(before, field) == left and not left_by_each(preset(), field)


def test_a_picture_to_start_from_is_begun_where_there_was_none() -> None:
    (made,) = from_each(preset(), "init.image", ["inputs/1.png"])
    assert made.init is not None and made.init.image == "inputs/1.png"


@pytest.mark.parametrize(
    "field", ["base", "rows.0.mask", "rows.x.image", "rows.0.prompt", "init.mask", "rows.7.image"]
)
def test_no_other_field_takes_many(field: str) -> None:
    with pytest.raises(BadPreset, match=field):
        from_each(preset(), field, ["inputs/1.png"])


def test_an_area_around_a_mask_goes_with_it() -> None:
    init = {"image": "assets/examples/cat.png", "mask": "assets/examples/mask-left.png"}
    preset = validate({"rows": [{"prompt": "a"}], "init": {**init, "area": "mask"}})
    (one,) = from_each(preset, "init.image", ["assets/examples/cat.png"])
    assert one.init is not None and (one.init.mask, one.init.area) == ("", "picture")
