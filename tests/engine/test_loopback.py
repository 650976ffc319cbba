"""A start picture that goes through several times, against a plain loop of diffusers' pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from PIL import Image

from studio.engine import Engine
from studio.errors import BadPreset, StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress, kept_of
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import MAX_SEED, Preset, validate
from studio.preset.derived import round_of
from studio.preset.finders import FINDERS
from studio.preset.preprocessors import PREPROCESSORS, Preprocessor
from tests.support import tiny
from tests.support.boxed_parts import FOUND
from tests.support.tiny_pictures import SCALE, SEED, difference

STEPS = 6
ROWS = [{"prompt": "a cat", "weight": SCALE}]
START = {"image": "start.png", "strength": 0.5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    drawn = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(drawn).save(folder / "start.png")
    Image.fromarray(np.repeat(drawn, 2, axis=1)).save(folder / "wide.png")
    mask = np.zeros((16, 16), np.uint8)
    mask[:, 6:] = 255  # whole positions of latents
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(np.repeat(mask, 2, axis=1)).save(folder / "wide-mask.png")
    return folder


def preset_of(loops: int, start: dict[str, Any] = START, **fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED, **fields.pop("sampler", {})}
    init = {**start, "loops": loops}
    return validate({"base": "base", "rows": ROWS, "init": init, **fields, "sampler": sampler})


def events_of(root: Path, preset: Preset) -> list[Event]:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    return list(engine.generate(preset))


def done_of(root: Path, preset: Preset) -> Done:
    (done,) = (one for one in events_of(root, preset) if isinstance(one, Done))
    return done


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def looped(root: Path, kind: Any, loops: int, **more: Any) -> Image.Image:
    """What a plain loop over a pipeline of diffusers makes, the seed counting on."""
    pipe = kind(**tiny.load(root / "base").components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    image = Image.open(root / "start.png")
    for number in range(loops):
        image = pipe(
            "a cat",
            image=image,
            strength=0.5,
            num_inference_steps=STEPS,
            guidance_scale=SCALE,
            generator=torch.Generator().manual_seed(SEED + number),
            **more,
        ).images[0]
    return image


@pytest.mark.parametrize("loops", [2, 4])
def test_it_is_a_loop_of_diffusers_pipeline(root: Path, loops: int) -> None:
    expected = looped(root, StableDiffusionImg2ImgPipeline, loops)
    done = done_of(root, preset_of(loops))
    # what rounds to another of 256 values in one round may grow in the next
    assert difference(pixels(done.image), pixels(expected)) <= 2 * loops
    once = done_of(root, preset_of(1))
    assert difference(pixels(done.image), pixels(once.image)) > 5
    assert done.forwards == 2 * 3 * loops and done.seed == SEED


def test_the_mask_stays(root: Path) -> None:
    mask = Image.open(root / "mask.png")
    expected = looped(root, StableDiffusionInpaintPipeline, 3, mask_image=mask, width=16, height=16)
    masked = {**START, "mask": "mask.png", "keep_pixels": False}
    found = done_of(root, preset_of(3, masked))
    assert difference(pixels(found.image), pixels(expected)) <= 6
    kept = pixels(done_of(root, preset_of(3, {**START, "mask": "mask.png"})).image)
    assert np.array_equal(kept[:, :6], pixels(Image.open(root / "start.png"))[:, :6])


def test_each_round_is_the_preset_of_the_one_before_with_the_next_seed(root: Path) -> None:
    """Also of a start of another aspect, whose mask is cut as it is."""
    wide = {**START, "image": "wide.png", "mask": "wide-mask.png", "feather": 0}
    first = done_of(root, preset_of(1, wide))
    first.image.save(root / "between.png")
    cut = Image.open(root / "wide-mask.png").crop((8, 0, 24, 16))
    cut.save(root / "cut.png")
    again = {**wide, "image": "between.png", "mask": "cut.png"}
    second = done_of(root, preset_of(1, again, sampler={"seed": SEED + 1}))
    both = done_of(root, preset_of(2, wide))
    assert np.array_equal(pixels(both.image), pixels(second.image))


@pytest.mark.parametrize("under", ["surroundings", "noise", "nothing"])
def test_under_the_mask_stays_what_was_made(root: Path, under: str) -> None:
    masked = {**START, "mask": "mask.png", "under_mask": under}
    first = done_of(root, preset_of(1, masked))
    first.image.save(root / "between.png")
    again = {**masked, "image": "between.png", "under_mask": "picture"}
    second = done_of(root, preset_of(1, again, sampler={"seed": SEED + 1}))
    both = done_of(root, preset_of(2, masked))
    assert np.array_equal(pixels(both.image), pixels(second.image))


def test_around_a_mask_alone(root: Path) -> None:
    framed = {**START, "image": "wide.png", "mask": "wide-mask.png", "area": "mask", "padding": 0}
    done = done_of(root, preset_of(2, framed))
    whole = pixels(Image.open(root / "wide.png"))
    assert done.image.size == (32, 16)
    assert np.array_equal(pixels(done.image)[:, :12], whole[:, :12])
    assert difference(pixels(done.image), pixels(done_of(root, preset_of(1, framed)).image)) > 5


def test_the_picture_s_preset_makes_it_again_and_so_does_each_round_s(root: Path) -> None:
    events = events_of(root, preset_of(3, sampler={"count": 2}))
    rounds = [one.done for one in events if isinstance(one, FirstPass)]
    ends = [one for one in events if isinstance(one, Done)]
    assert [one.preset.init.loops for one in rounds if one.preset.init] == [1, 2, 1, 2]
    assert [one.index for one in rounds] == [0, 0, 1, 1] and [one.index for one in ends] == [0, 1]
    assert [one.preset.sampler.seed for one in ends] == [SEED, SEED + 1]
    for one in (*rounds, *ends):
        again = done_of(root, validate(one.preset.model_dump(mode="json")))
        assert np.array_equal(pixels(again.image), pixels(one.image))
        assert one.preset.init is not None and one.preset.init.image == "start.png"


@pytest.mark.parametrize(("scheduler", "each"), [("ddim", 3), ("heun", 5)])
def test_progress_counts_all_rounds_and_never_back(scheduler: str, each: int, root: Path) -> None:
    events = events_of(root, preset_of(3, sampler={"scheduler": scheduler}))
    steps = [one for one in events if isinstance(one, Progress)]
    assert {one.steps for one in steps} == {3 * each}
    assert [one.step for one in steps] == sorted(one.step for one in steps)
    assert list(dict.fromkeys(one.round for one in steps)) == [(1, 3), (2, 3), (3, 3)]
    assert steps[-1].step == 3 * each and steps[-1].forwards == 2 * 3 * each
    assert [one.seconds for one in steps] == sorted(one.seconds for one in steps)
    shown = [one.step for one in events if isinstance(one, Preview)]
    assert shown == list(range(1, 3 * each + 1))
    plan = stated_plan(preset_of(3, sampler={"scheduler": scheduler}), Library((root,)))
    assert plan.forwards_total == steps[-1].forwards and plan.as_dict()["rounds"] == 3


def test_rows_are_measured_along_all(root: Path) -> None:
    (share,) = done_of(root, preset_of(3)).shares
    assert len(share.norm) == 9 and None not in share.norm


def test_a_control_s_map_is_drawn_once_for_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []

    def turned(picture: Image.Image) -> Image.Image:
        drawn.append(picture.size)
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    monkeypatch.setitem(PREPROCESSORS._entries, "turned", Preprocessor("Turned", "", run=turned))
    control = {"type": "turned", "image": "start.png", "model": "base/guide"}
    rows = [{**ROWS[0], "control": control}]
    done = done_of(root, preset_of(3).model_copy(update={"rows": validate({"rows": rows}).rows}))
    assert drawn == [(16, 16)]
    assert difference(pixels(done.image), pixels(done_of(root, preset_of(3)).image)) > 2


def test_a_second_pass_and_parts_come_after_the_last(root: Path) -> None:
    again = {"scale": 2.0, "strength": 0.5}
    looped = done_of(root, preset_of(2))
    looped.image.save(root / "between.png")
    both = preset_of(2, second_pass=again)
    events = events_of(root, both)
    kept = [one.done.preset for one in events if isinstance(one, FirstPass)]
    assert [(one.init.loops, one.second_pass.on) for one in kept if one.init] == [
        (1, False),
        (2, False),
    ]
    (done,) = (one for one in events if isinstance(one, Done))
    larger = {"image": "between.png", "strength": 0.5}
    alone = preset_of(1, larger, sampler={"width": 32, "height": 32})
    assert np.array_equal(pixels(done.image), pixels(done_of(root, alone).image))
    assert done.preset.init is not None and done.preset.init.loops == 2
    assert done.preset.second_pass.on and done.forwards == 2 * (3 + 3 + 3)
    steps = [one for one in events if isinstance(one, Progress)]
    assert {one.steps for one in steps[1:]} == {9} and steps[-1].step == 9
    assert stated_plan(both, Library((root,))).forwards_total == done.forwards


@pytest.mark.parametrize("more", [{}, {"second_pass": {"scale": 2.0}}])
def test_what_is_made_is_kept_where_a_round_fails(
    root: Path, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.engine import engine as module

    made, decode = [], module.decode

    def short(*given: Any) -> Any:
        made.append(given)
        if len(made) == 3:
            raise StudioError("no memory", field="sampler.width")
        return decode(*given)

    monkeypatch.setattr(module, "decode", short)
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    found: list[Event] = []
    with pytest.raises(StudioError, match=r"no memory · the picture is kept as far as it is"):
        found.extend(iter_into(found, engine.generate(preset_of(4, **more))))
    (done,) = (one for one in found if isinstance(one, Done))
    assert done.preset.init is not None and done.preset.init.loops == 2
    assert done.preset.once is False and not done.preset.second_pass.on


def iter_into(found: list[Event], events: Any) -> list[Event]:
    for event in events:
        found.append(event)
    return []


def test_after_a_round_it_can_be_cancelled(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    events = engine.generate(preset_of(3))
    kept = next(one for one in events if isinstance(one, FirstPass))
    next(one for one in events if isinstance(one, Preview))  # of the next
    held = [part["pinned"] for part in engine.describe()]
    events.close()
    assert any(held) and not any(part["pinned"] for part in engine.describe())
    assert kept.done.preset.init is not None and kept.done.preset.init.loops == 1
    assert kept_of(preset_of(3)) == "the picture is kept as far as it is"


def test_the_seed_s_end_is_followed_by_its_beginning(root: Path) -> None:
    first = done_of(root, preset_of(1, sampler={"seed": MAX_SEED}))
    first.image.save(root / "between.png")
    second = done_of(root, preset_of(1, {**START, "image": "between.png"}, sampler={"seed": 0}))
    both = done_of(root, preset_of(2, sampler={"seed": MAX_SEED}))
    assert both.seed == MAX_SEED and np.array_equal(pixels(both.image), pixels(second.image))
    assert round_of(preset_of(3, sampler={"seed": MAX_SEED - 1}), 2, "-").sampler.seed == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [({"loops": 0}, "loops"), ({"loops": 33}, "loops"), ({"loops": 2, "strength": 0}, "loops")],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(BadPreset, match=rf"^init\.{field}: "):
        validate({"init": {"image": "a.png", **given}})


def test_parts_are_made_again_after_the_last(root: Path) -> None:
    for name, finder in FOUND.items():
        FINDERS.register(name, finder)
    try:
        detail = {"finder": "boxes", "strength": 0.5, "words": "face"}
        events = events_of(root, preset_of(2, detail=detail))
    finally:
        for name in FOUND:
            FINDERS.remove(name)
    kept = [one.done for one in events if isinstance(one, FirstPass)]
    assert [(one.preset.init.loops, one.preset.detail.most) for one in kept if one.preset.init] == [
        (1, 4),
        (2, 4),
        (2, 1),
        (2, 2),
    ]
    assert np.array_equal(pixels(kept[1].image), pixels(done_of(root, preset_of(2)).image))
    (done,) = (one for one in events if isinstance(one, Done))
    assert np.array_equal(pixels(done.image), pixels(kept[-1].image))
    steps = [one for one in events if isinstance(one, Progress)]
    assert [one.step for one in steps] == sorted(one.step for one in steps)
    assert steps[-1].step == steps[-1].steps and steps[-1].round is None
