"""Sweeps: axes, cells and the labelled grid."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.errors import BadPreset
from studio.experiments import grid as grids
from studio.experiments import labels
from studio.experiments.grid import draw_grid, shrunk
from studio.preset import validate
from studio.preset.rows import PromptReference
from studio.preset.sweep import (
    Axis,
    Cell,
    around,
    axis_text,
    cells,
    changed,
    count_of,
    parse_axis,
    settings,
)

PRESET = validate({"rows": [{"prompt": "a"}], "sampler": {"count": 3, "seed": -1}})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("omega=0,0.5, 1", (0, 0.5, 1)),
        ("omega=0.3", (0.3,)),
        ("sampler.steps=1e2,1e-1,2e400", (100, 0.1, float("inf"))),
        ("sampler.steps=[1e2,2e1]", (100, 20)),
        (f"omega={'9' * 310}e10,{'9' * 5000}", (float("inf"), "9" * 5000)),
        ("rows.0.prompt=a cat,dog", ("a cat", "dog")),
        ('rows.0.prompt=["a, b", "c"]', ("a, b", "c")),
        ("rows.0.enabled=true,false", (True, False)),
        ("omega=0,25; 0.5 ;1", (0.25, 0.5, 1)),
        ("rows.0.weight=−2,5;3", (-2.5, 3)),
        ("omega=+0,5;00,25;,75;1;", (0.5, 0.25, 0.75, 1)),
        ("omega=0٫5؛ 1", (0.5, 1)),
        ("rows.0.prompt=a; b", ("a; b",)),
        ("rows.0.prompt=1;2", ("1;2",)),
        ("omega=0:1:0.25", (0, 0.25, 0.5, 0.75, 1)),
        ("rows.0.weight=-1:2:1", (-1, 0, 1, 2)),
        ("rows.0.prompt=a AND b:1.2", ("a AND b:1.2",)),
    ],
)
def test_axes(text: str, values: tuple[object, ...]) -> None:
    axis = Axis(text.partition("=")[0], values)
    assert repr(parse_axis(text, "--x")) == repr(axis)  # 1 is none of 1.0


@pytest.mark.parametrize(
    "text",
    ["omega", "=1", "omega=[", "omega=[]", "omega=1:0:0.1", "omega=0:1:0", "omega=0:1:0.000001"],
)
def test_bad_axes(text: str) -> None:
    with pytest.raises(BadPreset, match="--x"):
        parse_axis(text, "--x")


def test_cells_are_every_combination_with_one_seed() -> None:
    made = cells(PRESET, Axis("omega", (0, 1)), Axis("rows.0.weight", (1, 2, 3)))
    assert [(c.column, c.line, c.x, c.y) for c in made] == [
        (column, line, x, y) for line, y in enumerate((1, 2, 3)) for column, x in enumerate((0, 1))
    ]
    assert all((c.preset.omega, c.preset.rows[0].weight) == (c.x, c.y) for c in made)
    assert all(c.preset.sampler.count == 1 for c in made)
    assert len({c.preset.sampler.seed for c in made}) == 1
    assert made[0].preset.sampler.seed >= 0
    with pytest.raises(BadPreset, match="at most"):
        cells(PRESET, Axis("omega", (0,) * 2001))
    with pytest.raises(BadPreset, match="different fields"):
        cells(PRESET, Axis("omega", (0, 1)), Axis("omega", (0, 1)))


def test_settings_are_numbered_as_the_cells_are() -> None:
    axes = Axis("omega", (0, 1)), Axis("rows.0.weight", (1, 2, 3)), Axis("decoupling", (0, 1))
    made = cells(PRESET.with_seed(3), *axes)
    found = [changed(PRESET.with_seed(3), axes, settings(axes, n)) for n in range(12)]
    assert found == [cell.preset for cell in made]


@pytest.mark.parametrize(
    ("axis", "value", "closer"),
    [
        (Axis("omega", (0, 0.25, 0.5, 0.75, 1)), 0.5, "0.25:0.75:0.125"),
        (Axis("omega", (0, 0.5, 1)), 0, "0, 0.25"),  # what the field cannot take is left out
        (Axis("rows.0.weight", (2, 4)), 4, "3:5:1"),
        (Axis("rows.0.weight", (3,)), 3, "1.5:4.5:1.5"),
        (Axis("sampler.steps", (10, 20, 30)), 20, "15:25:5"),
        (Axis("sampler.steps", (1, 2, 3)), 2, "2"),  # whole numbers have no halves
    ],
)
def test_around_a_value_are_half_steps(axis: Axis, value: float, closer: str) -> None:
    found = around(PRESET, axis, value)
    assert found is not None and axis_text(found) == closer
    assert parse_axis(f"{axis.field}={closer}", "") == found
    assert value in found.values


def test_around_words_is_nothing() -> None:
    assert around(PRESET, Axis("rows.0.prompt", ("a", "b")), "a") is None
    assert around(PRESET, Axis("rows.0.enabled", (True, False)), True) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("f=−1,2.5", (-1, 2.5)),  # a minus as the page writes it
        ("f=٣,−٠٫٥", (3, -0.5)),
        ("f=−1:1:1", (-1, 0, 1)),
        ("f=a −1,−a,1−2", ("a −1", "−a", "1−2")),  # no numbers
    ],
)
def test_numbers_of_another_keyboard_are_numbers(text: str, values: tuple[object, ...]) -> None:
    assert parse_axis(text, "").values == values


@pytest.mark.parametrize(
    "values", [(0, 0.1, 0.2), (1, 2), (1, 5, 2), ("a, b", "c"), (True, False), (0.1234567, 1, 2)]
)
def test_an_axis_in_text_is_read_as_it_was(values: tuple[object, ...]) -> None:
    axis = Axis("f", values)
    assert parse_axis(f"f={axis_text(axis)}", "") == axis


def test_a_third_axis_is_pages() -> None:
    axes = Axis("omega", (0, 1)), Axis("rows.0.weight", (1, 2, 3)), Axis("decoupling", (0, 1))
    made = cells(PRESET, *axes)
    assert len(made) == count_of(*axes) == 12
    assert [c.page for c in made] == [0] * 6 + [1] * 6
    assert {(c.preset.omega, c.preset.rows[0].weight, c.preset.decoupling) for c in made} == {
        (x, y, z) for x in (0, 1) for y in (1, 2, 3) for z in (0, 1)
    }


def test_a_sweep_over_seeds_keeps_them() -> None:
    made: list[Cell] = cells(PRESET, Axis("sampler.seed", (1, 2)))
    assert [c.preset.sampler.seed for c in made] == [1, 2]


def test_variations_of_a_sweep_are_of_one_seed_that_a_later_start_finds_again() -> None:
    strengths = Axis("sampler.variation_strength", (0.1, 0.5))
    first, again = (cells(PRESET.with_seed(3), strengths) for _ in range(2))
    found = {one.preset.sampler.variation_seed for one in [*first, *again]}
    assert len(found) == 1 and min(found) >= 0
    assert cells(PRESET.with_seed(4), strengths)[0].preset.sampler.variation_seed not in found
    seeds = Axis("sampler.variation_seed", (5, 6))
    made = cells(PRESET.with_seed(3), seeds, strengths)
    assert [one.preset.sampler.variation_seed for one in made] == [5, 6, 5, 6]
    plain = cells(PRESET.with_seed(3), Axis("omega", (0, 1)))  # has no variation
    assert {one.preset.sampler.variation_seed for one in plain} == {-1}


def test_long_prompts_have_headings_that_tell_them_apart() -> None:
    prompts = tuple(f"a rocket in flat style on a {one} background" for one in ("blue", "red"))
    images = {(column, 0): Image.new("RGB", (128, 128), "white") for column in (0, 1)}
    grid = np.asarray(draw_grid(images, Axis("rows.0.prompt", prompts)))
    assert (grid[:, : grid.shape[1] // 2] != grid[:, grid.shape[1] // 2 :]).any()
    assert labels.apart(prompts) == ["… blue …", "… red …"]
    assert labels.apart(("a cat in flat style here", "a cat in flat style")) == [
        "… style here",
        "… style",
    ]
    for alone in (["a cat", "a dog"], list(prompts[:1]), ["x" * 40, "y" * 40]):
        assert labels.apart(alone) == alone


def test_columns_without_room_for_their_field_s_name_have_it_above() -> None:
    images = {(column, 0): Image.new("RGB", (96, 96), "white") for column in (0, 1, 2)}
    short, long, inner = (
        draw_grid(images, Axis(field, (0, 0.5, 1)))
        for field in ("omega", "strength of a control", "rows.0.weight")
    )
    assert long.height > short.height == inner.height
    above = np.asarray(long)[: long.height - short.height]
    assert (above < 128).any()
    both = draw_grid(images, Axis("strength of a control", (0, 0.5, 1)), title="Seed = 5")
    assert both.height == long.height  # in one line


def test_the_grid_holds_each_image_where_it_belongs() -> None:
    colors = {(0, 0): "red", (1, 0): "green", (0, 1): "blue", (1, 1): "black"}
    images = {place: Image.new("RGB", (64, 48), color) for place, color in colors.items()}
    grid = draw_grid(images, Axis("omega", (0, 1)), Axis("rows.0.weight", (-1, 1)))
    pixels = np.asarray(grid)
    for (column, line), color in colors.items():
        match = (pixels == np.asarray(Image.new("RGB", (1, 1), color))[0, 0]).all(-1)
        ys, xs = np.nonzero(match[grids.PAD * 4 :] if color == "black" else match)
        assert match.sum() >= 64 * 48
        if color != "black":  # the labels are black too
            assert (np.ptp(xs) + 1, np.ptp(ys) + 1) == (64, 48)
            assert (xs.min() > grid.width / 2) == (column == 1)
            assert (ys.min() > grid.height / 2) == (line == 1)
    assert (pixels[:16] < 128).any()  # labels above
    assert (pixels[60:, :40] < 128).any()  # and at the side


def test_large_grids_stay_within_bounds() -> None:
    image = Image.new("RGB", (4096, 2048))
    assert shrunk(image, 400).width * shrunk(image, 400).height * 400 <= grids.MAX_GRID_PIXELS
    assert shrunk(Image.new("RGB", (64, 64)), 4).size == (64, 64)


SEARCHED = validate(
    {
        "rows": [
            {"prompt": "a cat, a Cat", "weight": 5.0},
            {"prompt": "no cat", "weight": -2.0, "reference": {"prompt": "cat, dog"}},
            {"prompt": "a moon"},
        ],
        "sampler": {"seed": 3},
    }
)


def _prompts(cell: Cell) -> list[str]:
    texts = [row.prompt for row in cell.preset.rows]
    reference = cell.preset.rows[1].reference
    assert isinstance(reference, PromptReference)
    return [*texts, reference.prompt]


def test_a_text_of_all_prompts_gives_way_to_others() -> None:
    made = cells(SEARCHED, parse_axis("prompts=cat, red fox,", "--x"))
    assert [_prompts(cell) for cell in made] == [
        ["a cat, a Cat", "no cat", "a moon", "cat, dog"],
        ["a red fox, a Cat", "no red fox", "a moon", "red fox, dog"],
        ["a , a Cat", "no ", "a moon", ", dog"],
    ]
    assert made[0].preset == SEARCHED


def test_two_texts_are_replaced_at_once_and_after_fields() -> None:
    two = [parse_axis(f"prompts={values}", "") for values in ("cat,owl", "moon,sun")]
    fields = parse_axis("rows.2.prompt=a moon,a cat on a moon", "")
    made = cells(SEARCHED, *two, fields)
    assert [_prompts(cell)[2] for cell in made] == [
        *("a moon", "a moon", "a sun", "a sun"),
        *("a cat on a moon", "a owl on a moon", "a cat on a sun", "a owl on a sun"),
    ]
    with pytest.raises(BadPreset, match="different fields"):
        cells(SEARCHED, two[0], two[0])


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ('"cat, a Cat", "a ""big"" one"', ("cat, a Cat", 'a "big" one')),
        ('["cat, a Cat", ""]', ("cat, a Cat", "")),
        ("[cat],[dog]", ("[cat]", "[dog]")),  # as A1111 weighs texts down
        ("7,0:1:0.5,true", ("7", "0:1:0.5", "true")),  # texts, whatever they look like
    ],
)
def test_searched_texts_are_read_as_texts(values: str, read: tuple[str, ...]) -> None:
    axis = parse_axis(f"prompts={values}", "--x")
    assert axis.values == read and parse_axis(f"prompts={axis_text(axis)}", "") == axis


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("bird,dog", "prompts: no prompt of the rows holds 'bird'"),
        ("cat,dog,dog", "prompts: 'dog' is there twice"),
        (",dog", "--x: expected the text to search"),
        ("[1, 2]", "--x: expected texts to search and replace, got 1"),
        ('["a', "--x: '\\[\"a' is not a JSON list"),
        ("cat\rdog", "--x: 'cat\\\\rdog' cannot be parted at commas"),
        (f"cat,{'x' * 140_000}", "--x: .* cannot be parted at commas"),
        ('["cat", "\\ud800"]', "--x: expected texts to search and replace, got '\\\\\\\\?ud800'"),
        (f"cat,{'x' * 4000}", "at most 4000 characters"),
    ],
)
def test_texts_that_cannot_be_searched_are_refused(values: str, said: str) -> None:
    with pytest.raises(BadPreset, match=said):
        cells(SEARCHED, parse_axis(f"prompts={values}", "--x"))


def test_no_text_is_searched_in_what_another_gave_way_to() -> None:
    swap = [parse_axis(f"prompts={values}", "") for values in ("cat,dog", "dog,cat")]
    row = SEARCHED.rows[1].model_copy(update={"prompt": "cat dog cat"})
    preset = SEARCHED.model_copy(update={"rows": (SEARCHED.rows[0], row, SEARCHED.rows[2])})
    assert [_prompts(cell)[1] for cell in cells(preset, *swap)] == [
        *("cat dog cat", "dog dog dog", "cat cat cat", "dog cat dog")
    ]
    longer = [parse_axis(f"prompts={values}", "") for values in ("cat,owl", "a cat,two cats")]
    assert _prompts(cells(SEARCHED, *longer)[-1]) == [
        "two cats, a Cat",
        "no owl",
        "a moon",
        "owl, dog",
    ]
    hidden = [parse_axis(f"prompts={values}", "") for values in ("moo,x", "a moon,y")]
    with pytest.raises(BadPreset, match="'moo' stands only within what another axis replaces"):
        cells(SEARCHED, *hidden)
