"""SwarmUI's JSON and its tags: values in the preset, the rest named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.other_tools import PLAIN, read, rows
from tests.support.tool_samples import SWARM, written


@pytest.mark.parametrize("how", ["png", "jpg", "webp"])
def test_swarmui(tmp_path: Path, how: str) -> None:
    data = {"sui_image_params": SWARM, "sui_extra_data": {"date": "2025-01-25"}}
    preset, notes = read(written(tmp_path, data, how))
    assert rows(preset) == PLAIN and preset.base == "mymodel" and "made with SwarmUI" in notes
    values = preset.sampler
    assert (values.scheduler, values.width, values.height) == ("euler", 64, 96)
    assert "not carried over" not in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"vae": "ema"}, "vae: 'ema' is not in the library"),
        ({"variationseed": -1, "variationseedstrength": 0.2}, "-1 at 0.2 is no usable variation"),
        ({"initimagecreativity": 0.6}, "initimagecreativity 0.6"),
        ({"clipstopatlayer": 2}, "clipstopatlayer 2"),
        ({"refinermethod": "StepSwap", "refinerupscale": 1.5}, "refinerupscale 1.5"),
        ({"controlnetmodel": "canny", "controlnetstrength": 0.5}, "controlnetmodel 'canny'"),
        ({"prompt": "a cat <segment:face,2>"}, "<segment:face,2>"),
        ({"scheduler": "kl_optimal"}, "'kl_optimal'"),
        ({"seamlesstileable": "both"}, "seamlesstileable 'both'"),
        ({"unheard_of": 1}, "unheard_of 1"),
    ],
    ids=str,
)
def test_swarmui_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    path = written(tmp_path, {"sui_image_params": SWARM | more}, "png")
    preset, notes = read(path)
    assert words in notes and rows(preset) == PLAIN


def test_swarmui_s_loras(tmp_path: Path) -> None:
    more = {
        "loras": ["ink", "sub/blue"],
        "loraweights": ["0.5", "0.7"],
        "prompt": "a cat <embed:soft>",
    }
    path = written(tmp_path, {"sui_image_params": SWARM | more}, "png")
    preset, _ = read(path, ("mymodel", "ink", "blue", "soft"))
    assert preset.rows[0].model.adapters() == [("ink", 0.5), ("blue", 0.7)]  # type: ignore[union-attr]
    assert preset.rows[0].model.embeddings == ("soft",)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("<segment:face,0.5,-0.4> a smiling face", "<segment:face,0.5,-0.4> 'a smiling face'"),
        ("<segment:yolo-cars-1> a car", "<segment:yolo-cars-1> 'a car'"),
        ("<region:0,0,0.5,1,0.7> a dog <region:end>", "<region:0,0,0.5,1,0.7> 'a dog'"),
        ("<region:background> a wall", "<region:background> 'a wall'"),
        ("<object:0,0,.5,.5> a dog", "<object:0,0,.5,.5> 'a dog'"),
        ("<clear:sky>", "<clear:sky>"),
        ("<extend:8> a dog", "<extend:8> 'a dog'"),
        ("<refiner> sharp", "<refiner> 'sharp'"),
        ("<video//cid=2> zoom", "<video//cid=2> 'zoom'"),
    ],
)
def test_texts_for_a_part_or_another_pass_are_named(tmp_path: Path, tag: str, words: str) -> None:
    data = {"sui_image_params": SWARM | {"prompt": f"a cat {tag}"}}
    preset, notes = read(written(tmp_path, data, "png"))
    assert rows(preset) == PLAIN and f"{words} is not carried over" in notes
    assert (
        read(written(tmp_path, {"sui_image_params": SWARM | {"prompt": "a <base> cat"}}, "png"))[0]
        .rows[0]
        .prompt
        == "a cat"
    )
