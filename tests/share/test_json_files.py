"""JSON files of other tools: what a picture of theirs says, in a file of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import BadPreset
from studio.share import read_any
from tests.support.other_tools import graph, node, png, read
from tests.support.tool_samples import DRAW, EASY, FOOOCUS, INVOKE, SWARM

MODELS = ("mymodel", "ink")
GRAPH = graph()
FILES: dict[str, tuple[dict[str, Any], str]] = {  # and the name of the text in their pictures
    "ComfyUI": (GRAPH, "prompt"),
    "ComfyUI under prompt": ({"prompt": GRAPH, "client_id": "7"}, "parameters"),
    "SwarmUI": ({"sui_image_params": SWARM}, "parameters"),
    "Fooocus": (FOOOCUS, "parameters"),
    "Easy Diffusion": (EASY, "parameters"),
    "Draw Things": (DRAW, "parameters"),
    "InvokeAI": (INVOKE, "invokeai_metadata"),
}


def kept(folder: Path, data: object, name: str = "theirs.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", ["json", "txt"])
@pytest.mark.parametrize("tool", FILES)
def test_a_file_is_read_as_the_picture_is(tmp_path: Path, tool: str, suffix: str) -> None:
    data, key = FILES[tool]
    preset, notes = read_any(kept(tmp_path, data, f"theirs.{suffix}"), MODELS)
    same, said = read(png(tmp_path, {key: json.dumps(data)}, size=(64, 96)), MODELS)
    assert preset.model_copy(update={"name": ""}) == same.model_copy(update={"name": ""})
    assert "\n".join(notes) == said and tool.split()[0] in notes[0]
    assert [row.prompt for row in preset.rows] == ["a cat", "bad"]


def test_a_drawing_of_a_workflow_says_what_to_open_instead(tmp_path: Path) -> None:
    path = kept(tmp_path, {"last_node_id": 3, "nodes": [], "links": [], "version": 0.4})
    with pytest.raises(BadPreset, match="drawing of a workflow") as refused:
        read_any(path)
    assert refused.value.field == "theirs.json" and "API format" in refused.value.message


def test_a_graph_that_draws_nothing_is_named(tmp_path: Path) -> None:
    path = kept(tmp_path, {"1": node("LoadImage", image="a.png"), "2": node("SaveImage")})
    with pytest.raises(BadPreset, match=r"theirs\.json: is a graph of ComfyUI without a sampler"):
        read_any(path)


@pytest.mark.parametrize(
    "data",
    [
        {"txt2img/Sampling steps/value": 28, "txt2img/CFG Scale/value": 7.0},
        {"samples_save": True, "sd_model_checkpoint": "mine.safetensors [879db523c3]"},
    ],
)
def test_how_a_web_ui_is_set_up_says_what_to_open_instead(
    tmp_path: Path, data: dict[str, Any]
) -> None:
    said = r"theirs\.json: holds how AUTOMATIC1111's own page is set up.*params\.txt"
    with pytest.raises(BadPreset, match=said):
        read_any(kept(tmp_path, data))


@pytest.mark.parametrize(
    "data",
    [
        {"rows": [], "class_type": 1},
        {"name": "a", "sampler": {"steps": 9999}},
        {"nmae": "a"},
        {"rows": GRAPH},
        {"description": "Steps: 20, Sampler: Euler, CFG scale: 7", "rows": [], "more": 1},
    ],
)
def test_a_preset_that_is_wrong_somewhere_stays_one(tmp_path: Path, data: dict[str, Any]) -> None:
    with pytest.raises(BadPreset) as refused:
        read_any(kept(tmp_path, data), MODELS)
    assert refused.value.field != "theirs.json"
