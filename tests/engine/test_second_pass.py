"""A second pass in one run, against diffusers' two pipelines one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.engine import Engine
from studio.errors import BadPreset, OutOfMemory, StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import Preset, validate
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, theirs, theirs_again

ROWS = [{"prompt": "a cat", "weight": SCALE}]
AGAIN = {"scale": 2.0, "strength": 0.5, "steps": 6}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return folder


def preset_of(again: dict[str, Any] = AGAIN, **fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED, **fields.pop("sampler", {})}
    return validate(
        {"base": "base", "rows": ROWS, "second_pass": again, **fields, "sampler": sampler}
    )


def events_of(root: Path, preset: Preset, **asked: Any) -> list[Event]:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    return list(engine.generate(preset, **asked))


def done_of(root: Path, preset: Preset, **asked: Any) -> list[Done]:
    return [event for event in events_of(root, preset, **asked) if isinstance(event, Done)]


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_it_is_diffusers_picture_enlarged_and_made_again(root: Path) -> None:
    pipe = tiny.load(root / "base")
    expected = theirs_again(pipe.components, theirs(pipe, "a cat"))
    (done,) = done_of(root, preset_of())
    assert done.image.size == (32, 32)
    assert difference(pixels(done.image), expected) <= 2
    assert done.forwards == 2 * STEPS + 2 * 3


def test_the_picture_s_preset_makes_it_again(root: Path) -> None:
    first, second = done_of(root, preset_of(sampler={"count": 2}))
    assert (first.index, second.index) == (0, 1)
    assert second.preset.second_pass.scale == 2 and second.preset.sampler.seed == SEED + 1
    assert second.preset.sampler.width == 16 and second.preset.init is None
    (again,) = done_of(root, validate(second.preset.model_dump(mode="json")))
    assert np.array_equal(pixels(again.image), pixels(second.image))
    assert not np.array_equal(pixels(first.image), pixels(second.image))


@pytest.mark.parametrize(("scheduler", "evaluations"), [("ddim", 3 + 3), ("heun", 5 + 5)])
def test_progress_counts_both_passes_and_never_back(
    scheduler: str, evaluations: int, root: Path
) -> None:
    events = events_of(root, preset_of(sampler={"scheduler": scheduler}))
    steps = [event for event in events if isinstance(event, Progress)]
    assert {event.steps for event in steps[1:]} == {evaluations}
    assert [one.step for one in steps] == sorted(one.step for one in steps)
    assert steps[-1].step == evaluations and steps[-1].forwards == 2 * evaluations
    shown = [event.step for event in events if isinstance(event, Preview)]
    assert shown == sorted({*shown})
    assert [one.seconds for one in steps[1:]] == sorted(one.seconds for one in steps[1:])
    assert sum(isinstance(event, Done) for event in events) == 1
    sizes = [event.images[0].size for event in events if isinstance(event, Preview)]
    assert len({*sizes}) == 2


def test_the_first_picture_is_there_as_soon_as_it_is_made(root: Path) -> None:
    """For whoever stops in the second pass."""
    events = events_of(root, preset_of(sampler={"count": 2}))
    kinds = [type(event) for event in events if isinstance(event, FirstPass | Done)]
    assert kinds == [FirstPass, Done] * 2
    first = [event.done for event in events if isinstance(event, FirstPass)]
    alone = done_of(root, preset_of({}, sampler={"count": 2}))
    for index, (one, other) in enumerate(zip(first, alone, strict=True)):
        assert difference(pixels(one.image), pixels(other.image)) <= 1
        assert one.preset == other.preset and one.index == other.index == index


def test_the_stated_cost_is_the_run_s(root: Path) -> None:
    preset = preset_of(sampler={"scheduler": "heun"})
    plan = stated_plan(preset, Library((root,)))
    (done,) = done_of(root, preset)
    assert plan.forwards_total == done.forwards
    assert plan.second is not None and plan.as_dict()["second_pass"] == plan.second.as_dict()
    assert stated_plan(preset_of({}), Library((root,))).second is None


def test_rows_are_measured_along_both(root: Path) -> None:
    (done,) = done_of(root, preset_of(), explain=True)
    (share,) = done.shares
    assert len(share.norm) == len(share.cosine) == STEPS + 3 and None not in share.norm
    assert done.explanation is not None and done.explanation.steps == STEPS


def test_drift_is_measured_along_both(root: Path) -> None:
    rows = [{**ROWS[0], "model": {"lora": "base/style"}}]
    (done,) = done_of(root, preset_of(rows=rows), drift_every=1)
    (drift,) = done.drift
    assert len(drift.norm) == STEPS + 3 and None not in drift.norm


def test_each_image_has_the_text_that_its_seed_chooses(root: Path) -> None:
    rows = [{"prompt": "{a cat|a dog|fog}", "weight": SCALE}]
    made = done_of(root, preset_of(rows=rows, sampler={"count": 3}))
    for index, done in enumerate(made):
        assert done.index == index and done.preset.rows[0].prompt in ("a cat", "a dog", "fog")


def test_masks_tiles_and_latents_go_with_it(root: Path) -> None:
    Image.new("L", (16, 16), 255).save(root / "white.png")
    rows = [{**ROWS[0], "mask": "white.png"}]
    (masked,) = done_of(root, preset_of(rows=rows))
    (plain,) = done_of(root, preset_of())
    assert difference(pixels(masked.image), pixels(plain.image)) <= 1
    (latents,) = done_of(root, preset_of({**AGAIN, "enlarge": "latents"}))
    assert difference(pixels(latents.image), pixels(plain.image)) > 1
    plan = stated_plan(preset_of({**AGAIN, "tiles": True}), Library((root,)))
    assert plan.second is not None and len(plan.second.tiles) == 9 and not plan.tiles


def test_its_own_steps_are_those_that_its_strength_counts(root: Path) -> None:
    """As models of few steps need it: one step, and of five more a part."""
    again = {"scale": 2.0, "strength": 0.4, "steps": 5}
    (done,) = done_of(root, preset_of(again, sampler={"steps": 1}))
    assert done.forwards == 2 * 1 + 2 * 2


def test_masks_go_with_a_size_whose_aspect_is_rounded(root: Path) -> None:
    Image.new("L", (16, 20), 255).save(root / "tall.png")
    rows = [{**ROWS[0], "mask": "tall.png"}]
    again, sampler = {**AGAIN, "scale": 1.2}, {"width": 16, "height": 20}
    (done,) = done_of(root, preset_of(again, rows=rows, sampler=sampler))
    (plain,) = done_of(root, preset_of(again, sampler=sampler))
    assert done.image.size == (20, 24)
    assert difference(pixels(done.image), pixels(plain.image)) <= 1


def test_what_the_first_made_is_kept_where_the_second_fails(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, calls = Engine._once, []

    def failing(self: Engine, *given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise OutOfMemory("is full", field="sampler.width")
        return once(self, *given)

    monkeypatch.setattr(Engine, "_once", failing)
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    run, made = engine.generate(preset_of()), None
    with pytest.raises(OutOfMemory, match=r"^second_pass\.scale: is full · the first pass is kept"):
        for event in run:
            made = event if isinstance(event, Done) else made
    assert made is not None and made.image.size == (16, 16) and not made.preset.second_pass.on


def test_what_is_to_know_of_its_tiles_is_said(root: Path) -> None:
    library = Library((root,))
    tiles = stated_plan(preset_of({**AGAIN, "tiles": True}), library)
    assert "second_pass.tiles: 9 tiles of 16x16: every pass runs in each" in tiles.notes
    small = preset_of({**AGAIN, "scale": 1.05, "tiles": True})
    assert any(
        note.startswith("second_pass.tiles: the picture is no larger")
        for note in stated_plan(small, library).notes
    )


def test_a_size_is_rounded_to_what_the_base_makes(root: Path) -> None:
    (done,) = done_of(root, preset_of({**AGAIN, "scale": 1.3}))
    assert done.image.size == (20, 20)  # of 20.8, to a multiple of 4


@pytest.mark.parametrize(
    ("again", "fields", "said"),
    [
        ({"scale": 8.5}, {}, r"^second_pass\.scale: "),
        ({"scale": 0.5}, {}, r"^second_pass\.scale: "),
        (
            {"scale": 2.0, "strength": 0.1},
            {},
            r"^second_pass\.strength: 0\.1 of 3 steps leaves none",
        ),
        ({"scale": 2.0, "enlarge": "ears"}, {}, r"^second_pass\.enlarge: "),
        (
            AGAIN,
            {"init": {"image": "a.png", "mask": "b.png"}, "sampler": {"steps": 9}},
            r"^second_pass\.scale: would paint what the mask of the start picture keeps",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(again: dict, fields: dict, said: str) -> None:
    with pytest.raises(BadPreset, match=said):
        preset_of(again, **fields)


def test_a_second_pass_that_is_too_large_is_refused_before_the_first_runs(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    run = engine.generate(preset_of({**AGAIN, "scale": 8.0}, sampler={"width": 1024}))
    with pytest.raises(StudioError, match=r"^second_pass\.scale: 8 times 1024 is over 4096"):
        next(run)


def test_off_it_changes_nothing_and_is_not_written(root: Path) -> None:
    plain = preset_of({"scale": 1.0, "strength": 0.4})
    assert "second_pass" not in plain.to_json()
    assert done_of(root, plain)[0].image.size == (16, 16)


def test_closing_a_run_in_its_second_pass_frees_what_it_holds(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    run = engine.generate(preset_of())
    for event in run:
        if isinstance(event, Progress) and event.step > STEPS:
            break
    run.close()
    assert engine.describe() and not any(one["pinned"] for one in engine.describe())
