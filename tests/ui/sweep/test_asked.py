"""What the page asks to sweep: one line at each field, the cost, and what is refused with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.experiments import sweep_cost
from studio.experiments.sweeping import stem_of
from studio.preset import Preset, validate
from studio.preset.fields import with_fields
from studio.preset.sweep import Axis, parse_axis
from studio.ui.describe import plan_of
from studio.ui.idle import IDLE_REASONS
from studio.ui.space import SPACE, Limits
from studio.ui.sweep.asked import here, in_words, lines_of, look, read_axis, three
from studio.ui.sweep.idle import idle_axes
from studio.ui.sweep.tab import swept

PRESET = validate({"rows": [{"prompt": "a", "weight": 3.0}], "sampler": {"steps": 4, "count": 2}})


def _axes(*given: tuple[str, str]) -> list[dict[str, str]]:
    return [{"field": name, "values": values} for name, values in given]


def _fault(*given: tuple[str, str], limits: Limits | None = None) -> dict[int, str]:
    found = look(PRESET, _axes(*given), limits or Limits(), lambda: None)
    assert found.cost is None and not found.refused
    return found.faults


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("omega", "0:2:0.5", "must be at most 1, got 1.5"),
        ("omega", "0:1:", "must be a number, got '0:1:'"),
        (
            "omega",
            "1:0:0.1",
            "from 1 to 0 by 0.1 is no row of values; the step leads from the first to the last",
        ),
        ("omega", "[0, ", "'[0,' is not a JSON list"),
        ("omega", " ", "expected values, such as 0, 0.5, 1 or 0:1:0.25"),
        ("sampler.scheduler", " ", "expected values, such as dpm++, ddim"),
        ("rows.0.enabled", "", "expected values, such as false, true"),
        ("cfgpp", "", "expected values, such as false, true"),
        ("init.keep_pixels", "", "expected values, such as false, true"),
        ("init.area", "", "expected values, such as picture, mask"),
        ("rows.0.prompt", "", "expected values, one a line"),
        ("base", "", "expected values, one a line"),
        ("prompts", "", "expected values, one a line"),
        ("prompts", r'["\"red, a\""]', "no prompt of the rows holds 'red, a'; one text a line"),
        ("prompts", '["bird", "b"]', "no prompt of the rows holds 'bird'"),
        (
            *("prompts", '["bird", "a"]'),
            "no prompt of the rows holds 'bird'; they hold 'a': Undo brings back what is searched",
        ),
        ("omega", "0," * 20_000, "characters; at most 20000"),
        ("", "1", "choose a field"),
        ("rows.1.weight", "1", "there is no '1'; rows has 1 entries"),
        ("rows.0.control.strength", "1", "row 1, control, type: is missing from"),
        ("sampler.steps", "4,2.5", "must be a whole number, got 2.5"),
        ("sampler.steps", "2, 4, 2", "2 is there twice, for the same picture"),
        ("rows.0.weight", "2, 2.0", "2.0 is there twice"),
        ("rows.0.prompt", '["a cat", "a dog", "a cat"]', "'a cat' is there twice"),
        ("sampler.seed", "-1, 7, -1, 7", "7 is there twice"),
    ],
)
def test_a_mistake_is_one_line_at_its_axis(field: str, values: str, said: str) -> None:
    faults = _fault(("decoupling", "0, 1"), (field, values))
    assert list(faults) == [1] and said in faults[1] and "\n" not in faults[1]


def test_two_equal_axes_and_limits_of_the_page() -> None:
    assert _fault(("omega", "0,1"), ("omega", "0:1:1")) == {1: "an axis each for different fields"}
    steps = _fault(("sampler.steps", "40,60"), limits=SPACE)
    assert steps == {0: "at most 50 on this page, got 60"}
    for given in (None, [], _axes(("a", "1")) * 4):
        with pytest.raises(StudioError, match="sweep: 1 to 3 fields to vary"):
            lines_of(given)


def test_the_cost_is_the_sum_of_the_plans() -> None:
    given = (("sampler.steps", "2, 4"), ("rows.0.weight", "1, 3, 5"))  # at weight 1 one pass a step
    found = look(PRESET, _axes(*given), Limits(), lambda: 0.5)
    one = [("sampler.count", 1)]
    expected = sum(
        plan_of(
            with_fields(PRESET, [*one, ("sampler.steps", s), ("rows.0.weight", w)])
        ).forwards_total
        for s in (2, 4)
        for w in (1, 3, 5)
    )
    assert found.cost is not None and found.cost.exact
    assert (found.cost.pictures, found.cost.passes) == (6, expected) == (6, 2 + 4 + 4 + 4 + 8 + 8)
    assert in_words(found, 0) == "6 pictures (2 × 3) · 30 passes · about 15 s"
    assert in_words(found, 2) == "6 pictures (2 × 3) · 30 passes · about 10 s · 2 are here already"
    assert in_words(found, 6) == "6 pictures (2 × 3) · 30 passes · all are here already"
    unknown = look(PRESET, _axes(("rows.0.weight", "0.5")), Limits(), lambda: None)
    assert in_words(unknown, 0) == "1 picture · 8 passes · the first picture will tell how long"


def test_of_many_cells_the_cost_is_about_right() -> None:
    given = _axes(("omega", "0:1:0.01"), ("sampler.steps", "2,4,6"))
    found = look(PRESET, given, Limits(), lambda: None).cost
    assert found is not None and not found.exact and found.pictures == 303
    assert found.passes == pytest.approx(303 * 4 * 2, rel=0.1)


@pytest.mark.parametrize(
    "given", [(("omega", "0:1:0.0001"),), (("omega", "0:1:0.01"), ("decoupling", "0:1:0.01"))]
)
def test_ten_thousand_cells_are_refused_with_an_estimate(
    given: tuple[tuple[str, str], ...],
) -> None:
    found = look(PRESET, _axes(*given), Limits(), lambda: 0.36)
    assert found.cost is None and not found.faults
    count = 10_001 if len(given) == 1 else 10_201
    assert found.refused.startswith(f"{count} images, {count * 8} passes of the networks, about 8")
    assert found.refused.endswith(
        "hours at the pace of the last pictures; a sweep makes at most 2000 images"
    )
    shared = look(PRESET, _axes(("omega", "0:1:0.01")), SPACE, lambda: None)
    assert "at most 25 images" in shared.refused
    soon = look(PRESET, _axes(("omega", "0:1:0.01")), SPACE, lambda: 0.36)
    assert ", about 5 min at the pace" in soon.refused


@pytest.mark.parametrize(
    "values", ["0:5", " 0.5 : 1 ", "−1:٢", "5:0", "0:0.5", "0,5:1", "+1:2", "1:100", "3:3", ".5:2"]
)
def test_of_a_range_without_its_step_it_is_said_how_one_is_written(values: str) -> None:
    for field in ("sampler.steps", "omega", "rows.0.weight"):
        with pytest.raises(StudioError, match="a range has a step as well, such as ") as caught:
            read_axis(field, values)
        example = str(caught.value).rpartition(" ")[2]
        assert len(read_axis(field, example).values) > 1  # it can be typed as it stands
    assert read_axis("rows.0.prompt", "16:9").values == ("16:9",)
    assert read_axis("omega", "..:.").values == ("..:.",)  # no numbers: the field refuses it


def test_a_switch_of_a_mask_that_is_not_there_changes_nothing() -> None:
    preset = validate({"rows": [{"prompt": "a"}], "init": {"image": "x.png"}})
    for field, values in (("soft_inpainting", (False, True)), ("feather", (1, 2))):
        found = idle_axes(preset, [Axis(f"init.{field}", values)])
        assert len(found) == 1 and "has no mask" in found[0]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "1 min"),
        (3599, "60 min"),
        (3660, "1 hour"),
        (5400, "1.5 hours"),
        (36_000, "10 hours"),
        (86_400 * 1.99, "48 hours"),
        (86_400 * 51.4, "51 days"),
    ],
)
def test_a_time_is_a_number_and_its_unit(seconds: float, words: str) -> None:
    assert sweep_cost._time(seconds) == words


def test_what_is_here_from_before_is_counted(tmp_path: Path) -> None:
    axes = [parse_axis("omega=0,0.5,1", "")]
    stem = stem_of(PRESET, three(axes), [])
    for name in (f"{stem}-x00-y00-z00-seed7.png", f"{stem}.png", "sweep-0-x00-y00-z00-seed7.png"):
        (tmp_path / name).touch()
    assert here(PRESET, axes, tmp_path) == 1
    assert here(Preset(), axes, tmp_path) == 0


@pytest.mark.parametrize(
    ("field", "values", "meant"),
    [
        ("sampler.scheduler", "DDIM, DPM-Solver++ 2M, euler", ("ddim", "dpm++", "euler")),
        (
            "sampler.scheduler",
            "Euler a, dpm++ 2m, dpmpp_2m_sde",
            ("euler_a", "dpm++", "dpm++_2m_sde"),
        ),
        ("sampler.effort", "Exact, FAST", ("exact", "fast")),
        ("rows.0.enabled", "on, Off", (True, False)),
        ("cfgpp", "yes, false", (True, False)),
        ("rows.0.prompt", "on, yes", ("on", "yes")),
    ],
)
def test_values_may_be_called_as_the_page_calls_them(
    field: str, values: str, meant: tuple[object, ...]
) -> None:
    assert read_axis(field, values).values == meant


@pytest.mark.parametrize(
    ("field", "values", "meant"),
    [
        ("sampler.seed", "1-4", (1, 2, 3, 4)),
        ("sampler.steps", "10-30 (+10), 50", (10, 20, 30, 50)),
        ("sampler.steps", "10-20 [3]", (10, 15, 20)),
        ("rows.0.weight", "5-6 (+0.5)", (5, 5.5, 6)),
        ("rows.0.weight", "-2--1 (0.5)", (-2, -1.5, -1)),
        ("rows.0.weight", "−2, 3−1", (-2, 3, 2, 1)),
        ("omega", "0-1 [5]", (0, 0.25, 0.5, 0.75, 1)),
        ("sampler.steps", "1-10 [3]", (1, 5, 10)),
        (
            "sampler.seed",
            "12345678901-12345678911 [3]",
            (12345678901, 12345678906, 12345678911),
        ),
        ("omega", "0-1 [1]", (0,)),
        ("prompts", '["cat, dog, red fox"]', ("cat", "dog", "red fox")),
        ("prompts", r'["cat, \"dog, big\""]', ("cat", "dog, big")),
        ("prompts", '["a, b", "c"]', ("a, b", "c")),
        ("base", '["starter, starter-1"]', ("starter", "starter-1")),
        ("rows.0.model.lora", '["a, b"]', ("a", "b")),
        ("style", '["ink, oil"]', ("ink", "oil")),
        ("rows.0.prompt", '["a cat, red"]', ("a cat, red",)),
        ("detail.words", '["face, hand"]', ("face, hand",)),
        ("rows.0.prompt", "1-5", ("1-5",)),
    ],
)
def test_values_may_be_written_as_in_an_xyz_plot(
    field: str, values: str, meant: tuple[object, ...]
) -> None:
    assert read_axis(field, values).values == meant


def test_a_span_is_refused_as_a_range_is() -> None:
    faults = [_fault(("sampler.steps", one))[0] for one in ("1-5 (-1)", "1-5 [9999]", "1-99999999")]
    assert "is no row of values" in faults[0]
    assert faults[1] == "9999 values; a sweep makes at most 2000"
    assert faults[2].endswith("values; a sweep makes at most 2000")


def test_what_changes_nothing_is_said() -> None:
    def said(preset: Preset, *given: tuple[str, str]) -> tuple[str, ...]:
        return look(preset, _axes(*given), Limits(), lambda: None).idle

    assert said(PRESET, ("rows.0.weight", "1,3"), ("sampler.steps", "4,8")) == ()
    (line,) = said(PRESET, ("omega", "0,1"))
    assert line == f"ω, personalization guidance: {IDLE_REASONS['omega']}"
    off = with_fields(PRESET, [("rows.0.enabled", False)])
    assert said(off, ("rows.0.weight", "1,3")) == (
        "row 1, weight: changes nothing, the row takes no part",
    )
    assert said(off, ("rows.0.weight", "1,3"), ("rows.0.enabled", "false,true")) == ()
    seeds = ("sampler.variation_seed", "1,2")
    (line,) = said(PRESET, seeds)
    assert line.endswith("changes nothing, the variation strength is 0")
    assert said(PRESET, seeds, ("sampler.variation_strength", "0,0.5")) == ()
    (line,) = said(PRESET, ("detail.strength", "0.5,1"))
    assert line == "Detail pass, strength: Changes nothing now: no part is made again."
    assert said(PRESET, ("detail.strength", "0.5,1"), ("detail.finder", "off,faces")) == ()
    (line,) = said(PRESET, ("second_pass.tiles", "false,true"))
    assert line.startswith("Second pass, in tiles: Changes nothing now: there is no second pass")
    started = with_fields(PRESET, [("init", {"image": "inputs/one.png"})])
    (line,) = idle_axes(started, [Axis("init.feather", (0, 8))])
    assert line.endswith("changes nothing, the start picture has no mask")
    masked = with_fields(started, [("init.mask", "inputs/mask.png")])
    assert idle_axes(masked, [Axis("init.feather", (0, 8))]) == ()
    for field, values, more, reads in (
        ("padding", (0, 32), {}, {"area": "mask"}),
        ("feather", (0, 8), {"keep_pixels": False}, {"soft_inpainting": True}),
        ("under_mask", ("picture", "noise"), {"strength": 1.0}, {"strength": 0.9}),
    ):
        both = [(f"init.{name}", value) for name, value in more.items()]
        axis = Axis(f"init.{field}", values)
        (line,) = idle_axes(with_fields(masked, both), [axis])
        assert line.startswith(f"Start from a picture, {field.replace('_', ' ')}: ")
        both += [(f"init.{name}", value) for name, value in reads.items()]
        assert idle_axes(with_fields(masked, both), [axis]) == ()
    silent = with_fields(PRESET, [("rows.0.weight", 0)])
    assert said(silent, ("rows.0.weight", "0,3")) == ()


def test_texts_are_searched_on_the_page() -> None:
    two = [{"prompt": "a cat"}, {"prompt": "a dog", "enabled": False}]
    preset = validate({"rows": two, "sampler": {"steps": 2}})
    cat, dog = (("prompts", json.dumps(texts)) for texts in (["cat", "owl"], ["dog", "moon"]))
    found = look(preset, _axes(cat, dog), Limits(), lambda: None)
    assert not found.faults and found.cost is not None and found.cost.pictures == 4
    assert found.idle == ("'dog': changes nothing, no row that holds it takes part",)
    assert look(preset, _axes(cat, cat), Limits(), lambda: None).faults == {
        1: "an axis each for different fields"
    }
    within = _axes(("prompts", '["a cat", "x"]'), ("prompts", '["cat", "y"]'))
    assert look(preset, within, Limits(), lambda: None).faults == {
        1: "'cat' stands only within what another axis replaces"
    }
    follows = _axes(("prompts", '["a cat", "x"]'), ("prompts", '["dog", "y"]'))
    assert not look(preset, follows, Limits(), lambda: None).refused
    on = _axes(dog, ("rows.1.enabled", "false, true"))
    assert look(preset, on, Limits(), lambda: None).idle == ()
    assert swept()["prompts"]["path"] == "prompts"
