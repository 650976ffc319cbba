"""ComfyUI's samplers and what stands on a model's way to them: by value in the preset, or by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.preset import ModelRef
from studio.share.model_names import Shelf
from studio.share.tools.samplers import read_sampler
from tests.support.other_tools import PLAIN, comfy, encode, graph, node, read, rows, sampler


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (
            node("ModelSamplingDiscrete", sampling="v_prediction", zsnr=True),
            ["v_prediction", "zsnr True"],
        ),
        (node("ModelSamplingSD3", shift=3.0), ["ModelSamplingSD3", "shift 3.0"]),
        (node("FreeU_V2", b1=1.3, b2=1.4, s1=0.9, s2=0.2), ["FreeU_V2", "b1 1.3", "s2 0.2"]),
        (node("PerturbedAttentionGuidance", scale=3.0), ["PerturbedAttentionGuidance", "3.0"]),
        (
            node("IPAdapterFaceID", weight=0.8, weight_type="linear", image=["30", 0]),
            ["IPAdapterFaceID", "weight 0.8", "'linear'"],
        ),
    ],
    ids=lambda value: value["class_type"] if isinstance(value, dict) else "",
)
def test_what_changes_the_model_is_named(tmp_path: Path, patch: dict, words: list[str]) -> None:
    patch["inputs"]["model"] = ["4", 0]
    nodes = graph(n3=sampler(model=["8", 0]), n8=patch, n30=node("LoadImage", image="face.png"))
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert all(word in notes for word in words)


def test_rescaled_guidance_is_carried_over(tmp_path: Path) -> None:
    nodes = graph(n3=sampler(model=["8", 0]), n8=node("RescaleCFG", multiplier=0.6, model=["4", 0]))
    preset, notes = read(comfy(tmp_path, nodes))
    assert preset.guidance_rescale == 0.6 and "RescaleCFG works on the velocity" in notes


def test_differential_diffusion_is_soft_inpainting_of_a_start_that_is_not_here(
    tmp_path: Path,
) -> None:
    for strength, words in ((1.0, False), (0.5, True)):
        soft = node("DifferentialDiffusion", model=["4", 0], strength=strength)
        preset, notes = read(comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=soft)))
        assert rows(preset) == PLAIN and preset.base == "mymodel"
        assert "init.soft_inpainting: was on there" in notes and "not carried over" not in notes
        assert ("strength 0.5 is 1 here" in notes) == words


def test_flux_guidance_and_skipped_layers_are_named(tmp_path: Path) -> None:
    nodes = graph(
        n3=sampler(positive=["8", 0]),
        n6=encode("a cat", clip="9"),
        n8=node("FluxGuidance", conditioning=["6", 0], guidance=3.5),
        n9=node("CLIPSetLastLayer", stop_at_clip_layer=-2, clip=["4", 1]),
    )
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == PLAIN
    assert "FluxGuidance is not carried over (guidance 3.5)" in notes
    assert "Clip skip 2 (CLIPSetLastLayer)" in notes


@pytest.mark.parametrize("kind", ["SamplerCustom", "SamplerCustomAdvanced"])
def test_custom_samplers(tmp_path: Path, kind: str) -> None:
    nodes = graph(
        n20=node("KSamplerSelect", sampler_name="euler_ancestral"),
        n21=node("BasicScheduler", scheduler="normal", steps=11, denoise=1.0, model=["4", 0]),
        n22=node("RandomNoise", noise_seed=5),
        n23=node("CFGGuider", cfg=3.0, model=["4", 0], positive=["6", 0], negative=["7", 0]),
    )
    links = {"sampler": ["20", 0], "sigmas": ["21", 0], "latent_image": ["5", 0]}
    if kind == "SamplerCustom":
        own = {"add_noise": True, "noise_seed": 5, "cfg": 3.0, "model": ["4", 0]}
        nodes["3"] = node(kind, positive=["6", 0], negative=["7", 0], **own, **links)
        del nodes["22"], nodes["23"]
    else:
        nodes["3"] = node(kind, noise=["22", 0], guider=["23", 0], **links)
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == [("a cat", 3.0), ("bad", -2.0)]
    assert (preset.sampler.scheduler, preset.sampler.steps, preset.sampler.seed) == (
        "euler_a",
        11,
        5,
    )
    assert preset.base == "mymodel" and "not carried over" not in notes


def test_the_second_pass_is_named_with_its_settings(tmp_path: Path) -> None:
    second = sampler(latent_image=["30", 0], denoise=0.5, steps=10, seed=7)
    nodes = graph(n31=second, n30=node("LatentUpscaleBy", samples=["3", 0], scale_by=1.5))
    preset, notes = read(comfy(tmp_path, nodes))
    assert (preset.sampler.steps, preset.sampler.seed) == (20, 42)
    assert "it has 2 samplers; only the main one is read" in notes
    assert "denoise 0.5" in notes and "LatentUpscaleBy is not carried over (scale_by 1.5)" in notes


def test_a_picture_to_start_from_is_named(tmp_path: Path) -> None:
    nodes = graph(
        n3=sampler(denoise=0.6, latent_image=["8", 0]),
        n8=node("VAEEncode", pixels=["9", 0], vae=["10", 0]),
        n9=node("LoadImage", image="photo.png"),
        n10=node("VAELoader", vae_name="ema.safetensors"),
    )
    _, notes = read(comfy(tmp_path, nodes))
    assert "image to image is not carried over (denoise 0.6)" in notes
    assert "'photo.png'" in notes and "ema.safetensors" in notes


def test_steps_of_an_advanced_sampler_are_named(tmp_path: Path) -> None:
    inputs = graph()["3"]["inputs"] | {
        "noise_seed": 3,
        "add_noise": "disable",
        "start_at_step": 5,
        "end_at_step": 10000,
        "return_with_leftover_noise": "enable",
    }
    del inputs["seed"], inputs["denoise"]
    preset, notes = read(comfy(tmp_path, graph(n3=node("KSamplerAdvanced", **inputs))))
    assert preset.sampler.seed == 3
    for words in ("add_noise 'disable'", "start_at_step 5", "return_with_leftover_noise 'enable'"):
        assert words in notes
    assert "end_at_step" not in notes


def test_a_lora_s_strength_on_the_text(tmp_path: Path) -> None:
    lora = node("LoraLoader", lora_name="ink.safetensors", strength_model=0.8, strength_clip=0.3)
    lora["inputs"] |= {"model": ["4", 0], "clip": ["4", 1]}
    texts = {"n6": encode("a cat", clip="8"), "n7": encode("bad", clip="8")}
    nodes = graph(n3=sampler(model=["8", 0]), n8=lora, **texts)
    preset, notes = read(comfy(tmp_path, nodes), ("mymodel", "ink"))
    models = [row.model for row in preset.rows]
    assert models == [ModelRef(lora="ink", strength=0.8, text_strength=0.3)] * 2
    assert "text" not in notes
    lora["inputs"]["strength_clip"] = 19.0
    _, notes = read(comfy(tmp_path, nodes), ("mymodel", "ink"))
    assert "'ink.safetensors' at 19 on the text became 10" in notes


def loaded(kind: str = "LoraLoader", **inputs: Any) -> dict[str, Any]:
    strengths = {"strength_model": 0.8, "strength_clip": 0.3}
    return node(kind, lora_name="ink", **strengths, **inputs)


BOTH = {"model": ["4", 0], "clip": ["4", 1]}
ON_THE_WAY = {
    "both": (
        graph(n3=sampler(model=["8", 0]), n6=encode("a cat", "8"), n7=encode("bad", "8")),
        0.3,
    ),
    "the model alone": (graph(n3=sampler(model=["8", 0])), 0.0),
    "the text alone": (graph(n6=encode("a cat", "8"), n7=encode("bad", "8")), 0.3),
    "one text": (graph(n3=sampler(model=["8", 0]), n6=encode("a cat", "8")), 0.3),
}


@pytest.mark.parametrize("way", ON_THE_WAY)
def test_a_lora_acts_on_the_networks_whose_way_it_lies_on(tmp_path: Path, way: str) -> None:
    nodes, text = ON_THE_WAY[way]
    preset, notes = read(comfy(tmp_path, nodes | {"8": loaded(**BOTH)}), ("mymodel", "ink"))
    strength = 0.0 if way == "the text alone" else 0.8
    assert {row.model for row in preset.rows} == {
        ModelRef(lora="ink", strength=strength, text_strength=text)
    }
    assert ("text encoders with different LoRAs" in notes) == (way == "one text")


def test_a_loader_for_the_model_only(tmp_path: Path) -> None:
    lora = node("LoraLoaderModelOnly", lora_name="ink", strength_model=0.8, model=["4", 0])
    preset, _ = read(
        comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=lora)), ("mymodel", "ink")
    )
    assert preset.rows[0].model == ModelRef(lora="ink", strength=0.8, text_strength=0.0)


@pytest.mark.parametrize("mode", ["simple", "advanced"])
def test_stacks_of_loras(tmp_path: Path, mode: str) -> None:
    first = node(
        "CR LoRA Stack", switch_1="On", lora_name_1="ink", model_weight_1=0.5, clip_weight_1=0.4
    )
    first["inputs"] |= {"switch_2": "Off", "lora_name_2": "off", "model_weight_2": 1.0}
    second = node("LoRA Stacker", input_mode=mode, lora_count=1, lora_stack=["10", 0])
    second["inputs"] |= {"lora_name_1": "blue", "lora_wt_1": 0.7, "lora_name_2": "over"}
    second["inputs"] |= {"model_str_1": 0.6, "clip_str_1": 0.2}
    nodes = graph(
        n3=sampler(model=["8", 0]),
        n6=encode("a cat", "8"),
        n7=encode("bad", "8"),
        n8=node("CR Apply LoRA Stack", lora_stack=["9", 0], **BOTH),
        n9=second,
        n10=first,
    )
    preset, notes = read(comfy(tmp_path, nodes), ("mymodel", "ink", "blue", "off", "over"))
    model = preset.rows[0].model
    assert isinstance(model, ModelRef)
    blue = 0.7 if mode == "simple" else 0.6
    assert model.adapters() == [("ink", 0.5), ("blue", blue)]
    assert model.text_strengths() == [0.4, 0.7 if mode == "simple" else 0.2]
    assert "not carried over" not in notes.replace("CR LoRA Stack", "")


def test_other_checkpoints_are_named(tmp_path: Path) -> None:
    other = node("CheckpointLoaderSimple", ckpt_name="other.safetensors")
    merged = node("ModelMergeSimple", model1=["4", 0], model2=["9", 0], ratio=0.5)
    preset, notes = read(comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=merged, n9=other)))
    assert preset.base == "mymodel" and "ratio 0.5" in notes
    assert "model2 'other.safetensors' is not carried over" in notes and "model1" not in notes
    decode = node("VAEDecode", samples=["3", 0], vae=["9", 2])
    notes = read(comfy(tmp_path, graph(n8=decode, n9=other)))[1]
    assert "the autoencoder of the checkpoint 'other.safetensors' is not carried over" in notes


def test_an_autoencoder_of_its_own(tmp_path: Path) -> None:
    nodes = graph(
        n8=node("VAEDecode", samples=["3", 0], vae=["9", 0]),
        n9=node("VAELoader", vae_name="ema.safetensors"),
    )
    assert read(comfy(tmp_path, nodes), ("mymodel", "ema"))[0].vae == "ema"
    preset, notes = read(comfy(tmp_path, nodes))
    assert preset.vae == "" and preset.description == "Not in this library: vae:ema"
    assert "vae: 'ema' is not in the library; the base's own is used" in notes


def test_a_loader_with_both_texts(tmp_path: Path) -> None:
    loader = node(
        "Efficient Loader",
        ckpt_name="mymodel.safetensors",
        positive="a cat",
        negative="bad",
        lora_name="None",
        empty_latent_width=64,
        empty_latent_height=96,
    )
    nodes = graph(
        n3=sampler(model=["8", 0], positive=["8", 1], negative=["8", 2], latent_image=["8", 3]),
        n8=loader,
    )
    preset, _ = read(comfy(tmp_path, nodes))
    assert rows(preset) == PLAIN and preset.base == "mymodel"


def test_names_are_found_with_their_folders() -> None:
    shelf = Shelf(["sd/mymodel"])
    assert shelf.find("sub\\mymodel.safetensors", ("base",)) == "sd/mymodel"


def test_files_of_what_is_not_carried_over_are_named(tmp_path: Path) -> None:
    face = {"n30": node("LoadImage", image="face.png")}
    patch = node(
        "IPAdapterFaceID", model=["4", 0], ipadapter=["31", 0], image=["30", 0], weight=0.8
    )
    loader = node("IPAdapterModelLoader", ipadapter_file="faceid.bin")
    _, notes = read(
        comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=patch, n31=loader, **face))
    )
    assert "IPAdapterFaceID: image 'face.png' is not carried over" in notes
    assert "IPAdapterFaceID: ipadapter 'faceid.bin' is not carried over" in notes
    seen = node("CLIPVisionEncode", clip_vision=["32", 0], image=["30", 0])
    styled = node("StyleModelApply", conditioning=["6", 0], clip_vision_output=["31", 0])
    vision = node("CLIPVisionLoader", clip_name="vit.safetensors")
    nodes = graph(n3=sampler(positive=["8", 0]), n8=styled, n31=seen, n32=vision, **face)
    preset, notes = read(comfy(tmp_path, nodes))
    assert rows(preset) == PLAIN
    assert "StyleModelApply: image 'face.png' is not carried over" in notes
    assert "StyleModelApply: clip_vision 'vit.safetensors' is not carried over" in notes


def test_a_noise_schedule_that_is_left_out_is_said_with_the_reason() -> None:
    notes: list[str] = []
    assert read_sampler("DDIM", "Karras", notes) == {"scheduler": "ddim"}
    assert read_sampler("DPM++ 2M", "Weird", notes) == {"scheduler": "dpm++"}
    assert notes == [
        "sampler.schedule: DDIM takes no noise schedule 'Karras'; it is left out",
        "sampler.schedule: the noise schedule 'Weird' is not known and left out",
    ]
