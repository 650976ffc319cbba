"""SwarmUI's JSON and its tags: values in the preset, the rest named."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.share import parameters_text
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


REFINED = {
    "refinermethod": "PostApply",
    "refinercontrolpercentage": 0.4,
    "refinerupscale": 2,
    "refinerupscalemethod": "pixel-lanczos",
    "steps": 20,
}


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({}, {}),
        ({"refinersteps": 10}, {"steps": 10}),
        ({"refinercontrolpercentage": 0.33, "refinersteps": 10}, {"strength": 0.33, "steps": 10}),
        ({"refinercontrolpercentage": 0.26}, {"strength": 0.26, "steps": None}),
        ({"refinercontrolpercentage": 0}, {"strength": 0.0}),
        ({"refinerupscalemethod": "latent-bislerp"}, {"enlarge": "latents"}),
        ({"refinerdotiling": True, "refinercfgscale": SWARM["cfgscale"]}, {"tiles": True}),
        ({"refinermodel": "(Use Base)"}, {}),
    ],
    ids=str,
)
def test_swarmui_s_refining_at_another_size_is_the_second_pass(
    tmp_path: Path, more: dict, fields: dict
) -> None:
    path = written(tmp_path, {"sui_image_params": SWARM | REFINED | more}, "png")
    preset, notes = read(path)
    again = preset.second_pass
    plain = {"scale": 2.0, "strength": 0.4, "steps": None, "enlarge": "pixels", "tiles": False}
    assert again.model_dump(include=plain.keys()) == plain | fields
    assert "not carried over" not in notes
    first = preset.sampler.steps
    total = more.get("refinersteps", first)
    part = more.get("refinercontrolpercentage", 0.4)
    assert int((again.steps or first) * again.strength) == total - round(total * (1 - part))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"refinerupscale": 1}, "refinercontrolpercentage 0.4"),
        ({"refinercontrolpercentage": "much"}, "'much'"),
        ({"refinerupscalemethod": "latentmodel-x"}, "latentmodel-x"),
        ({"refinerupscale": 100}, "refinerupscale 100"),
        ({"refinersteps": 2.5}, "refinersteps 2.5"),
    ],
    ids=str,
)
def test_swarmui_s_other_refining_is_named(tmp_path: Path, more: dict, words: str) -> None:
    path = written(tmp_path, {"sui_image_params": SWARM | REFINED | more}, "png")
    preset, notes = read(path)
    assert not preset.second_pass.on and words in notes


def test_what_a_second_pass_of_swarmui_has_of_its_own_is_named(tmp_path: Path) -> None:
    more = {
        "refinercfgscale": 3,
        "refinersampler": "much",
        "refinervae": "ema",
        "refinerupscalemethod": "model-4x-UltraSharp.pth",
    }
    path = written(tmp_path, {"sui_image_params": SWARM | REFINED | more}, "png")
    preset, notes = read(path)
    assert preset.second_pass.on
    assert preset.second_pass.cfg == 3
    assert preset.second_pass.scheduler is None and "refinersampler 'much'" in notes
    known = more | {"refinersampler": "dpmpp_2m"}
    path = written(tmp_path, {"sui_image_params": SWARM | REFINED | known}, "png")
    assert read(path)[0].second_pass.scheduler == "dpm++"
    for words in ("refinervae 'ema'", "'4x-UltraSharp' is not in the library"):
        assert words in notes


def test_swarmui_s_refining_by_another_model_is_a_second_pass_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, {"sui_image_params": SWARM | REFINED | {"refinermodel": "xl"}}, "png")
    preset, notes = read(path)
    assert preset.second_pass.on and "second_pass.model: 'xl' is not in the library" in notes
    preset, notes = read(path, ("mymodel", "xl"))
    assert preset.second_pass.model == "xl" and "refinermodel" not in notes
    assert "Hires checkpoint: xl" in parameters_text(preset)


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
