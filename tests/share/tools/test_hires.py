"""The web UIs' hires fix as a second pass, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.library import ModelEntry
from studio.preset import Preset, validate
from studio.share.parameters import parameters_text
from studio.share.texts import Texts
from studio.share.tools.foreign import read_foreign
from studio.share.unsaid import unsaid
from tests.support.other_tools import a1111, png, read


def opened(tmp_path: Path, more: str, steps: int = 20) -> tuple[Preset, str]:
    text = a1111(more=f", {more}").replace("Steps: 20", f"Steps: {steps}")
    return read(png(tmp_path, size=(64, 96), parameters=text))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: Latent",
            {"scale": 2.0, "strength": 0.5, "steps": 40, "enlarge": "latents"},
        ),
        (
            "Denoising strength: 0.5, Hires upscale: 1.5, Hires steps: 8, Hires upscaler: Lanczos",
            {"scale": 1.5, "strength": 0.5, "steps": 16},
        ),
        (
            "Denoising strength: 0.35, Hires upscale: 2, Hires steps: 7, Hires upscaler: None",
            {"scale": 2.0, "strength": 0.35},
        ),  # 7 of 20 run at that strength anyway
        (
            "Denoising strength: 0.4, Hires resize: 128x192, Hires steps: 8, Hires upscaler: Lanczos",
            {"scale": 2.0},
        ),
    ],
)
def test_what_the_web_ui_says(more: str, expected: dict[str, Any], tmp_path: Path) -> None:
    preset, notes = opened(tmp_path, more)
    found = preset.model_dump(exclude_defaults=True)["second_pass"]
    assert {"strength": 0.4, **found} == {"strength": 0.4, **expected}
    assert "not carried over" not in notes and "Hires" not in notes
    assert (preset.sampler.width, preset.sampler.height, preset.sampler.steps) == (64, 96, 20)


def test_as_many_steps_run_as_there(tmp_path: Path) -> None:
    for strength in (0.2, 0.29, 0.35, 0.57, 0.58, 0.7, 1.0):
        for run in (3, 7, 10, 15, 20, 29, 57):
            more = f"Denoising strength: {strength}, Hires upscale: 2, Hires steps: {run}"
            again = opened(tmp_path, more)[0].second_pass
            if again.steps != 200:  # which is said
                assert int((again.steps or 20) * again.strength) == run, (strength, run)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("Denoising strength: 0.5, Hires upscale: 2, Hires steps: -5", "Hires steps -5"),
        ("Denoising strength: 0.004, Hires upscale: 2", "Denoising strength 0.004"),
        ("Denoising strength: 0.5, Hires upscale: 9", "a second pass is not carried over"),
        ("Denoising strength: 1.5, Hires upscale: 2", "Denoising strength 1.5"),
        ("Hires upscale: 2, Hires steps: 8", "a second pass is not carried over (Hires upscale 2"),
        ("Denoising strength: 0.5, Hires resize: 128x128", "Hires resize 128x128"),
        (
            "Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: R-ESRGAN 4x+",
            "second_pass.upscaler: 'RealESRGAN_x4plus' is not in the library; it is enlarged without one",
        ),
        (
            "Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: Latent (bicubic)",
            "in its latents",
        ),
        ("Denoising strength: 0.5, Hires upscale: 2, Hires CFG Scale: 0", "Hires CFG Scale '0'"),
        ("Denoising strength: 0, Hires upscale: 2, Hires prompt: more", "Hires prompt 'more'"),
        (
            "Denoising strength: 0.1, Hires upscale: 2, Hires steps: 150",
            "second_pass.steps: 1500 became 200",
        ),
    ],
)
def test_what_has_no_place_is_named(more: str, words: str, tmp_path: Path) -> None:
    assert words in opened(tmp_path, more)[1]


@pytest.mark.parametrize(
    "again",
    [
        {"scale": 2.0},
        {"scale": 1.5, "strength": 0.7, "steps": 30, "enlarge": "latents"},
        {"scale": 3.0, "strength": 0.35, "steps": 40, "scheduler": "euler"},
    ],
)
def test_what_is_written_is_read_again(again: dict[str, Any], tmp_path: Path) -> None:
    rows = [{"prompt": "a cat", "weight": 7.0}]
    size = {"width": 64, "height": 96}
    preset = validate({"rows": rows, "second_pass": again, "sampler": size})
    text = parameters_text(preset, (128, 192))
    assert "Size: 64x96" in text
    back, notes = read(png(tmp_path, size=(128, 192), parameters=text))
    ours, theirs = preset.second_pass, back.second_pass
    assert ours.model_copy(update={"steps": None}) == theirs.model_copy(update={"steps": None})
    run = [int((one.steps or preset.sampler.steps) * one.strength) for one in (ours, theirs)]
    assert run[0] == run[1] and "Hires" not in notes


def test_the_base_s_own_size_is_said_where_none_is_asked_for() -> None:
    """As it is copied before it is made: that tool would take the size of its own form."""
    preset = validate({"rows": [{"prompt": "a cat"}], "second_pass": {"scale": 2.0}})
    assert "Size: 256x256, " in parameters_text(preset, (256, 256))


@pytest.mark.parametrize("sides", [{}, {"width": 64}, {"height": 96}, {"width": 64, "height": 96}])
def test_of_a_finished_picture_the_first_pass_s_size_is_said(sides: dict[str, int]) -> None:
    """Whatever its preset holds of it; the last side too where the text is of a file."""
    rows = [{"prompt": "a cat"}]
    preset = validate({"rows": rows, "second_pass": {"scale": 2.0}, "sampler": sides})
    assert "Size: 64x96, " in parameters_text(preset, (128, 192), finished=True)
    assert "Size: 64x96, " in parameters_text(preset, (64, 96))  # before it is made


def test_what_repeats_the_first_pass_is_no_loss(tmp_path: Path) -> None:
    """As Forge writes it with each; and without an upscaler the web UI takes its latents."""
    more = (
        "Denoising strength: 0.5, Hires upscale: 2, Hires Module 1: Use same choices, "
        "Hires CFG Scale: 7, Hires sampler: Euler a, Hires prompt: a cat, Hires negative prompt: bad"
    )
    preset, notes = opened(tmp_path, more)
    assert preset.second_pass.enlarge == "latents" and "Hires" not in notes
    assert (
        "Hires sampler 'Unheard of'" in opened(tmp_path, more.replace("Euler a", "Unheard of"))[1]
    )


@pytest.mark.parametrize(
    ("sampler", "scheduler", "note"),
    [
        ("DDIM", "ddim", ""),
        ("DPM++ 2M", "dpm++", ""),
        (
            "DPM++ 2M Karras",
            "dpm++",
            "second_pass.scheduler: of 'DPM++ 2M Karras' the noise schedule",
        ),
        ("DPM++ SDE", "dpm++_sde", "second_pass.scheduler: 'DPM++ SDE' became DPM-Solver++ SDE"),
    ],
)
def test_a_sampler_of_its_own(tmp_path: Path, sampler: str, scheduler: str, note: str) -> None:
    more = f"Denoising strength: 0.5, Hires upscale: 2, Hires sampler: {sampler}"
    preset, notes = opened(tmp_path, more)
    assert preset.second_pass.scheduler == scheduler and note in notes
    assert "Hires sampler" not in notes and preset.sampler.scheduler == "euler_a"
    _, notes = opened(tmp_path, more.replace("0.5", "0"))  # of which no step runs
    assert f"Hires sampler '{sampler}'" in notes


def test_the_size_that_it_makes_is_no_other(tmp_path: Path) -> None:
    text = a1111(more=", Denoising strength: 0.5, Hires upscale: 2")
    assert "made at" not in read(png(tmp_path, size=(128, 192), parameters=text))[1]
    assert "made at 64x96" in read(png(tmp_path, size=(64, 96 * 4), parameters=text))[1]


def test_a_picture_that_was_saved_before_the_second_pass_is_told_as_one(tmp_path: Path) -> None:
    text = a1111(more=", Denoising strength: 0.5, Hires upscale: 2")
    notes = read(png(tmp_path, size=(64, 96), parameters=text))[1]
    assert "the picture is the one before the second pass, 64x96" in notes
    assert "made at" not in notes


def test_one_side_is_enough(tmp_path: Path) -> None:
    more = "Denoising strength: 0.5, Hires resize: 128x0, Hires upscaler: None"
    assert opened(tmp_path, more)[0].second_pass.scale == 2


def test_after_a_picture_to_start_from_it_is_left_out_by_name() -> None:
    init = {"image": "assets/examples/cat.png", "strength": 0.6}
    preset = validate({"rows": [{"prompt": "a"}], "init": init, "second_pass": {"scale": 2.0}})
    assert "Denoising strength: 0.6" in parameters_text(preset)
    assert "Hires" not in parameters_text(preset)
    assert any(line.startswith("second_pass.scale: left out") for line in unsaid(preset))


def test_prompts_and_scale_of_the_second_pass_are_its_own(tmp_path: Path) -> None:
    own = (
        'Hires prompt: "a (cat:1.2), sharp <lora:gone:1>", Hires negative prompt: blur, '
        "Hires CFG Scale: 3.5"
    )
    more = f"Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: Lanczos, {own}"
    preset, notes = opened(tmp_path, more)
    again = preset.second_pass
    assert (again.prompt, again.negative_prompt, again.cfg) == ("a (cat:1.2), sharp", "blur", 3.5)
    assert (
        "second_pass.prompt: <lora:gone:1> is left out; a later pass has the rows' LoRAs" in notes
    )
    said = parameters_text(preset)
    for part in ("Hires negative prompt: blur", "Hires CFG Scale: 3.5", "Hires prompt: "):
        assert part in said
    there, _ = opened(tmp_path, said.partition("Steps: ")[2].partition(", ")[2])
    assert there.second_pass == again
    none = a1111(more=f", {more}").replace("Negative prompt: bad\n", "")
    _, told = read_foreign(Texts({"parameters": none}, (64, 96)), "it.png", ()) or (None, [])
    assert "Hires negative prompt 'blur'" in "\n".join(told)  # of no row


def test_what_a_prompt_of_several_rows_becomes_there_is_said() -> None:
    rows = [{"prompt": "a"}, {"prompt": "b"}, {"prompt": "c", "weight": -1.0}]
    again = {"scale": 2.0, "prompt": "d", "negative_prompt": "e"}
    preset = validate({"rows": rows, "second_pass": again})
    said = [line for line in unsaid(preset) if line.startswith("second_pass")]
    assert said == ["second_pass.prompt: there, it takes the place of all rows of its side"]


def test_an_embedding_of_the_second_pass_is_given_to_the_row_whose_place_it_takes() -> None:
    models = {
        "EasyNeg": ModelEntry(
            "EasyNeg", "embedding", "sd1", 1, "/m/e.safetensors", words=("EasyNeg",)
        ),
        "mymodel": ModelEntry("mymodel", "base", "sd1", 1, ""),
    }
    more = ", Denoising strength: 0.5, Hires upscale: 2, Hires upscaler: Lanczos, Hires negative prompt: EasyNeg"
    found = read_foreign(Texts({"parameters": a1111(more=more)}, (128, 192)), "it.png", models)
    assert found is not None
    assert [row.model and row.model.embeddings for row in found[0].rows] == [None, ("EasyNeg",)]


def test_the_library_s_upscaler_of_the_web_ui_s_name() -> None:
    more = ", Denoising strength: 0, Hires upscale: 2, Hires steps: 9, Hires upscaler: R-ESRGAN 4x+"
    models = {
        name: ModelEntry(
            id=name, kind="upscaler", family="", bytes=1, path=f"/m/{name}.safetensors"
        )
        for name in ("upscale_models/RealESRGAN_x4plus", "ESRGAN/RealESRGAN_x2plus")
    }
    found = read_foreign(Texts({"parameters": a1111(more=more)}, (128, 192)), "it.png", models)
    assert found is not None
    preset, notes = found
    again = preset.second_pass
    assert (again.upscaler, again.strength) == ("upscale_models/RealESRGAN_x4plus", 0.0)
    assert again.steps is None and not [note for note in notes if "pscaler" in note]
    said = parameters_text(preset)
    assert "Hires upscaler: R-ESRGAN 4x+" in said and "Hires steps" not in said


def test_soft_inpainting_is_said_where_it_was_on(tmp_path: Path) -> None:
    """Its start picture is not in the file."""
    numbers = "Soft inpainting schedule bias: 1, Soft inpainting difference contrast: 2"
    _, notes = opened(tmp_path, f"Soft inpainting enabled: True, {numbers}")
    assert "init.soft_inpainting: was on there" in notes
    assert "left out: schedule bias 1, difference contrast 2" in notes
    assert "not carried over" not in notes
    assert "another rule" in opened(tmp_path, "Soft inpainting enabled: True")[1]
    assert "oft inpainting" not in opened(tmp_path, f"Soft inpainting enabled: False, {numbers}")[1]
