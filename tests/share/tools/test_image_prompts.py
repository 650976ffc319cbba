"""IP-Adapters of other tools as image prompts of rows, each tool's file by its own rules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.preset import Row
from tests.support.other_tools import a1111, comfy, graph, node, png, read, rows, sampler

PLUS = "ip-adapter-plus_sd15"


def entry(kind: str, family: str = "sd1") -> Any:
    return SimpleNamespace(kind=kind, family=family, title="", words=(), problem="", base="")


SHELF = {
    "mymodel": entry("base"),
    f"ipadapter/{PLUS}": entry("ip-adapter"),
    "ipadapter/ip-adapter-plus_sdxl_vit-h": entry("ip-adapter", "sdxl"),
}


def shown(row: Row) -> tuple[Any, ...]:
    seen = row.image_prompt
    return (row.prompt, row.range, seen and (seen.model, seen.strength, seen.blank))


def nodes(apply: dict[str, Any], **more: Any) -> dict[str, Any]:
    face = node("LoadImage", image="face.png")
    return graph(n3=sampler(model=["8", 0]), n8=apply, n30=face, **more)


def test_comfyui_s_node_is_an_image_prompt_and_its_blank(tmp_path: Path) -> None:
    apply = node(
        "IPAdapterAdvanced",
        model=["4", 0],
        ipadapter=["31", 0],
        image=["30", 0],
        clip_vision=["32", 0],
        weight=0.8,
        weight_type="linear",
        combine_embeds="concat",
        embeds_scaling="V only",
        start_at=0.0,
        end_at=1.0,
    )
    files = {
        "n31": node("IPAdapterModelLoader", ipadapter_file=f"{PLUS}.safetensors"),
        "n32": node("CLIPVisionLoader", clip_name="CLIP-ViT-H-14.safetensors"),
    }
    preset, notes = read(comfy(tmp_path, nodes(apply, **files)), SHELF)
    assert [shown(row) for row in preset.rows] == [
        ("a cat", (0.0, 1.0), (f"ipadapter/{PLUS}", 0.8, False)),
        ("bad", (0.0, 1.0), (f"ipadapter/{PLUS}", 0.8, True)),
    ]
    assert "rows.0.image_prompt.image: the picture 'face.png' is not in the file" in notes
    assert "rows.1" not in notes and "not carried over" not in notes


def test_a_part_of_the_steps_and_another_weighting(tmp_path: Path) -> None:
    apply = node(
        "IPAdapterAdvanced",
        model=["31", 0],
        ipadapter=["31", 1],
        image=["30", 0],
        weight=-0.5,
        weight_type="style transfer",
        start_at=0.2,
        end_at=0.6,
        attn_mask=["30", 1],
    )
    loader = node("IPAdapterUnifiedLoader", model=["4", 0], preset="PLUS (high strength)")
    preset, notes = read(comfy(tmp_path, nodes(apply, n31=loader)), SHELF)
    seen = (f"ipadapter/{PLUS}", 0.0, False)  # of the two by that name, the base's family's
    assert [shown(row) for row in preset.rows[:3]] == [
        ("a cat", (0.0, 0.2), None),
        ("a cat", (0.2, 0.6), seen),
        ("a cat", (0.6, 1.0), None),
    ]
    assert [row.weight for row in preset.rows] == [7.0] * 3 + [-6.0] * 3
    for words in ("at -0.5 became 0", "'style transfer'", "attn_mask (LoadImage)", "rows.1.image_"):
        assert words in notes


@pytest.mark.parametrize("models", [("mymodel",), SHELF], ids=["absent", "two"])
def test_what_a_row_cannot_hold_is_named(tmp_path: Path, models: Any) -> None:
    second = node("IPAdapter", model=["4", 0], ipadapter=["31", 0], image=["30", 0], weight=0.3)
    first = node("IPAdapter", model=["9", 0], ipadapter=["31", 0], image=["30", 0], weight=0.7)
    loader = node("IPAdapterModelLoader", ipadapter_file=f"{PLUS}.safetensors")
    preset, notes = read(comfy(tmp_path, nodes(first, n9=second, n31=loader)), models)
    reason = "a row has one image prompt" if models is SHELF else "it is not in the library"
    assert f"(strength 0.3, steps 0-1, face.png) is left out, because {reason}" in notes
    assert ("strength 0.7" in notes) == (models is not SHELF)
    assert bool(preset.rows[0].image_prompt) == (models is SHELF)
    assert rows(preset) == [("a cat", 7.0), ("bad", -6.0)]


def test_a_unit_of_the_web_ui(tmp_path: Path) -> None:
    unit = f'"Module: ip-adapter-auto, Model: {PLUS} [836b5c2e], Weight: 0.6, Guidance End: 0.5"'
    path = png(tmp_path, parameters=a1111(more=f", ControlNet 0: {unit}"))
    preset, notes = read(path, SHELF)
    assert shown(preset.rows[0]) == ("a cat", (0.0, 0.5), (f"ipadapter/{PLUS}", 0.6, False))
    assert "rows.0.image_prompt.image" in notes and "ControlNet" not in notes


def test_invokeai_s_list(tmp_path: Path) -> None:
    used = {
        "ip_adapter_model": {"name": PLUS},
        "weight": 0.4,
        "begin_step_percent": 0.0,
        "end_step_percent": 1.0,
        "image": {"image_name": "face.png"},
    }
    data = {
        "app_version": "5.0.0",
        "generation_mode": "txt2img",
        "positive_prompt": "a cat",
        "negative_prompt": "bad",
        "cfg_scale": 7.0,
        "steps": 20,
        "seed": 42,
        "width": 64,
        "height": 96,
        "scheduler": "euler",
        "model": {"name": "mymodel"},
        "ipAdapters": [used],
    }
    preset, notes = read(png(tmp_path, invokeai_metadata=json.dumps(data)), SHELF)
    seen = preset.rows[0].image_prompt
    assert seen and (seen.model, seen.strength) == (f"ipadapter/{PLUS}", 0.4)
    assert "'face.png' is not in the file" in notes
