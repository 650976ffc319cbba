"""Parts of a finished picture made again, against diffusers' two pipelines one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionInpaintPipeline
from PIL import Image

from studio.engine import Engine
from studio.errors import BadPreset, StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.plan.tiles import part_size
from studio.preset import Detail, Preset, derived, validate
from studio.preset.finders import FINDERS
from tests.support import tiny
from tests.support.boxed_parts import AGAIN, BOXES, FOUND, ROWS, SIZE, boxes, preset_of
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, theirs


@pytest.fixture(autouse=True)
def finders() -> Iterator[None]:
    for name, finder in FOUND.items():
        FINDERS.register(name, finder)
    yield
    for name in FOUND:
        FINDERS.remove(name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return folder


def engine_of(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)


def events_of(root: Path, preset: Preset, **asked: Any) -> list[Event]:
    return list(engine_of(root).generate(preset, **asked))


def done_of(root: Path, preset: Preset) -> Done:
    (done,) = (event for event in events_of(root, preset) if isinstance(event, Done))
    return done


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def by_hand(root: Path, start: Image.Image, count: int, **fields: Any) -> Image.Image:
    """The parts one after the other as pictures painted around a mask, the larger first."""
    image, whole = start, preset_of({"finder": "off"}, **fields)
    for mask in reversed(boxes(image, Detail())[-count:]):
        image.save(root / "start.png")
        mask.save(root / "mask.png")
        init = {"image": "start.png", "mask": "mask.png", "area": "mask"}
        init |= {"strength": 0.7, "padding": 2, "feather": derived.FEATHER}
        asked = validate({**whole.model_dump(exclude_defaults=True), "init": init})
        image = done_of(root, asked).image
    return image


def test_it_is_diffusers_picture_with_a_part_painted_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "FEATHER", 0)
    pipe = tiny.load(root / "base")
    first = Image.fromarray(theirs(pipe, "a cat", SIZE).astype(np.uint8))
    again = StableDiffusionInpaintPipeline(**pipe.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    expected = again(
        "a cat",
        image=first,
        mask_image=boxes(first, Detail())[1],
        padding_mask_crop=2,
        width=SIZE,
        height=SIZE,
        strength=0.7,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=torch.Generator().manual_seed(SEED),
    ).images[0]
    found = pixels(done_of(root, preset_of({**AGAIN, "most": 1})).image)
    assert difference(found, pixels(expected)) <= 2
    assert difference(found, pixels(first)) > 2


def test_each_part_is_a_picture_painted_around_its_mask_the_larger_first(root: Path) -> None:
    plain = done_of(root, preset_of({"finder": "off"}))
    done = done_of(root, preset_of())
    assert np.array_equal(pixels(done.image), pixels(by_hand(root, plain.image, 2)))
    assert done.preset == preset_of()
    assert done.shares == plain.shares
    again = done_of(root, preset_of({**AGAIN, "most": 1}))
    assert done.forwards - plain.forwards == 2 * (again.forwards - plain.forwards) > 0


def test_a_second_pass_comes_before_it(root: Path) -> None:
    twice = {"second_pass": {"scale": 2.0, "strength": 0.7}}
    large = done_of(root, preset_of({"finder": "off"}, **twice)).image
    found = done_of(root, preset_of(**twice))
    assert found.image.size == (2 * SIZE, 2 * SIZE)
    assert np.array_equal(pixels(found.image), pixels(by_hand(root, large, 2)))
    assert found.preset == preset_of(**twice)


def test_rows_are_confined_as_in_the_whole_picture(root: Path) -> None:
    half = Image.new("L", (SIZE, SIZE))
    half.paste(255, (0, 0, SIZE // 2, SIZE))
    half.save(root / "half.png")
    rows = {"rows": [*ROWS, {"prompt": "a dog", "weight": 3.0, "mask": "half.png"}]}
    plain = done_of(root, preset_of({"finder": "off"}, **rows)).image
    found = done_of(root, preset_of(**rows)).image
    assert np.array_equal(pixels(found), pixels(by_hand(root, plain, 2, **rows)))


def test_its_prompt_takes_the_place_of_the_first_row_that_pulls(root: Path) -> None:
    rows = [{"prompt": "a dog", "weight": -2.0}, *ROWS]
    other = [{"prompt": "a dog", "weight": -2.0}, {"prompt": "two dogs", "weight": SCALE}]
    more = {"weight": 1.5, "reference": "perturbed"}  # of the same prompt, and so of the same part
    rows, other = [*rows, {**ROWS[0], **more}], [*other, {"prompt": "two dogs", **more}]
    plain = done_of(root, preset_of({"finder": "off"}, rows=rows)).image
    found = done_of(root, preset_of({**AGAIN, "prompt": "two dogs"}, rows=rows))
    expected = by_hand(root, plain, 2, rows=other)
    assert np.array_equal(pixels(found.image), pixels(expected))
    assert [row.prompt for row in found.preset.rows] == ["a dog", "a cat", "a cat"]
    with pytest.raises(BadPreset, match="no row pulls") as caught:
        done_of(root, preset_of({**AGAIN, "prompt": "a dog"}, rows=rows[:1]))
    assert caught.value.field == "detail.prompt"


def test_its_prompt_is_chosen_by_the_seed_as_those_of_rows_are(root: Path) -> None:
    asked = preset_of({**AGAIN, "prompt": "{two dogs|a cat}"}, sampler={"count": 2})
    for done in (e for e in events_of(root, asked) if isinstance(e, Done)):
        assert done.preset.detail.prompt in ("two dogs", "a cat")
        assert np.array_equal(pixels(done_of(root, done.preset).image), pixels(done.image))


def test_a_picture_of_which_no_step_runs_is_only_mended(root: Path) -> None:
    start = Image.fromarray(np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8))
    start.save(root / "own.png")
    found = done_of(root, preset_of(init={"image": "own.png", "strength": 0.0})).image
    assert np.array_equal(pixels(found), pixels(by_hand(root, start, 2)))
    outside = np.asarray(boxes(start, Detail())[0]) + np.asarray(boxes(start, Detail())[1]) == 0
    assert np.array_equal(pixels(found)[outside], pixels(start)[outside])


def test_one_run_counts_all_passes(root: Path) -> None:
    events = events_of(root, preset_of())
    steps = [event for event in events if isinstance(event, Progress)]
    assert [one.step for one in steps] == sorted(one.step for one in steps)
    # Three of the picture, and of each part the two that 0.7 of three leaves; one is expected.
    assert (steps[-1].step, steps[-1].steps) == (7, 7)
    begun = [one for one in steps if one.step]
    assert [one.steps for one in begun] == sorted(one.steps for one in begun)
    assert {one.steps for one in begun} == {5, 7}
    assert [one.steps for one in steps if one.stage == "finding"] == [5]
    assert all(one.seconds_left > 0 for one in begun if one.step < 6 and one.stage == "denoising")
    parts = events[next(i for i, e in enumerate(events) if isinstance(e, FirstPass)) :]
    assert all(one.steps == 7 for one in parts[2:] if isinstance(one, Progress))
    shown = [event.step for event in events if isinstance(event, Preview)]
    assert shown == [1, 2, 3, 4, 5, 6, 7]
    assert steps[-1].forwards == events[-1].forwards


def test_what_is_made_before_each_part_is_a_picture_of_its_own_preset(root: Path) -> None:
    firsts = [event.done for event in events_of(root, preset_of()) if isinstance(event, FirstPass)]
    assert [one.preset.detail.on for one in firsts] == [False, True, True]
    for one in firsts[:2]:
        assert np.array_equal(pixels(done_of(root, one.preset).image), pixels(one.image))


def test_a_part_that_would_be_made_smaller_stays_and_is_said(root: Path) -> None:
    """After a second pass the larger box is more than what the first pass makes."""
    again = {**AGAIN, "padding": 0}
    twice = {"second_pass": {"scale": 4.0, "strength": 0.0}}
    done = done_of(root, preset_of(again, **twice))
    plain = done_of(root, preset_of({"finder": "off"}, **twice))
    assert any("larger than it would be made again" in note for note in done.notes)
    changed = (pixels(done.image) != pixels(plain.image)).any(2)
    small, large = ([4 * side for side in box] for box in BOXES)
    assert not changed[large[1] : large[3], large[0] : large[2]].any()
    assert changed[small[1] : small[3], small[0] : small[2]].any()
    firsts = [
        event.done
        for event in events_of(root, preset_of(again, **twice))
        if isinstance(event, FirstPass)
    ]
    assert firsts[-1].preset.detail.most == 2  # as the larger one counts too


def test_in_tiles_a_part_is_made_as_large_as_one(root: Path) -> None:
    tiled = {"sampler": {"tiles": True, "width": 64, "height": 64}}
    plan = stated_plan(preset_of(**tiled), Library((root,)))
    assert len(plan.tiles) > 1 and plan.detail is not None and not plan.detail.tiles
    assert part_size(preset_of(**tiled), Library((root,))["base"]) < (64, 64)
    done_of(root, preset_of(**tiled))


def test_what_is_to_be_known_of_the_parts_is_noted_under_their_field(root: Path) -> None:
    rows = [*ROWS, {"prompt": "a dog", "weight": 2.0, "range": [0.0, 0.2]}]
    plan = stated_plan(preset_of(rows=rows), Library((root,)))
    assert any(note.startswith("rows.1") and "no step" in note for note in plan.notes)
    odd = preset_of({**AGAIN, "prompt": "a cat <lora:ink:0.5>"})
    notes = stated_plan(odd, Library((root,))).notes
    assert any(note.startswith("detail.prompt: ") for note in notes)
    only = preset_of(init={"image": "own.png", "strength": 0.0}, sampler={"count": 3})
    assert not any("same picture" in note for note in stated_plan(only, Library((root,))).notes)


def test_edges_that_meet_and_parts_exclude_each_other() -> None:
    with pytest.raises(BadPreset, match="detail pass, cannot meet") as caught:
        preset_of(seamless="both")
    assert caught.value.field == "seamless"


def test_where_nothing_is_found_the_picture_says_so(root: Path) -> None:
    done = done_of(root, preset_of({**AGAIN, "finder": "nothing"}))
    assert np.array_equal(
        pixels(done.image), pixels(done_of(root, preset_of({"finder": "off"})).image)
    )
    assert any("nothing was found" in note for note in done.notes)


def test_a_finder_that_fails_leaves_the_picture(root: Path) -> None:
    made: list[Event] = []
    with pytest.raises(StudioError, match="has no eyes · the picture is kept") as caught:
        made.extend(_until_it_fails(root, preset_of({**AGAIN, "finder": "broken"}), made))
    assert caught.value.field == "detail.finder"
    (done,) = (event for event in made if isinstance(event, Done))
    assert not done.preset.detail.on


def test_a_finder_without_its_weights_is_said_before_a_step_runs(root: Path) -> None:
    made: list[Event] = []
    with pytest.raises(StudioError, match="has no weights"):
        made.extend(_until_it_fails(root, preset_of({**AGAIN, "finder": "blind"}), made))
    assert not [event for event in made if isinstance(event, Preview)]


def test_the_plan_states_what_each_part_takes(root: Path) -> None:
    library = Library((root,))
    plan = stated_plan(preset_of(), library)
    plain = stated_plan(preset_of({"finder": "off"}), library)
    assert plan.forwards_total == plain.forwards_total
    assert plan.detail is not None and plain.detail is None
    done = done_of(root, preset_of())
    assert done.forwards == plan.forwards_total + 2 * plan.detail.forwards_total
    words = stated_plan(preset_of({"finder": "words", "words": "face"}), library)
    assert any(note.startswith("detail.finder: needs the weights") for note in words.notes)


def _until_it_fails(root: Path, preset: Preset, made: list[Event]) -> list[Event]:
    for event in engine_of(root).generate(preset):
        made.append(event)
    return []


def test_its_words_are_divided_by_the_commas_of_every_keyboard() -> None:
    assert preset_of({"finder": "words", "words": "عين، hand, hat"}).detail.phrases() == [
        "عين",
        "hand",
        "hat",
    ]
