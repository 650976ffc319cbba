"""Other tools' images as presets. What they write is written here by hand, as they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio import share
from studio.errors import BadPreset
from studio.preset import ModelRef
from studio.share.tools.prompts import read_prompt


def picture() -> Image.Image:
    return Image.new("RGB", (32, 32), "teal")


def png(path: Path, **chunks: str) -> Path:
    info = PngInfo()
    for key, value in chunks.items():
        info.add_text(key, value)
    picture().save(path, pnginfo=info)
    return path


A1111 = """masterpiece, (a (red:1.3) cat:1.2), <lora:fluffy:0.8> sitting \\(alone\\) AND [snow] :0.5
Negative prompt: blurry, <hypernet:dull:1>
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 1234567890, Size: 32x32, \
Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.4, Clip skip: 2, \
Lora hashes: "fluffy: 5f0b", Version: v1.9.4"""


def test_a1111(tmp_path: Path) -> None:
    preset, notes = share.read_image(png(tmp_path / "theirs.png", parameters=A1111))
    # ε(neg) + w·(ε(pos) − ε(neg)) with w = 7.5
    assert [(row.prompt, row.weight) for row in preset.rows] == [
        (r"masterpiece, (a (red:1.3) cat:1.2), sitting \(alone\) AND [snow] :0.5", 7.5),
        ("blurry", -10.25),
    ]
    assert preset.sampler.model_dump(exclude_defaults=True) | {"scheduler": "dpm++"} == {
        "scheduler": "dpm++",
        "schedule": "karras",
        "steps": 28,
        "seed": 1234567890,
    }
    assert preset.base == "starter"
    assert preset.rows[0].model is None and preset.omega == 0.0
    assert preset.description == "Not in this library: <lora:fluffy:0.8>"
    text = "\n".join(notes)
    for words in (
        "v1-5-pruned-emaonly",
        "'fluffy' at 0.8",
        "'dull'",
        "image to image",
        "clip_skip: 2",
        "size",
    ):
        assert words in text


def test_a1111_with_a_model_that_is_here(tmp_path: Path) -> None:
    path = png(tmp_path / "theirs.png", parameters=A1111)
    preset, notes = share.read_image(path, ["starter", "sd/v1-5-pruned-emaonly", "fluffy"])
    adapters = [row.model.adapters() for row in preset.rows if isinstance(row.model, ModelRef)]
    assert adapters == [[("fluffy", 0.8)]] * 2
    assert preset.base == "sd/v1-5-pruned-emaonly"
    assert (preset.sampler.width, preset.sampler.height) == (32, 32)
    assert not any("not in the library" in note for note in notes)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a1111_in_exif(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    path = tmp_path / f"theirs.{suffix}"
    picture().save(path, exif=exif)
    preset, _ = share.read_any(path)
    assert [row.weight for row in preset.rows] == [7.5, -10.25]


def test_invokeai(tmp_path: Path) -> None:
    metadata = {
        "app_version": "4.2.0",
        "positive_prompt": "a cat+++ on a mat",
        "negative_prompt": "",
        "width": 32,
        "height": 32,
        "seed": 42,
        "steps": 300,
        "cfg_scale": 4,
        "scheduler": "euler_a",
        "model": {"model_name": "dreamer", "base_model": "sd-1"},
        "loras": [{"lora": {"model_name": "ink"}, "weight": 0.7}],
    }
    preset, notes = share.read_image(
        png(tmp_path / "theirs.png", invokeai_metadata=json.dumps(metadata))
    )
    assert [(row.prompt, row.weight) for row in preset.rows] == [("a (cat:1.331) on a mat", 4)]
    assert (preset.sampler.scheduler, preset.sampler.seed) == ("euler_a", 42)
    assert preset.sampler.steps == 200
    assert "sampler.steps: 300 became 200" in notes
    assert any("the LoRA 'ink' at 0.7 is not in the library" in note for note in notes)
    assert not any("loras" in note for note in notes)  # it is said once


def comfy_graph() -> tuple[dict[str, Any], dict[str, Any]]:
    def node(kind: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": kind, "inputs": inputs}

    sampling = {"seed": 2**60, "steps": 20, "cfg": 8.0, "sampler_name": "heun"}
    links = {"model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0]}
    prompt = {
        "3": node("KSampler", scheduler="karras", denoise=1.0, **sampling, **links),
        "4": node("CheckpointLoaderSimple", ckpt_name="sd15.safetensors"),
        "6": node("CLIPTextEncode", text="a (cat:1.1) embedding:shiny", clip=["10", 1]),
        "7": node("CLIPTextEncode", text="dark", clip=["10", 1]),
        "10": node("LoraLoader", lora_name="ink.safetensors", model=["4", 0], clip=["4", 1]),
    }
    workflow = {
        "links": [
            [1, 10, 0, 3, 0, "MODEL"],
            [2, 6, 0, 3, 1, "CONDITIONING"],
            [3, 7, 0, 3, 2, "CONDITIONING"],
            [4, 4, 0, 10, 0, "MODEL"],
            [5, 10, 1, 6, 0, "CLIP"],
            [6, 10, 1, 7, 0, "CLIP"],
        ]
    }
    return prompt, workflow


def test_comfyui(tmp_path: Path) -> None:
    prompt, workflow = map(json.dumps, comfy_graph())
    path = png(tmp_path / "theirs.png", prompt=prompt, workflow=workflow)
    preset, notes = share.read_image(path, ["sd15"])
    assert [(row.prompt, row.weight) for row in preset.rows] == [
        ("a (cat:1.1)", 8.0),
        ("dark", -7.0),
    ]
    assert (preset.base, preset.sampler.steps) == ("sd15", 20)
    assert (preset.sampler.scheduler, preset.sampler.schedule) == ("heun", "karras")
    text = "\n".join(notes)
    assert preset.description == "Not in this library: <lora:ink.safetensors:1>, embedding:shiny"
    for words in (
        "'ink.safetensors'",
        "'shiny'",
        "no usable seed",
    ):
        assert words in text


@pytest.mark.parametrize(
    "metadata",
    [
        {"parameters": "just words"},
        {"prompt": "[1, 2]", "workflow": "{}"},
        {"prompt": "{}", "workflow": "[]"},
        {"invokeai_metadata": "null"},
        {"prompt": "[" * 100_000, "workflow": "{}"},
    ],
)
def test_what_only_looks_like_another_tool_s(tmp_path: Path, metadata: dict[str, str]) -> None:
    with pytest.raises(BadPreset) as caught:
        share.read_image(png(tmp_path / "theirs.png", **metadata))
    assert str(caught.value) == "theirs.png: the image carries no preset"


def test_foreign_numbers_out_of_range(tmp_path: Path) -> None:
    text = "cat\nSteps: nan, Sampler: Euler, CFG scale: inf, Seed: -3, Size: 32x32, Model: x"
    preset, notes = share.read_image(png(tmp_path / "theirs.png", parameters=text))
    assert preset.rows[0].weight == 7.0
    assert preset.sampler.steps == 25
    assert sum("no usable" in note for note in notes) == 2


def test_long_prompts_are_cut() -> None:
    notes: list[str] = []
    text, _ = read_prompt("(" * 3000 + "word, " * 2000, "AUTOMATIC1111", "rows.0.prompt", notes)
    assert len(text) == 4000
    assert "cut to 4000" in notes[-1]
