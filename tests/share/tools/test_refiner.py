"""Other tools' refiner, read and written."""

from __future__ import annotations

import json

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


def finished(preset: Preset) -> tuple[str, float]:
    return preset.refiner.model, preset.refiner.at


def test_the_web_ui_s_refiner_takes_over() -> None:
    preset, notes = read(a1111(more=", Refiner: last [0123abcdef], Refiner switch at: 0.8"))
    assert finished(preset) == ("last", 0.8) and "efiner" not in notes
    by_steps = ", Refiner: last, Refiner switch at: 0.8, Refiner switch by sampling steps: True"
    preset, notes = read(a1111(more=by_steps))
    assert finished(preset) == ("last", 0.8)
    assert "the refiner 'last' begins at 0.8 of the steps there, of the noise here" in notes


def test_versions_before_the_noise_counted_steps() -> None:
    settings = ", Refiner: last, Refiner switch at: 0.8, Version: {}"
    for version, by_steps in (
        ("v1.6.0", True),
        ("v1.7.0-RC", True),
        ("v1.8.0", False),
        ("f2.0", False),
    ):
        _, notes = read(a1111(more=settings.format(version)))
        assert ("of the steps there" in notes) is by_steps, version


def test_what_takes_over_is_written_as_the_web_ui_s_refiner() -> None:
    text = a1111(more=", Refiner: last, Refiner switch at: 0.8")
    preset, _ = read(text)
    said = parameters_text(preset)
    assert said.startswith("a cat\nNegative prompt: bad\nSteps: ")
    assert ", Refiner: last, Refiner switch at: 0.8" in said and "CFG scale: 7," in said
    assert finished(read(said)[0]) == ("last", 0.8)
    assert not [line for line in unsaid(preset) if line.startswith(("rows", "refiner"))]
    twice = preset.model_copy(update={"second_pass": SecondPass(scale=2.0)})
    assert "Refiner" not in parameters_text(twice)  # there, the second pass alone would have it
    assert [line for line in unsaid(twice) if line.startswith("refiner.model: left out")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "Refiner: gone, Refiner switch at: 0.8",
            "the refiner 'gone' ('0.8') is not in the library",
        ),
        ("Refiner: last", "begins at no usable part"),
        ("Refiner: last, Refiner switch at: 7", "begins at no usable part ('7')"),
        (
            "Refiner: last, Refiner switch at: 0.8, Denoising strength: 0.5, Hires upscale: 2, "
            "Hires upscaler: Lanczos",  # there the second pass alone has it
            "Refiner 'last'",
        ),
    ],
)
def test_what_cannot_take_over_is_noted(more: str, said: str) -> None:
    preset, notes = read(a1111(more=f", {more}"))
    assert said in notes and not preset.refiner.on


def test_what_is_here_and_does_not_fit_is_told_as_that() -> None:
    models = {
        **MODELS,
        "wide": ModelEntry("wide", "base", "sdxl", 1, "", latent_space="4x8xl"),
        "narrow": ModelEntry("narrow", "base", "sd1", 1, "", latent_space="4x8"),
        "broken": ModelEntry("broken", "base", "sd1", 1, "", problem="is an SDXL refiner"),
    }

    def told(name: str, base: str = "mymodel") -> tuple[Preset, str]:
        text = a1111(more=f", Refiner: {name}, Refiner switch at: 0.8").replace("mymodel", base)
        preset, notes = read_foreign(Texts({"parameters": text}, (64, 96)), "it.png", models) or (
            None,
            [],
        )
        assert preset is not None
        return preset, "\n".join(notes)

    preset, notes = told("broken")
    assert "cannot be used (is an SDXL refiner)" in notes and not preset.description
    assert "works on other latents than 'narrow'" in told("wide", "narrow")[1]
    preset, notes = told("mymodel")
    assert not preset.refiner.on and "refiner" not in notes  # the base itself


def test_swarmui_s_step_swap_takes_over() -> None:
    swap = {"refinermethod": "StepSwap", "refinercontrolpercentage": 0.2, "refinermodel": "last"}
    preset, notes = read(json.dumps({"sui_image_params": SWARM | swap | {"refinerupscale": 1}}))
    assert finished(preset) == ("last", 0.8) and "refinerm" not in notes
    larger = swap | {"refinerupscale": 1.5}
    preset, notes = read(json.dumps({"sui_image_params": SWARM | larger}))
    assert not preset.refiner.on and "refinermodel 'last'" in notes
    with_steps = swap | {"refinersteps": 9}
    assert "refinersteps 9" in read(json.dumps({"sui_image_params": SWARM | with_steps}))[1]


def test_fooocus_s_refiner_takes_over() -> None:
    more = {"refiner_model": "last", "refiner_switch": 0.6, "refiner_swap_method": "joint"}
    preset, notes = read(json.dumps(FOOOCUS | more))
    assert finished(preset) == ("last", 0.6)
    assert "of the steps there" in notes
