"""ComfyUI's graphs as presets: texts and numbers along links."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio import share
from studio.errors import BadPreset
from tests.support.other_tools import (
    PLAIN,
    comfy,
    encode,
    graph,
    node,
    photo,
    png,
    read,
    rows,
    sampler,
)


def test_the_prompt_chunk_alone_is_enough(tmp_path: Path) -> None:
    preset, notes = read(comfy(tmp_path, graph()))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    values = preset.sampler
    assert (values.scheduler, values.steps, values.seed) == ("euler", 20, 42)
    assert (values.width, values.height) == (64, 96)
    assert notes == (
        "made with ComfyUI: the same seed gives other noise here\n"
        "made at 64x96; the picture has 64x64 pixels"
    )


@pytest.mark.parametrize(
    "more",
    [
        {"n20": node("PrimitiveString", value="a cat")},
        {"n20": node("Text Multiline", text="a cat")},
        {"n20": node("Reroute", value=["21", 0]), "n21": node("String Literal", string="a cat")},
        {
            "n20": node("ShowText|pysssss", text=["21", 0], text_0="shown"),
            "n21": node("S", string="a cat"),
        },
        {
            "n20": node("Nobody knows it", x=3, inside=["21", 0]),
            "n21": node("StringNode", value="a cat"),
        },
        {
            "n20": node("StringConcatenate", string_a=["21", 0], string_b="cat", delimiter=" "),
            "n21": node("Text", text="a"),
        },
        {
            "n20": node(
                "ImpactWildcardProcessor", wildcard_text="{a|b}", populated_text="a cat", seed=1
            )
        },
        {"n20": node("SDXLPromptStyler", text_positive="a cat", text_negative="no", style="base")},
    ],
    ids=lambda more: more["n20"]["class_type"],
)
def test_text_is_followed_along_links(tmp_path: Path, more: dict) -> None:
    preset, _ = read(comfy(tmp_path, graph(n6=encode(["20", 0]), **more)))
    assert rows(preset) == PLAIN


def test_text_that_cannot_be_followed_is_named(tmp_path: Path) -> None:
    preset, notes = read(comfy(tmp_path, graph(n6=encode(["20", 0]), n20=node("Oracle", model=3))))
    assert rows(preset) == [("bad", -6.0)]
    assert "CLIPTextEncode: its text cannot be followed" in notes


def test_long_chains_and_circles_end(tmp_path: Path) -> None:
    chain = {f"n{i}": node("Reroute", x=[str(i + 1), 0]) for i in range(100, 160)}
    preset, _ = read(
        comfy(tmp_path, graph(n6=encode(["100", 0]), **chain, n160=node("S", text="a cat")))
    )
    assert rows(preset) == PLAIN
    circle = graph(
        n6=node("ConditioningCombine", conditioning_1=["8", 0], conditioning_2=["6", 0]),
        n8=encode(["9", 0]),
        n9=node("A", text=["10", 0]),
        n10=node("B", text=["9", 0]),
        n4=node("LoraLoader", lora_name="x", model=["4", 0], clip=["4", 1]),
        n5=node("LatentUpscale", samples=["5", 0], width=9, height=9),
    )
    _, notes = read(comfy(tmp_path, circle))
    assert "links lead back to itself" in notes and "cannot be followed" in notes


def test_numbers_are_followed_along_links(tmp_path: Path) -> None:
    nodes = graph(
        n3=sampler(steps=["8", 0], cfg=["9", 0], seed=["10", 0]),
        n5=node("EmptyLatentImage", width=["11", 0], height=["12", 0], batch_size=1),
        n8=node("PrimitiveInt", value=9),
        n9=node("Reroute", x=["13", 0]),
        n13=node("FloatConstant", value=3.5),
        n10=node("Seed (rgthree)", seed=77),
        n11=node("easy int", value=128),
        n12=node("Math", a=1, b=["11", 0], number=256),
    )
    preset, notes = read(comfy(tmp_path, nodes))
    assert (preset.sampler.steps, preset.rows[0].weight, preset.sampler.seed) == (9, 3.5, 77)
    assert (preset.sampler.width, preset.sampler.height) == (128, 256)
    assert "no usable" not in notes


def test_numbers_that_cannot_be_followed_are_named(tmp_path: Path) -> None:
    nodes = graph(n3=sampler(steps=["99", 0], cfg=["8", 0], seed=["8", 0]), n8=node("Oracle"))
    _, notes = read(comfy(tmp_path, nodes))
    for words in ("steps is not read", "cfg is not read", "seed is not read", "no usable seed"):
        assert words in notes


def test_sdxl_s_two_texts(tmp_path: Path) -> None:
    sizes = {
        "width": 64,
        "height": 96,
        "target_width": 64,
        "target_height": 96,
        "crop_w": 0,
        "crop_h": 0,
    }
    both = node("CLIPTextEncodeSDXL", text_g="a cat", text_l="a cat", clip=["4", 1], **sizes)
    preset, notes = read(comfy(tmp_path, graph(n6=both)))
    assert rows(preset) == PLAIN and "CLIPTextEncodeSDXL" not in notes
    other = node(
        "CLIPTextEncodeSDXL", text_g="a cat", text_l="fur", clip=["4", 1], **sizes | {"crop_w": 8}
    )
    preset, notes = read(comfy(tmp_path, graph(n6=other)))
    assert rows(preset)[0] == ("a cat, fur", 7.0)
    assert "several encoders are read as one prompt" in notes and "crop_w 8" in notes


def test_zeroed_conditions_are_no_text(tmp_path: Path) -> None:
    preset, notes = read(
        comfy(tmp_path, graph(n7=node("ConditioningZeroOut", conditioning=["6", 0])))
    )
    assert rows(preset) == [("a cat", 7.0)]
    assert "ConditioningZeroOut" in notes


def test_unknown_nodes_between_let_their_text_through_and_are_named(tmp_path: Path) -> None:
    between = node(
        "unCLIPConditioning", conditioning=["6", 0], strength=0.7, clip_vision_output=["4", 3]
    )
    preset, notes = read(comfy(tmp_path, graph(n3=sampler(positive=["8", 0]), n8=between)))
    assert rows(preset) == PLAIN
    assert "unCLIPConditioning is not carried over (strength 0.7)" in notes


@pytest.mark.parametrize("tag", [0x010E, 0x010F, 0x0110])
def test_graphs_in_exif(tmp_path: Path, tag: int) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[tag] = f"prompt:{json.dumps(graph())}"
    path = tmp_path / "theirs.webp"
    Image.new("RGB", (64, 64)).save(path, exif=exif.tobytes())
    assert rows(read(path)[0]) == PLAIN
    path = photo(tmp_path, b"UNICODE\0" + json.dumps({"prompt": graph()}).encode("utf-16-be"))
    assert rows(read(path)[0]) == PLAIN


COMPUTED = {
    "replaced": (node("StringReplace", string="a cat", find="cat", replace="dog"), "find 'cat'"),
    "in lower case": (node("CaseConverter", string="a cat", mode="lowercase"), "'lowercase'"),
    "joined": (
        node("Text Concatenate", delimiter=" ", clean_whitespace="true", a="a", b="cat"),
        "",
    ),
    "appended": (node("StringFunction|pysssss", action="append", text_a="a", text_b="cat"), ""),
    "drawn": (node("DPRandomGenerator", text="a cat", seed=5, autorefresh="No"), "seed 5"),
}


@pytest.mark.parametrize("how", COMPUTED)
def test_a_text_that_a_node_computes_is_named(tmp_path: Path, how: str) -> None:
    made, words = COMPUTED[how]
    preset, notes = read(comfy(tmp_path, graph(n6=encode(["20", 0]), n20=made)))
    assert rows(preset) == PLAIN
    assert words in notes and ("its text is read, without" in notes) == bool(
        words or "act" in notes
    )


def test_a_number_that_a_node_computes_is_named(tmp_path: Path) -> None:
    calculated = node("SimpleMath+", value="a*2", a=["21", 0], b=3)
    nodes = graph(n3=sampler(steps=["20", 0]), n20=calculated, n21=node("PrimitiveInt", value=9))
    preset, notes = read(comfy(tmp_path, nodes))
    assert preset.sampler.steps == 9
    assert "SimpleMath+: steps is read as 9, without what else it has (value 'a*2', b 3)" in notes


@pytest.mark.parametrize(
    "switch",
    [
        node("ImpactSwitch", select=2, input1=["21", 0], input2=["22", 0]),
        node("ComfySwitchNode", switch=False, on_true=["21", 0], on_false=["22", 0]),
        node("ImpactConditionalBranch", cond=True, tt_value=["22", 0], ff_value=["21", 0]),
    ],
    ids=lambda one: one["class_type"],
)
@pytest.mark.parametrize("of_texts", [True, False])
def test_a_switch_leads_where_it_is_set(tmp_path: Path, switch: dict, of_texts: bool) -> None:
    if of_texts:
        others = {"n21": node("S", string="a dog"), "n22": node("S", string="a cat")}
        nodes = graph(n6=encode(["20", 0]), n20=switch, **others)
    else:
        others = {"n21": encode("a dog"), "n22": encode("a cat")}
        nodes = graph(n3=sampler(positive=["20", 0]), n20=switch, **others)
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == PLAIN and switch["class_type"] not in notes


def test_a_drawing_without_its_graph_is_named(tmp_path: Path) -> None:
    path = png(tmp_path, workflow=json.dumps({"nodes": [], "links": []}))
    with pytest.raises(BadPreset, match="the graph that ran is missing"):
        share.read_image(path)
