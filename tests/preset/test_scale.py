"""One scale for all rows is that of classifier-free guidance with a negative prompt."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import BadPreset
from studio.preset import Preset, validate
from studio.preset.fields import with_fields
from studio.preset.scale import scale_of, with_scale
from studio.preset.sweep import changed, parse_axis


def _preset(*weights: float, **more: Any) -> Preset:
    rows = [{"prompt": str(at), "weight": float(weight)} for at, weight in enumerate(weights)]
    rows[-1] |= more
    return validate({"rows": rows})


def _guided(preset: Preset, predictions: list[float], unconditional: float) -> float:
    """What the rows come to, by the sum that they are (GCFG, Eq. 3)."""
    rows = zip(preset.rows, predictions, strict=True)
    return unconditional + sum(row.weight * (one - unconditional) for row, one in rows)


@pytest.mark.parametrize("scale", [0.5, 1, 1.5, 7, 30])
@pytest.mark.parametrize("before", [(7, -6), (1, 0), (3, -8)])
def test_prompt_and_negative_prompt_are_guided_as_elsewhere(
    before: tuple[float, float], scale: float
) -> None:
    made = with_scale(_preset(*before), scale)
    positive, negative = 0.7, -0.2
    for unconditional in (0.1, 5.0):  # of which nothing is left
        wanted = negative + scale * (positive - negative)
        assert _guided(made, [positive, negative], unconditional) == pytest.approx(wanted)
    assert scale_of(made) == pytest.approx(scale)


def test_prompts_joined_there_keep_their_shares() -> None:
    """``x = n + sum s a_i (c_i - n)``, the weights a_i behind AND."""
    before = _preset(6, 3, -8)
    assert scale_of(before) == 6
    made = with_scale(before, 10)
    one, two, negative = 0.7, 0.4, -0.2
    wanted = negative + 10 * (one - negative) + 5 * (two - negative)
    assert _guided(made, [one, two, negative], 3.0) == pytest.approx(wanted)


def test_without_a_negative_prompt_it_is_the_weight() -> None:
    assert scale_of(_preset(5)) == 5
    assert [row.weight for row in with_scale(_preset(5), 8).rows] == [8]
    assert [row.weight for row in with_scale(_preset(5, 2.5), 8).rows] == [8, 4]
    assert [row.weight for row in with_scale(_preset(5, 0), 8).rows] == [8, 0]  # takes no part


def test_rows_that_take_no_part_stay() -> None:
    muted = _preset(7, -6, -3, enabled=False)
    assert [row.weight for row in with_scale(muted, 3).rows] == [3, -2, -3]
    alone = _preset(7, -6, 4, solo=True)
    assert [row.weight for row in with_scale(alone, 3).rows] == [7, -6, 3]


@pytest.mark.parametrize(
    ("preset", "scale", "said"),
    [
        (_preset(-3), 5, "these rows have no CFG scale"),
        (_preset(5, 3, -4), 5, "these rows have no CFG scale"),
        (_preset(5, -4, reference="own"), 5, "these rows have no CFG scale"),
        (_preset(5, -4), 0, "a number above 0, got 0"),
        (_preset(5, -4), "x", "a number above 0, got 'x'"),
        (_preset(5, -4), True, "a number above 0, got True"),
        (_preset(5, -4), 10**400, "at most 1000, got 1000"),
        (_preset(5, -4), 1000.5, "at most 1000, got 1000.5"),
        (_preset(1, 3), 400, "a weight would lie outside -1000 to 1000"),
        (_preset(1, 2, -2), 400, "a weight would lie outside -1000"),
    ],
)
def test_what_has_no_scale_is_refused(preset: Preset, scale: Any, said: str) -> None:
    with pytest.raises(BadPreset, match=said) as caught:
        with_scale(preset, scale)
    assert caught.value.field == "cfg"


def test_it_is_set_and_swept_as_a_field_is() -> None:
    preset = _preset(7, -6)
    made = with_fields(preset, [("cfg", "5"), ("omega", "0.5")])
    assert ([row.weight for row in made.rows], made.omega) == ([5, -4], 0.5)
    axis = parse_axis("cfg=3:7:2", "--x")
    cells = [changed(preset, [axis], [value]) for value in axis.values]
    assert [[row.weight for row in one.rows] for one in cells] == [[3, -2], [5, -4], [7, -6]]
    with pytest.raises(BadPreset) as caught:
        with_fields(preset, [("cfg", "1" + 400 * "0")])
    assert caught.value.field == "cfg"


def test_only_one_row_at_0_beside_one_prompt_is_a_negative_one() -> None:
    assert [row.weight for row in with_scale(_preset(1, 0), 5).rows] == [5, -4]
    assert [row.weight for row in with_scale(_preset(1, 0, 0), 5).rows] == [5, 0, 0]
    assert [row.weight for row in with_scale(_preset(0.5, 0.5, 0), 5).rows] == [5, 5, 0]


def test_a_sweep_of_it_has_no_order_of_axes() -> None:
    muted = _preset(7, -6, enabled=False)
    cfg, enabled = parse_axis("cfg=3", "--x"), parse_axis("rows.1.enabled=true", "--y")
    for axes, values in (([cfg, enabled], [3, True]), ([enabled, cfg], [True, 3])):
        assert [row.weight for row in changed(muted, axes, values).rows] == [3, -2]


def test_a_weight_that_it_sets_is_no_other_axis() -> None:
    weight, cfg = parse_axis("rows.1.weight=-1,-2", "--x"), parse_axis("cfg=3,5", "--y")
    for axes in ([weight, cfg], [cfg, weight]):
        with pytest.raises(BadPreset, match="the CFG scale sets the weight of this row") as caught:
            changed(_preset(7, -6), axes, [axis.values[0] for axis in axes])
        assert caught.value.field == "rows.1.weight"
    made = changed(_preset(7, -6, enabled=False), [cfg, weight], [3, -2])
    assert [row.weight for row in made.rows] == [3, -2]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("steps", " · sampler.steps is one"),
        ("cfg_scale", " · cfg is the scale of all rows"),
        ("weight", " · rows.0.weight is the first row's"),
        (
            "prompt",
            " · rows.0.prompt is the first row's · in a sweep prompts=SEARCHED,BY,… replaces",
        ),
        ("nothing", ", sampler"),
        ("sampler.nothing", ""),
    ],
)
def test_a_name_as_other_tools_have_it_is_told_where_it_is_a_field(name: str, said: str) -> None:
    with pytest.raises(BadPreset) as found:
        with_fields(validate({}), [(name, 3)])
    assert said in str(found.value)
    assert (" · " in str(found.value)) is said.startswith(" · ")


def test_a_sampler_that_was_set_to_something_else_is_refused_by_name() -> None:
    with pytest.raises(BadPreset, match="unknown field 'steps'"):
        with_fields(validate({}), [("sampler", 5), ("steps", 3)])
