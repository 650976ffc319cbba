"""The ControlNet extension's units as it wrote them over the years, and what else comes by lists and tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.other_tools import PLAIN, a1111, png, read, rows

MODEL = "control_v11p_sd15_canny"
OLDER = (
    'ControlNet 0: "preprocessor: canny, model: {} [d14c016b], weight: 0.7, '
    "starting/ending: (0.1, 0.8), resize mode: Crop and Resize, pixel perfect: False, "
    'control mode: Balanced, preprocessor params: (512, 100, 200)"'
)
FIRST = (
    "{0} Enabled: True, {0} Module: canny, {0} Model: {1} [e3fe7712], {0} Weight: 0.7, "
    "{0} Guidance Start: 0.1, {0} Guidance End: 0.8"
)
TODAY = (
    'ControlNet 0: "Module: canny, Model: {} [d14c016b], Weight: 0.7, Guidance Start: 0.1, '
    'Guidance End: 0.8, Threshold A: 10, Control Mode: ControlNet is more important"'
)


@pytest.mark.parametrize(
    "unit",
    [
        OLDER.format(MODEL),
        OLDER.format(MODEL).replace("ControlNet", "Controlnet").replace("pixel p", "pixel_p"),
        FIRST.format("ControlNet-0", MODEL),
        FIRST.format("ControlNet", MODEL),
        TODAY.format(MODEL),
    ],
    ids=["older", "of the sites", "first", "first alone", "today"],
)
def test_a_unit_of_any_year(tmp_path: Path, unit: str) -> None:
    preset, notes = read(
        png(tmp_path, size=(64, 96), parameters=a1111(more=f", {unit}")), ("mymodel", MODEL)
    )
    shown = [
        (row.range, row.control and (row.control.type, row.control.strength)) for row in preset.rows
    ]
    assert shown[:3] == [((0.0, 0.1), None), ((0.1, 0.8), ("canny", 0.7)), ((0.8, 1.0), None)]
    left = [note for note in notes.splitlines() if "not carried over" in note]
    if unit.startswith("ControlNet 0") and "Threshold" in unit:
        assert preset.rows[1].control and preset.rows[1].control.low == 10
        assert left == [
            "ControlNet 0: control mode 'ControlNet is more important' is not carried over",
        ]
    elif "params" in unit:
        assert len(left) == 1 and "preprocessor params '(512, 100, 200)'" in left[0]
    else:
        assert left == []


@pytest.mark.parametrize("end", ["1", "0.8"])
def test_the_picture_of_a_unit_is_asked_for_once(tmp_path: Path, end: str) -> None:
    other = TODAY.format(MODEL).replace("Net 0", "Net 1").replace("0.8", end)
    units = f", {TODAY.format(MODEL)}, {other}"
    preset, notes = read(
        png(tmp_path, size=(64, 96), parameters=a1111(more=units)), ("mymodel", MODEL)
    )
    assert sum(len(row.all_controls) for row in preset.rows) > 2
    asked = [note for note in notes.splitlines() if "is not in the file; choose it" in note]
    assert [note.split(": ")[0] for note in asked] == [
        "rows.1.control.image",
        "rows.1.controls.0.image",
    ]


def test_thresholds_of_edges_are_the_control_s(tmp_path: Path) -> None:
    both = TODAY.format(MODEL).replace("Threshold A: 10", "Threshold A: 30, Threshold B: 90.5")

    def opened(unit: str) -> tuple[Any, str]:
        text = a1111(more=f", {unit}")
        preset, notes = read(png(tmp_path, size=(64, 96), parameters=text), ("mymodel", MODEL))
        return preset.rows[1].control, notes

    control, notes = opened(both)
    assert (control.low, control.high) == (30, 90) and "threshold" not in notes
    control, notes = opened(both.replace("Module: canny", "Module: depth"))
    assert (control.low, control.high) == (100, 200) and "threshold a '30'" in notes
    control, notes = opened(both.replace("90.5", "9000"))
    assert (control.low, control.high) == (30, 200) and "threshold b '9000'" in notes


def test_two_units_of_the_first_kind(tmp_path: Path) -> None:
    units = ", ".join(FIRST.format(f"ControlNet-{i}", f"net{i}") for i in (0, 1))
    _, notes = read(png(tmp_path, parameters=a1111(more=f", {units}")))
    for i in (0, 1):
        assert f"the ControlNet 'net{i}' (canny, strength 0.7, steps 0.1-0.8)" in notes
    off = FIRST.format("ControlNet-0", "net0").replace("True", "False")
    assert "ControlNet" not in read(png(tmp_path, parameters=a1111(more=f", {off}")))[1]


def test_a_map_that_was_finished_there_is_one_here(tmp_path: Path) -> None:
    unit = FIRST.format("ControlNet-0", MODEL).replace("Module: canny", "Module: none")
    preset, _ = read(png(tmp_path, parameters=a1111(more=f", {unit}")), ("mymodel", MODEL))
    assert preset.rows[1].control and preset.rows[1].control.type == "map"


def test_loras_that_are_listed_without_a_tag(tmp_path: Path) -> None:
    """Fooocus writes them so, under the web UI's scheme."""
    more = (
        ', Lora hashes: "ink: ab12, tagged: cd34", Lora weights: "ink: 0.5, tagged: 0.3", '
        'Sharpness: 2, ADM Guidance: "(1.5, 0.8, 0.3)", Version: Fooocus v2.5.5'
    )
    text = a1111("a cat <lora:tagged:0.7>", more=more)
    preset, notes = read(png(tmp_path, parameters=text), ("mymodel", "ink", "tagged"))
    assert preset.rows[0].model.adapters() == [("tagged", 0.7), ("ink", 0.5)]  # type: ignore[union-attr]
    assert "Sharpness '2'" in notes and "ADM Guidance" in notes
    older = a1111(more=', Lora hashes: "ink: ab12: 0.5"')
    preset, _ = read(png(tmp_path, parameters=older), ("mymodel", "ink"))
    assert preset.rows[0].model.adapters() == [("ink", 0.5)]  # type: ignore[union-attr]
    _, notes = read(png(tmp_path, parameters=a1111(more=', Lora hashes: "ink: ab12"')))
    assert "LoRAs without a strength 'ink' is not carried over" in notes


def test_an_autoencoder_that_is_named_by_its_hash_alone(tmp_path: Path) -> None:
    path = png(tmp_path, parameters=a1111(more=", VAE hash: abcdef0123"))
    assert read(path, ("mymodel", "abcdef0123"))[0].vae == "abcdef0123"
    assert "vae: 'abcdef0123' is not in the library" in read(path)[1]


def test_weights_of_single_blocks_are_named(tmp_path: Path) -> None:
    text = a1111("a cat <lora:ink:0.5:lbw=OUTALL:stop=20>")
    preset, notes = read(png(tmp_path, parameters=text), ("mymodel", "ink"))
    assert preset.rows[0].model.adapters() == [("ink", 0.5)]  # type: ignore[union-attr]
    assert "'lbw=OUTALL:stop=20' of the LoRA 'ink' is left out" in notes
    assert rows(preset) == PLAIN


def test_sdnext_s_names_for_the_same(tmp_path: Path) -> None:
    more = ", App: SD.Next, Variation seed: 7, Variation strength: 0.3, Sampler sigma: karras"
    text = a1111(more=more).replace("Euler a", "DPM++ 2M")
    values = read(png(tmp_path, parameters=text))[0].sampler
    assert (values.variation_seed, values.variation_strength) == (7, 0.3)
    assert values.schedule == "karras"
