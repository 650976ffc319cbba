"""ComfyUI's controls as rows with a picture to choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.other_tools import comfy, encode, graph, node, read, sampler


def control(kind: str, **inputs: Any) -> dict[str, Any]:
    return node(kind, control_net=["31", 0], image=["32", 0], strength=0.8, **inputs)


CONTROL = {
    "n31": node("ControlNetLoader", control_net_name="canny15.safetensors"),
    "n32": node("Canny", image=["33", 0], low_threshold=0.4, high_threshold=0.8),
    "n33": node("LoadImage", image="house.png"),
}


def test_controls_are_rows_with_a_picture_to_choose(studio_home: Path, tmp_path: Path) -> None:
    applied = control(
        "ControlNetApplyAdvanced",
        positive=["6", 0],
        negative=["7", 0],
        start_percent=0.0,
        end_percent=0.5,
    )
    nodes = graph(n3=sampler(positive=["30", 0], negative=["30", 1]), n30=applied, **CONTROL)
    preset, notes = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    found = [
        (r.prompt, r.weight, r.range, r.control and (r.control.type, r.control.strength))
        for r in preset.rows
    ]
    assert found == [
        ("a cat", 7.0, (0.0, 0.5), ("canny", 0.8)),
        ("a cat", 7.0, (0.5, 1.0), None),
        ("bad", -6.0, (0.0, 0.5), ("canny", 0.8)),
        ("bad", -6.0, (0.5, 1.0), None),
    ]
    assert "the control picture 'house.png' (Canny) is not in the file; choose it" in notes
    _, notes = read(comfy(tmp_path, nodes))
    assert "the ControlNet 'canny15.safetensors' (Canny, strength 0.8, steps 0-0.5" in notes


def test_the_older_control_reaches_the_negative_side_too(studio_home: Path, tmp_path: Path) -> None:
    applied = control("ControlNetApply", conditioning=["6", 0])
    nodes = graph(n3=sampler(positive=["30", 0]), n30=applied, n7=encode(""), **CONTROL)
    preset, _ = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    # With a control the empty prompt is no longer the base term: it keeps its row.
    assert [(r.prompt, r.weight, bool(r.control)) for r in preset.rows] == [
        ("a cat", 7.0, True),
        ("", -6.0, True),
    ]


def test_controls_in_a_chain_act_together(studio_home: Path, tmp_path: Path) -> None:
    first = control("ControlNetApply", conditioning=["6", 0])
    second = {**control("ControlNetApply", conditioning=["30", 0])}
    second["inputs"]["strength"] = 0.5
    nodes = graph(n3=sampler(positive=["35", 0]), n30=first, n35=second, **CONTROL)
    preset, _ = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    both = [sorted(one.strength for one in row.all_controls.values()) for row in preset.rows]
    assert both == [[0.5, 0.8], [0.5, 0.8]]


def test_of_several_conditions_the_negative_side_has_the_controls_of_the_last(
    studio_home: Path, tmp_path: Path
) -> None:
    first = control("ControlNetApply", conditioning=["6", 0])
    second = control("ControlNetApply", conditioning=["36", 0])
    second["inputs"]["strength"] = 0.5
    together = node("ConditioningCombine", conditioning_1=["30", 0], conditioning_2=["35", 0])
    nodes = graph(
        n3=sampler(positive=["37", 0]),
        n30=first,
        n35=second,
        n36=encode("a dog"),
        n37=together,
        **CONTROL,
    )
    preset, _ = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    found = {row.prompt: [one.strength for one in row.all_controls.values()] for row in preset.rows}
    assert found == {"a cat": [0.8], "a dog": [0.5], "bad": [0.5]}


@pytest.mark.parametrize(
    ("chosen", "source", "kind", "finished"),
    [
        ("canny/lineart/anime_lineart/mlsd", "33", "lineart", True),
        ("depth", "33", "depth", True),
        ("canny/lineart/anime_lineart/mlsd", "32", "lineart", False),
        ("auto", "33", "map", False),
    ],
)
def test_a_union_s_finished_map(
    studio_home: Path, tmp_path: Path, chosen: str, source: str, kind: str, finished: bool
) -> None:
    """Without a preprocessor between, the picture is a map of that kind already."""
    applied = control("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0])
    applied["inputs"] |= {"control_net": ["34", 0], "image": [source, 0]}
    union = node("SetUnionControlNetType", type=chosen, control_net=["31", 0])
    nodes = graph(
        n3=sampler(positive=["30", 0], negative=["30", 1]), n30=applied, n34=union, **CONTROL
    )
    preset, _ = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    found = preset.rows[0].control
    assert found and (found.type, found.finished) == (kind, finished)


@pytest.mark.parametrize(
    ("edges", "thresholds"),
    [
        (node("Canny", low_threshold=0.2, high_threshold=0.6), (51, 153)),
        (node("CannyEdgePreprocessor", low_threshold=60, high_threshold=150), (60, 150)),
        (node("Canny", low_threshold=-1, high_threshold=1e9), (0, 1000)),
        (node("Canny", low_threshold="x", high_threshold=0.6), (100, 200)),
        (node("Canny"), (100, 200)),
    ],
)
def test_the_thresholds_of_edges_come_along(
    studio_home: Path, tmp_path: Path, edges: dict[str, Any], thresholds: tuple[int, int]
) -> None:
    """Also where the edges are made larger behind their preprocessor."""
    edges = {**edges, "inputs": {**edges["inputs"], "image": ["33", 0]}}
    applied = control("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0])
    applied["inputs"]["image"] = ["35", 0]
    scaled = node("ImageScale", image=["32", 0], width=512, height=512)
    nodes = graph(
        n3=sampler(positive=["30", 0], negative=["30", 1]),
        **{"n30": applied, **CONTROL, "n32": edges, "n35": scaled},
    )
    preset, notes = read(comfy(tmp_path, nodes), ("mymodel", "canny15"))
    found = preset.rows[0].control
    assert found and (found.type, found.low, found.high) == ("canny", *thresholds)
    assert "threshold" not in notes or "low_threshold is not read" in notes
