"""The web UI's text and its kin: quotes, negative lines, sizes, and every field by value or by name."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sd_parsers.parsers import AUTOMATIC1111Parser

from studio.share import parameters_text, unsaid
from studio.share.tools.a1111 import pairs, split
from tests.support.other_tools import PLAIN, a1111, png, read, rows

CONTROL = (
    ', ControlNet 0: "Module: canny, Model: control_v11p_sd15_canny [d14c016b], Weight: 0.7, '
    'Resize Mode: Crop and Resize, Low Vram: False, Guidance Start: 0.1, Guidance End: 0.9"'
)


def test_values_in_quotes_hold_commas_and_colons(tmp_path: Path) -> None:
    preset, notes = read(png(tmp_path, parameters=a1111(more=CONTROL + ", Version: v1.9.4")))
    assert preset.base == "mymodel" and rows(preset) == PLAIN
    assert (preset.sampler.steps, preset.sampler.seed) == (20, 42)
    assert "the ControlNet 'control_v11p_sd15_canny' (canny, strength 0.7, steps 0.1-0.9)" in notes


def test_a_control_that_is_here(tmp_path: Path) -> None:
    path = png(tmp_path, parameters=a1111(more=CONTROL))
    preset, notes = read(path, ("mymodel", "control_v11p_sd15_canny"))
    ranges = [(row.range, row.control and row.control.type) for row in preset.rows]
    assert ranges[:3] == [((0.0, 0.1), None), ((0.1, 0.9), "canny"), ((0.9, 1.0), None)]
    assert "the control picture (canny) is not in the file; choose it" in notes


def test_a_model_s_name_with_commas(tmp_path: Path) -> None:
    text = a1111().replace("Model: mymodel", 'Model: "my, odd: model"')
    assert read(png(tmp_path, parameters=text), ("my, odd: model",))[0].base == "my, odd: model"


def test_all_lines_after_the_first_negative_one_are_negative(tmp_path: Path) -> None:
    text = a1111("a cat\nNegative prompting is a topic", "bad\nNegative prompt: worse\nmore")
    preset, _ = read(png(tmp_path, parameters=text))
    assert rows(preset) == [
        ("a cat Negative prompting is a topic", 7.0),
        ("bad worse more", -6.0),
    ]
    inside, _ = read(png(tmp_path, parameters=a1111("a sign, Negative prompt: no", "bad")))
    assert rows(inside)[0] == ("a sign, Negative prompt: no", 7.0)


def test_the_size_field_wins(tmp_path: Path) -> None:
    more = ", Denoising strength: 0.5, Hires upscale: 2, Hires steps: 8, Hires upscaler: Latent"
    preset, notes = read(png(tmp_path, size=(128, 192), parameters=a1111(more=more)))
    assert (preset.sampler.width, preset.sampler.height) == (64, 96)
    assert preset.second_pass.scale == 2
    assert "made at" not in notes


FIELDS = {
    "Variation seed: -7, Variation seed strength: 0.3": ["'-7' at 0.3 is no usable variation"],
    "Eta: 0.4": ["Eta 0.4 is left out"],
    "ENSD: 31337": ["ENSD '31337'"],
    "RNG: NV": ["RNG 'NV' is not known"],
    "VAE: ema.safetensors": ["vae: 'ema' is not in the library"],
    "Clip skip: 2.5": ["Clip skip '2.5'"],
    "Schedule type: KL Optimal": ["noise schedule 'KL Optimal'"],
    "Refiner: xl [12], Refiner switch at: 0.8": ["the refiner 'xl' ('0.8') is not in the library"],
    'RP Active: True, RP Ratios: "1,1", RP Base: False': ["RP Active 'True'", "RP Ratios '1,1'"],
    "Denoising strength: 0.6": ["image to image is not carried over (Denoising strength 0.6)"],
    "Tiling: 2": ["Tiling '2'"],
    "Face restoration: CodeFormer": ["Face restoration 'CodeFormer'"],
    "Token merging ratio: 0.5": ["Token merging ratio '0.5'"],
    "Dynamic thresholding enabled: True, Mimic scale: 7": ["Mimic scale '7'", "Dynamic thresh"],
    'FreeU Stages: "[{}]"': ["FreeU Stages"],
    "Distilled CFG Scale: 3.5": ["Distilled CFG Scale '3.5'"],
}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_carried_over_or_named(tmp_path: Path, field: str) -> None:
    preset, notes = read(png(tmp_path, parameters=a1111(more=f", {field}, Version: v1.9.4")))
    assert rows(preset) == PLAIN
    assert all(words in notes for words in FIELDS[field])


def test_the_negative_prompt_weighs_what_parts_around_and_leave(tmp_path: Path) -> None:
    text = a1111("a cat AND a dog:0.5", "bad")
    preset, _ = read(png(tmp_path, parameters=text))
    assert rows(preset) == [("a cat AND a dog:0.5", 7.0), ("bad", 1 - 7 * 1.5)]
    assert "weighs" not in "".join(unsaid(preset))


def test_noise_is_carried_over(tmp_path: Path) -> None:
    more = ", Variation seed: 7, Variation seed strength: 0.3, Eta DDIM: 0.5, RNG: GPU"
    text = a1111(more=more).replace("Euler a", "DDIM")
    preset, notes = read(png(tmp_path, size=(64, 96), parameters=text))
    values = preset.sampler
    assert (values.variation_seed, values.variation_strength, values.eta) == (7, 0.3, 0.5)
    assert values.noise == "device" and len(notes.splitlines()) == 1
    back, notes = read(png(tmp_path, size=(64, 96), parameters=parameters_text(preset)))
    assert back.sampler == values.model_copy(update={"noise": "cpu"}) and rows(back) == PLAIN


def test_rescaled_guidance_and_plain_fields(tmp_path: Path) -> None:
    more = ", CFG Rescale: 0.7, Clip skip: 1, Version: v1, Model hash: ab12, Denoising strength: 1"
    preset, notes = read(png(tmp_path, parameters=a1111(more=more)))
    assert preset.guidance_rescale == 0.7
    assert notes.splitlines()[1:] == ["made at 64x96; the picture has 64x64 pixels"]


def test_a_model_is_known_by_its_hash_where_its_name_is_not(tmp_path: Path) -> None:
    text = a1111(more=", Model hash: abcdef0123")
    assert read(png(tmp_path, parameters=text), ("abcdef0123",))[0].base == "abcdef0123"


@pytest.mark.parametrize(
    ("more", "tool"),
    [("App: SD.Next, Version: 1a2b", "SD.Next"), ("Version: f2.0.1", "AUTOMATIC1111")],
)
def test_kin(tmp_path: Path, more: str, tool: str) -> None:
    preset, notes = read(png(tmp_path, parameters=a1111(more=f", {more}")))
    assert rows(preset) == PLAIN and f"made with {tool}" in notes


def test_sdnext_s_own_settings(tmp_path: Path) -> None:
    text = a1111(more=", App: SD.Next, CFG rescale: 0.5, CFG end: 0.8, Pipeline: X")
    preset, notes = read(png(tmp_path, parameters=text))
    assert preset.guidance_rescale == 0.5
    assert "CFG end '0.8'" in notes and "Pipeline 'X'" in notes


def test_civitai_s_resources(tmp_path: Path) -> None:
    more = (
        ', Civitai resources: [{"type":"checkpoint","modelVersionId":1,"modelName":"Dreamer"},'
        '{"type":"lora","weight":0.4,"modelVersionId":2,"modelName":"ink"},'
        '{"type":"upscaler","modelVersionId":3}], Civitai metadata: {}'
    )
    text = a1111(more=more).replace(", Model: mymodel", "")
    preset, notes = read(png(tmp_path, parameters=text), ("dreamer", "ink"))
    assert preset.base == "dreamer" and rows(preset) == PLAIN
    assert preset.rows[0].model.adapters() == [("ink", 0.4)]  # type: ignore[union-attr]
    assert "the resource 'civitai.com/3' (upscaler) is not carried over" in notes
    one_line = (
        "a cat Negative prompt: Steps: 20, Sampler: Undefined, CFG scale: 3.5, Seed: 1, "
        'Civitai resources: [{"type":"checkpoint","modelVersionId":7}], Civitai metadata: {}'
    )
    text = one_line.replace(" Negative prompt:", "\nNegative prompt:")
    preset, notes = read(png(tmp_path, parameters=text))
    assert rows(preset) == [("a cat", 3.5)] and "'civitai.com/7' is not in the library" in notes


def test_civitai_s_settings_beside_a_graph(tmp_path: Path) -> None:
    import json

    extra = {
        "prompt": "a cat",
        "negativePrompt": "bad",
        "cfgScale": 7,
        "steps": 20,
        "sampler": "Euler a",
        "seed": 42,
        "clipSkip": 2,
        "width": 64,
        "height": 96,
        "resources": [{"modelVersionId": 5, "strength": 1}],
    }
    graph = {"1": {"class_type": "X", "inputs": {}}, "extraMetadata": json.dumps(extra)}
    preset, notes = read(png(tmp_path, prompt=json.dumps(graph)))
    assert rows(preset) == PLAIN and "made with civitai.com" in notes
    assert "clip_skip: 2 is left out with the base" in notes and "civitai.com/5" in notes


@pytest.mark.parametrize(
    "text",
    [
        a1111("a (cat:1.2), dog", "bad, worse"),
        a1111("two\nlines", ""),
        a1111("a", "b", ", Clip skip: 2, ENSD: 1"),
    ],
)
def test_plain_texts_are_read_as_sd_parsers_reads_them(text: str) -> None:
    info = AUTOMATIC1111Parser().parse({"parameters": text})
    theirs = info.samplers[0]
    found = split(text)
    assert found is not None
    prompt, negative, settings = found
    assert prompt == ", ".join(p.value for p in theirs.prompts)
    assert negative == ", ".join(p.value for p in theirs.negative_prompts or ())
    for key, value in theirs.parameters.items():
        names = {name.lower().replace(" ", "_"): v for name, v in settings.items()}
        assert names[key] == value


def test_values() -> None:
    assert pairs(
        'A: 1, B: "x, \\"y\\": z", C: {"k": [1, 2]}, D: un, quoted, E:, F: "open, G: 2'
    ) == {
        "A": "1",
        "B": 'x, "y": z',
        "C": {"k": [1, 2]},
        "D": "un, quoted",
        "E": "",
        "F": '"open',
        "G": "2",
    }


@pytest.mark.parametrize(
    "line",
    [
        "," * 10**6,
        "a: b" + ",x" * 10**6,
        'k: ["' * 200000,
        "k: [1," * 200000,
        "a:" * 10**6,
        "a " * 10**6 + ":",
        "Steps: " * 200000,
        "\nSteps: 1," * 100000,
    ],
    ids=lambda line: line[:9],
)
def test_hostile_lines_are_read_in_time(line: str) -> None:
    start = time.process_time()
    split(f"x\nSteps: 1, {line}")
    pairs(line)
    assert time.process_time() - start < 5
