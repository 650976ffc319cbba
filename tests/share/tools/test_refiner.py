"""Other tools' refiner: rows of another model that take over at its part of the denoising."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.library import ModelEntry
from studio.preset import Preset, SecondPass
from studio.share import parameters_text
from studio.share.texts import Texts
from studio.share.tools.foreign import read_foreign
from studio.share.unsaid import unsaid
from tests.support.other_tools import a1111
from tests.support.tool_samples import FOOOCUS, SWARM

MODELS = {
    name: ModelEntry(id=name, kind="base", family="sd1", bytes=1, path="")
    for name in ("mymodel", "last")
}


def read(text: str) -> tuple[Preset, str]:
    found = read_foreign(Texts({"parameters": text}, (64, 96)), "it.png", MODELS)
    assert found is not None
    preset, notes = found
    return preset, "\n".join(notes)


def finished(preset: Preset) -> list[tuple[str, Any, float, tuple[float, float]]]:
    return [(row.prompt, row.model, row.weight, row.range) for row in preset.rows]


def both(at: float) -> list[tuple[str, Any, float, tuple[float, float]]]:
    return [
        ("a cat", None, 7.0, (0.0, at)),
        ("bad", None, -6.0, (0.0, at)),
        ("a cat", "last", 7.0, (at, 1.0)),
        ("bad", "last", -6.0, (at, 1.0)),
    ]


def test_the_web_ui_s_refiner_takes_over() -> None:
    preset, notes = read(a1111(more=", Refiner: last [0123abcdef], Refiner switch at: 0.8"))
    assert finished(preset) == both(0.8) and "efiner" not in notes
    by_steps = ", Refiner: last, Refiner switch at: 0.8, Refiner switch by sampling steps: True"
    preset, notes = read(a1111(more=by_steps))
    assert finished(preset) == both(0.8)
    assert "the refiner 'last' begins at 0.8 of the steps there, of the noise here" in notes


def test_without_a_negative_prompt_nothing_of_the_base_is_left() -> None:
    text = a1111(more=", Refiner: last, Refiner switch at: 0.5").replace(
        "Negative prompt: bad\n", ""
    )
    preset, _ = read(text)
    assert finished(preset)[-1] == ("", "last", -6.0, (0.5, 1.0))


def test_what_takes_over_is_written_as_the_web_ui_s_refiner() -> None:
    text = a1111(more=", Refiner: last, Refiner switch at: 0.8")
    preset, _ = read(text)
    said = parameters_text(preset)
    assert said.startswith("a cat\nNegative prompt: bad\nSteps: ")
    assert said.endswith(", Refiner: last, Refiner switch at: 0.8") and "CFG scale: 7," in said
    assert finished(read(said)[0]) == both(0.8)
    assert not [line for line in unsaid(preset) if line.startswith("rows")]
    twice = preset.model_copy(update={"second_pass": SecondPass(scale=2.0)})
    assert "Refiner" not in parameters_text(twice)  # there, the second pass alone would have it
    assert [line for line in unsaid(twice) if "'last' is left out" in line]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "Refiner: gone, Refiner switch at: 0.8",
            "the refiner 'gone' ('0.8') is not in the library",
        ),
        ("Refiner: last", "begins at no usable part"),
        ("Refiner: last, Refiner switch at: 1", "left out; above 0 and below 1, got 1"),
        ("Refiner: mymodel, Refiner switch at: 0.8", "another model than the base"),
        (
            "Refiner: last, Refiner switch at: 0.8, Denoising strength: 0.5, Hires upscale: 2, "
            "Hires upscaler: Lanczos",  # there the second pass alone has it
            "Refiner 'last'",
        ),
    ],
)
def test_what_cannot_take_over_is_noted(more: str, said: str) -> None:
    preset, notes = read(a1111(more=f", {more}"))
    assert said in notes and [row.model for row in preset.rows] == [None, None]


def test_swarmui_s_step_swap_takes_over() -> None:
    swap = {"refinermethod": "StepSwap", "refinercontrolpercentage": 0.2, "refinermodel": "last"}
    preset, notes = read(json.dumps({"sui_image_params": SWARM | swap | {"refinerupscale": 1}}))
    assert finished(preset) == both(0.8) and "refinerm" not in notes
    larger = swap | {"refinerupscale": 1.5}
    preset, notes = read(json.dumps({"sui_image_params": SWARM | larger}))
    assert len(preset.rows) == 2 and "refinermodel 'last'" in notes
    with_steps = swap | {"refinersteps": 9}
    assert "refinersteps 9" in read(json.dumps({"sui_image_params": SWARM | with_steps}))[1]


def test_fooocus_s_refiner_takes_over() -> None:
    more = {"refiner_model": "last", "refiner_switch": 0.6, "refiner_swap_method": "joint"}
    preset, notes = read(json.dumps(FOOOCUS | more))
    assert [(row.model, row.range) for row in preset.rows][-1] == ("last", (0.6, 1.0))
    assert "of the steps there" in notes
