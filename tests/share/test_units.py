"""Control images in a picture's text: the ControlNet extension's units, and what they leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio import share
from studio.library import Library
from studio.preset import Preset, validate
from studio.preset.preprocessors import PREPROCESSORS, preprocessor_of
from studio.share.tools.infotext import pairs
from tests.support import REPOSITORY
from tests.support.other_tools import png, read
from tests.support.studio_page import needs_starter

EDGES = {"type": "canny", "model": "nets/edges", "image": "inputs/a.png", "low": 30, "high": 90}
DEPTH = {"type": "depth", "model": "nets/depth", "image": "inputs/b.png", "strength": 0.5}
CHOSEN = "there, its picture is chosen anew, and in Forge its ControlNet"
EVERY = "there, it acts on every prompt, the negative one too"


def sides(*parts: dict[str, Any]) -> Preset:
    """A prompt and a negative one of the scale 7, both in these parts."""
    pair = [{"prompt": "a cat", "weight": 7.0}, {"prompt": "fog", "weight": -6.0}]
    return validate({"rows": [{**side, **part} for side in pair for part in parts]})


def units(preset: Preset) -> dict[str, dict[str, Any]]:
    settings = pairs(share.parameters_text(preset).rpartition("\n")[2])
    return {name: pairs(text) for name, text in settings.items() if name.startswith("ControlNet")}


def test_a_control_of_both_sides_is_one_unit() -> None:
    preset = sides({"control": EDGES})
    assert units(preset) == {
        "ControlNet 0": {
            "Module": "canny",
            "Model": "edges",
            "Weight": "1",
            "Resize Mode": "Just Resize",
            "Threshold A": "30",
            "Threshold B": "90",
            "Guidance Start": "0",
            "Guidance End": "1",
            "Pixel Perfect": "True",
            "Control Mode": "Balanced",
        }
    }
    assert share.unsaid(preset) == [f"rows.0.control: {CHOSEN}"]


def test_rows_that_take_turns_say_when_each_unit_acts() -> None:
    preset = sides(
        {"range": [0.0, 0.2], "control": EDGES},
        {"range": [0.2, 0.8], "control": EDGES, "controls": [DEPTH]},
        {"range": [0.8, 1.0], "control": EDGES},
    )
    found = units(preset)
    times = [(one["Module"], one["Guidance Start"], one["Guidance End"]) for one in found.values()]
    assert times == [("canny", "0", "1"), ("depth_midas", "0.2", "0.8")]
    assert share.unsaid(preset) == [f"rows.0.control: {CHOSEN}", f"rows.1.controls.0: {CHOSEN}"]


@pytest.mark.parametrize(("low", "high"), [(30, 90), (64, 150), (0, 64)])
def test_they_are_read_again_as_they_were(tmp_path: Path, low: int, high: int) -> None:
    edges = {**EDGES, "low": low, "high": high}
    preset = sides(
        {"range": [0.0, 0.2], "control": edges},
        {"range": [0.2, 0.8], "control": edges, "controls": [DEPTH]},
        {"range": [0.8, 1.0], "control": edges},
    ).model_copy(update={"base": "mymodel"})
    text = share.parameters_text(preset, (64, 64))
    again, notes = read(
        png(tmp_path, size=(64, 64), parameters=text), ("mymodel", "nets/edges", "nets/depth")
    )
    plain = [
        (
            row.prompt,
            row.weight,
            row.range,
            [one.model_copy(update={"image": ""}) for one in row.all_controls.values()],
        )
        for row in preset.rows
    ]
    assert [
        (row.prompt, row.weight, row.range, list(row.all_controls.values())) for row in again.rows
    ] == plain
    assert "not carried over" not in notes


def test_one_that_comes_and_goes_is_a_unit_for_each_time() -> None:
    parts = [{"range": [0.0, 0.3], "control": EDGES}, {"range": [0.3, 0.6]}]
    found = units(sides(*parts, {"range": [0.6, 1.0], "control": EDGES}))
    times = [(one["Guidance Start"], one["Guidance End"]) for one in found.values()]
    assert times == [("0", "0.3"), ("0.6", "1")]


def test_the_same_one_twice_in_a_row_is_two_units() -> None:
    assert len(units(sides({"control": EDGES, "controls": [EDGES]}))) == 2


def test_what_acts_on_one_side_alone_is_said() -> None:
    rows = [{"prompt": "a cat", "weight": 7.0, "control": EDGES}, {"prompt": "fog", "weight": -6.0}]
    assert f"rows.0.control: {EVERY}" in share.unsaid(validate({"rows": rows}))
    # Without a negative row the empty prompt has no control image either.
    assert f"rows.0.control: {EVERY}" in share.unsaid(validate({"rows": rows[:1]}))
    empty = {"prompt": "", "weight": -6.0, "control": EDGES}
    both = validate({"rows": [rows[0], empty]})
    assert share.unsaid(both) == [f"rows.0.control: {CHOSEN}"] and len(units(both)) == 1


def test_an_empty_negative_row_that_acts_for_a_while_or_weighs_otherwise_is_said() -> None:
    both = [
        {"prompt": "a cat", "weight": 7.0, "control": EDGES},
        {"weight": -3.0, "range": [0.0, 0.5], "control": EDGES},
    ]
    notes = share.unsaid(validate({"rows": both}))
    assert "rows.1.range: left out, the text has no place for it" in notes
    assert "rows.1.weight: a negative prompt weighs -6 there, and -3 here" in notes
    assert f"rows.0.control: {EVERY}" in notes  # later the empty prompt has none
    assert "Negative prompt" not in share.parameters_text(validate({"rows": both}))


def test_what_the_extension_would_refuse_or_cut_is_said() -> None:
    strong = {**EDGES, "strength": 3.0, "low": 300, "high": 600}
    notes = share.unsaid(sides({"control": strong}))
    assert "rows.0.control.strength: there, it is at most 2" in notes
    assert "rows.0.control: there, thresholds are at most 255" in notes
    several = [{**DEPTH, "model": f"net{n}"} for n in range(3)]
    notes = share.unsaid(sides({"control": EDGES, "controls": several}))
    assert [note for note in notes if "more units than three" in note] == [
        "rows.0.controls.2: there, it is left out but where the settings have more units than three"
    ]


@pytest.mark.parametrize("model", [None, "nets/edges, soft", "nets/edges:2"])
def test_a_network_that_cannot_be_named_is_said(model: str | None) -> None:
    preset = sides({"control": {"type": "canny", "image": "inputs/a.png", "model": model}})
    assert "Model" not in units(preset)["ControlNet 0"]
    assert "rows.0.control: there, its ControlNet is chosen anew" in share.unsaid(preset)


def test_a_finished_map_goes_through_no_module() -> None:
    found = units(sides({"control": {**DEPTH, "finished": True}}))["ControlNet 0"]
    assert found["Module"] == "none" and "Threshold A" not in found


@pytest.mark.parametrize("kind", PREPROCESSORS)
def test_each_module_s_name_is_read_as_it(kind: str) -> None:
    module = units(sides({"control": {"type": kind, "model": "net"}}))["ControlNet 0"]["Module"]
    assert module == "none" if kind == "map" else preprocessor_of(module) == kind


@needs_starter
def test_a_unit_without_a_model_has_the_base_s_own_for_its_kind(tmp_path: Path) -> None:
    library = Library((REPOSITORY / "assets",))
    edges = {"type": "canny", "image": "inputs/a.png"}
    preset = sides({"control": edges, "controls": [{"type": "depth", "image": "inputs/b.png"}]})
    path = png(tmp_path, parameters=share.parameters_text(preset, (64, 64)))
    again, notes = read(path, library)
    assert [row.control and (row.control.type, row.control.model) for row in again.rows] == [
        ("canny", None)
    ] * 2
    assert [row.controls for row in again.rows] == [()] * 2  # the starter has none for depth
    assert "'ControlNet 1' (depth_midas, strength 1, steps 0-1) is left out" in notes
    assert "'ControlNet 0'" not in notes
