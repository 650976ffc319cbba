"""ComfyUI's nodes: every input of each changes the preset or is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.preset import Preset
from studio.share.texts import Texts
from studio.share.tools.comfy_conditions import not_read
from studio.share.tools.foreign import read_foreign
from tests.support.other_tools import encode, graph, node, sampler

RICH = graph(  # one of every kind that is read, and two that are not
    n3=sampler(positive=["9", 0], model=["20", 0], latent_image=["26", 0]),
    n6=encode("a cat", clip="29"),
    n7=encode("bad", clip="29"),
    n8=encode("a sky", clip="29"),
    n9=node("ConditioningCombine", conditioning_1=["21", 0], conditioning_2=["22", 0]),
    n20=node(
        "LoraLoader",
        lora_name="ink",
        strength_model=1,
        strength_clip=0.5,
        model=["25", 0],
        clip=["4", 1],
    ),
    n21=node(
        "ConditioningSetArea", conditioning=["6", 0], x=0, y=0, width=32, height=32, strength=1
    ),
    n22=node("ConditioningSetTimestepRange", conditioning=["23", 0], start=0.1, end=0.9),
    n23=node(
        "ConditioningAverage",
        conditioning_to=["8", 0],
        conditioning_from=["24", 0],
        conditioning_to_strength=0.4,
    ),
    n24=node("ConditioningConcat", conditioning_to=["6", 0], conditioning_from=["8", 0]),
    n25=node("RescaleCFG", multiplier=0.5, model=["33", 0]),
    n26=node("LatentUpscale", samples=["5", 0], width=64, height=64),
    n27=node("VAEDecodeTiled", samples=["3", 0], vae=["28", 0], tile_size=512),
    n28=node("VAELoader", vae_name="ema"),
    n29=node("CLIPSetLastLayer", stop_at_clip_layer=-2, clip=["20", 1]),
    n30=node("ModelSamplingSD3", shift=3.0, model=["4", 0]),
    n31=node("ImageUpscaleWithModel", image=["27", 0], upscale_model=["32", 0]),
    n32=node("UpscaleModelLoader", model_name="x4"),
    n33=node(
        "IPAdapterAdvanced",
        model=["30", 0],
        ipadapter=["34", 0],
        image=["35", 0],
        weight=0.8,
        start_at=0.1,
        end_at=0.9,
    ),
    n34=node("IPAdapterModelLoader", ipadapter_file="plus"),
    n35=node("LoadImage", image="face.png"),
)


def told(nodes: dict[str, Any]) -> tuple[Preset, set[str]]:
    found = read_foreign(
        Texts({"prompt": json.dumps(nodes)}, (64, 96)), "a.png", ("mymodel", "ink")
    )
    assert found is not None
    return found[0], set(found[1])


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, str):
        return "other"
    return value // 2 + 9 if isinstance(value, int) else value / 2 + 0.1


def test_no_input_of_any_node_disappears(studio_home: Path) -> None:
    plain = told(RICH)
    for place, one in RICH.items():
        for name, value in one["inputs"].items():
            if isinstance(value, list):
                continue
            nodes = json.loads(json.dumps(RICH))
            nodes[place]["inputs"][name] = changed(value)
            preset, notes = told(nodes)
            assert preset != plain[0] or not notes <= plain[1], (place, name)
        nodes = json.loads(json.dumps(RICH))
        nodes[place]["inputs"]["unheard_of"] = 5
        preset, notes = told(nodes)
        assert any("unheard_of 5" in note for note in notes), place
        assert preset.rows[0].prompt == "a cat"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"batch_size": 4}, "EmptyLatentImage: batch_size 4 is not carried over"),
        ({"batch_size": 4, "a": 1}, "EmptyLatentImage: batch_size 4, a 1 are not carried over"),
    ],
)
def test_one_literal_that_is_not_read_is_one(values: dict[str, Any], said: str) -> None:
    assert not_read("EmptyLatentImage", values) == said


@pytest.mark.parametrize(("letter", "meant"), [("\U0001f408", "\U0001f408"), ("\ud83d", "\ufffd")])
def test_half_of_a_letter_is_a_sign_and_is_said(studio_home: Path, letter: str, meant: str) -> None:
    text = json.dumps(graph(n6=encode(f"a cat {letter}")))
    found = read_foreign(Texts({"prompt": text}, (64, 64)), "picture")
    assert found is not None
    preset, notes = found
    assert preset.rows[0].prompt == f"a cat {meant}"
    assert ("half a letter in the text became \ufffd" in notes) == (letter != meant)
