"""Clip skip of other tools: each counts in its own way, and the studio from the last layer, which is 1."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.library import Library, ModelEntry
from studio.preset import Preset, validate
from studio.share.parameters import parameters_text
from studio.share.texts import Texts
from studio.share.tools.foreign import read_foreign
from tests.share.tools.test_every_field import with_value
from tests.support import other_tools, tool_examples
from tests.support.other_tools import encode, graph, node


def entry(family: str) -> ModelEntry:
    """The starter's entry as a model of a family that the examples name."""
    return replace(Library()["starter"], id="mymodel", title="", family=family)


def opened(texts: dict[str, str], family: str = "sd1") -> tuple[Preset, str]:
    """The preset, and what is said of it, where the library has the picture's base."""
    found = read_foreign(Texts(texts, (64, 96)), "theirs.png", {"mymodel": entry(family)})
    assert found is not None
    return found[0], "\n".join(found[1])


@pytest.mark.parametrize(
    ("tool", "place", "value", "layer"),
    [
        ("AUTOMATIC1111", "Clip skip", 2, 2),
        ("AUTOMATIC1111", "Clip skip", 1, None),
        ("civitai.com", "clipSkip", 2, 2),
        ("Fooocus", "clip_skip", 3, 3),
        ("Draw Things", "v2.clipSkip", 2, 2),
        ("Draw Things", "clip_skip", 2, 2),
        ("Draw Things", "v2.clipSkip", 0, None),
        ("Easy Diffusion", "clip_skip", "True", 2),
        ("Easy Diffusion", "clip_skip", "False", None),
        ("InvokeAI", "clip_skip", 1, 2),
        ("InvokeAI", "clip_skip", 0, None),
        ("SwarmUI", "clipstopatlayer", -2, 2),
        ("SwarmUI", "clipstopatlayer", -1, None),
    ],
)
def test_each_tool_s_count_is_the_studio_s(
    tool: str, place: str, value: Any, layer: int | None
) -> None:
    data, write = tool_examples.BASES[tool]
    preset, notes = opened(write(with_value(data, place, value)))
    assert preset.clip_skip == layer
    assert place.rpartition(".")[2] not in notes and "Clip skip" not in notes


def comfy(positive: str = "9", negative: str = "9", **nodes: Any) -> dict[str, str]:
    """A graph whose prompts are read through node 9, which stops at a layer."""
    stops = {"n9": node("CLIPSetLastLayer", stop_at_clip_layer=-2, clip=["4", 1]), **nodes}
    texts = {"n6": encode("a cat", clip=positive), "n7": encode("bad", clip=negative)}
    return {"prompt": json.dumps(graph(**texts, **stops))}


def test_a_graph_s_layer_is_the_one_nearest_to_its_prompts() -> None:
    assert opened(comfy())[0].clip_skip == 2
    again = node("CLIPSetLastLayer", stop_at_clip_layer=-3, clip=["9", 0])
    preset, notes = opened(comfy("8", "8", n8=again))
    assert preset.clip_skip == 3 and "CLIPSetLastLayer" not in notes


def test_a_graph_that_reads_its_prompts_at_several_layers_says_so() -> None:
    preset, notes = opened(comfy(negative="4"))
    assert preset.clip_skip is None
    assert "Clip skip 2 (CLIPSetLastLayer) is not carried over" in notes


def test_the_last_layer_is_sd_1_s_own_and_not_xl_s() -> None:
    last = node("CLIPSetLastLayer", stop_at_clip_layer=-1, clip=["4", 1])
    assert opened(comfy(n9=last), "sd1")[0].clip_skip is None
    assert opened(comfy(n9=last), "sdxl")[0].clip_skip == 1
    assert opened(comfy(), "sdxl")[0].clip_skip is None  # the last but one, which XL reads anyway


def test_layers_that_are_left_out_count_from_the_base_s_own() -> None:
    data, write = tool_examples.BASES["InvokeAI"]
    texts = write(with_value(data, "clip_skip", 1))
    found = {family: opened(texts, family)[0].clip_skip for family in ("sd1", "sd2", "sdxl")}
    assert found == {"sd1": 2, "sd2": 3, "sdxl": 3}


def test_a_layer_that_a_base_ships_without_is_named() -> None:
    last = node("CLIPSetLastLayer", stop_at_clip_layer=-1, clip=["4", 1])
    preset, notes = opened(comfy(n9=last), "sd2")
    assert preset.clip_skip is None
    assert "clip_skip: 1 is left out; Stable Diffusion 2.x has no such layer" in notes


def test_a_base_that_reads_none_says_that_it_is_left_out() -> None:
    text = {"parameters": other_tools.a1111(more=", Clip skip: 2")}
    preset, notes = opened(text, "flux")
    assert preset.clip_skip is None
    assert "clip_skip: 2 is left out; FLUX.1 reads no single layer of CLIP" in notes


def test_the_studio_s_own_text_says_it_as_the_web_uis_do(tmp_path: Path) -> None:
    text = parameters_text(validate({"rows": [{"prompt": "a cat"}], "clip_skip": 2}), (64, 64))
    assert ", Clip skip: 2" in text
    assert "Clip skip" not in parameters_text(validate({"rows": [{"prompt": "a cat"}]}), (64, 64))
