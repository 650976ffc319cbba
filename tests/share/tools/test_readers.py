"""Every other tool: a picture by its format's own rules, values in the preset, the rest named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.other_tools import PLAIN, photo, png, read, rows

Write = Callable[..., Path]
UNICODE = b"UNICODE\0"


def written(folder: Path, data: dict[str, Any], how: str, key: str = "parameters") -> Path:
    """One JSON object as a chunk of a PNG or as the comment of a JPEG or WebP."""
    text = json.dumps(data)
    if how == "png":
        return png(folder, {key: text})
    return photo(folder, UNICODE + text.encode("utf-16-be"), how)


NOVELAI = {
    "prompt": "a cat",
    "uc": "bad",
    "steps": 28,
    "scale": 7.0,
    "seed": 42,
    "sampler": "k_euler_ancestral",
    "width": 64,
    "height": 96,
    "cfg_rescale": 0.4,
    "noise_schedule": "karras",
    "uncond_scale": 1.0,
}


def novelai(folder: Path, **more: Any) -> Path:
    return png(
        folder,
        Title="AI generated image",
        Description="a cat",
        Software="NovelAI",
        Source="mymodel 1D44365E",
        Comment=json.dumps(NOVELAI | more),
    )


def test_novelai(tmp_path: Path) -> None:
    preset, notes = read(novelai(tmp_path))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    values = preset.sampler
    assert (values.steps, values.seed, values.scheduler) == (28, 42, "euler_a")
    assert (values.width, values.height, preset.guidance_rescale) == (64, 96, 0.4)
    assert "'karras'" in notes


def test_novelai_s_first_pictures_have_their_prompt_as_a_description(tmp_path: Path) -> None:
    comment = {k: v for k, v in NOVELAI.items() if k != "prompt"}
    path = png(tmp_path, Description="a cat", Source="X", Comment=json.dumps(comment))
    assert rows(read(path)[0]) == PLAIN


def test_novelai_s_captions_and_characters(tmp_path: Path) -> None:
    def captions(base: str, *characters: str) -> dict[str, Any]:
        listed = [{"char_caption": c, "centers": [{"x": 0.5, "y": 0.3}]} for c in characters]
        caption = {"base_caption": base, "char_captions": listed}
        return {"caption": caption, "use_coords": True, "use_order": True}

    path = novelai(
        tmp_path,
        v4_prompt=captions("a room", "{a cat}", "1.5::a dog::"),
        v4_negative_prompt=captions("bad", "blurry"),
    )
    preset, notes = read(path)
    assert rows(preset) == [
        ("a room, (a cat:1.05), (a dog:1.5)", 7.0),
        ("bad, blurry", -6.0),
    ]
    assert "the character '{a cat}' at [{'x': 0.5, 'y': 0.3}] is read as part" in notes


def test_novelai_s_undesired_strength(tmp_path: Path) -> None:
    preset, notes = read(novelai(tmp_path, uncond_scale=0.5))
    assert rows(preset) == [("a cat", 7.0), ("bad", -3.0)]
    assert "uncond_scale 0.5" in notes
    assert "uncond_scale 0 " in read(novelai(tmp_path, uncond_scale=0))[1]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("strength", 0.7, "strength 0.7"),
        ("noise", 0.2, "noise 0.2"),
        ("sm", True, "sm True"),
        ("sm_dyn", True, "sm_dyn True"),
        ("dynamic_thresholding", True, "dynamic_thresholding True"),
        ("skip_cfg_above_sigma", 19.3, "skip_cfg_above_sigma 19.3"),
        ("reference_strength_multiple", [0.6], "reference_strength_multiple [0.6]"),
        ("controlnet_model", "hed", "controlnet_model 'hed'"),
        ("extra_noise_seed", 5, "extra_noise_seed 5"),
        ("request_type", "Img2ImgRequest", "Img2ImgRequest"),
        ("unheard_of", 1, "unheard_of 1"),
    ],
)
def test_novelai_s_other_fields_are_named(
    tmp_path: Path, field: str, value: Any, words: str
) -> None:
    assert words in read(novelai(tmp_path, **{field: value}))[1]


def test_novelai_in_webp(tmp_path: Path) -> None:
    whole = {"Comment": json.dumps(NOVELAI), "Source": "mymodel 1D44365E", "Software": "NovelAI"}
    preset, _ = read(photo(tmp_path, json.dumps(whole).encode(), "webp"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"


INVOKE: dict[str, Any] = {
    "app_version": "5.0.0",
    "generation_mode": "txt2img",
    "positive_prompt": "a cat",
    "negative_prompt": "bad",
    "width": 64,
    "height": 96,
    "seed": 42,
    "rand_device": "cpu",
    "cfg_scale": 7.0,
    "cfg_rescale_multiplier": 0.5,
    "steps": 20,
    "scheduler": "euler",
    "clip_skip": 0,
    "seamless_x": False,
    "seamless_y": False,
    "model": {"key": "k", "hash": "blake3:1", "name": "mymodel", "base": "sd-1", "type": "main"},
    "strength": 1.0,
    "loras": [],
    "controlnets": [],
}


def invoke(folder: Path, **more: Any) -> Path:
    return png(folder, invokeai_metadata=json.dumps(INVOKE | more))


def test_invokeai(tmp_path: Path) -> None:
    preset, notes = read(invoke(tmp_path))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert (preset.sampler.width, preset.sampler.height) == (64, 96)
    assert preset.guidance_rescale == 0.5
    assert notes.splitlines()[1:] == ["made at 64x96; the picture has 64x64 pixels"]


CONTROL = {
    "image": {"image_name": "house.png"},
    "control_model": {"name": "canny15"},
    "control_weight": 0.6,
    "begin_step_percent": 0.0,
    "end_step_percent": 0.5,
    "processor": "canny_image_processor",
}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": 2}, "clip_skip 2"),
        ({"strength": 0.4, "init_image": "a.png", "generation_mode": "img2img"}, "strength 0.4"),
        ({"init_image": "a.png"}, "image to image is not carried over (a.png)"),
        ({"positive_style_prompt": "ink"}, "positive_style_prompt 'ink' is read as part"),
        (
            {"controlnets": [CONTROL]},
            "the ControlNet 'canny15' (canny_image_processor, strength 0.6",
        ),
        (
            {"ipAdapters": [{"ip_adapter_model": {"name": "ip"}, "weight": 1}]},
            "the IP-Adapter 'ip' (strength 1",
        ),
        (
            {"t2iAdapters": [{"t2i_adapter_model": {"name": "t2"}}]},
            "the T2I-Adapter 't2' (strength 1",
        ),
        ({"vae": {"name": "ema"}}, "vae: 'ema' is not in the library"),
        ({"seamless_x": True}, "seamless_x True"),
        ({"hrf_enabled": True, "hrf_strength": 0.4}, "hrf_strength 0.4"),
        ({"refiner_model": {"name": "xl"}, "refiner_steps": 9}, "refiner_steps 9"),
        ({"rand_device": "mps"}, "rand_device 'mps'"),
        ({"unheard_of": 1}, "unheard_of 1"),
    ],
    ids=str,
)
def test_invokeai_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    preset, notes = read(invoke(tmp_path, **more))
    assert words in notes and preset.rows[0].prompt.startswith("a cat")


def test_invokeai_s_control_that_is_here(tmp_path: Path) -> None:
    preset, notes = read(invoke(tmp_path, controlnets=[CONTROL]), ("mymodel", "canny15"))
    first = preset.rows[0]
    assert first.control and (first.control.type, first.control.strength) == ("canny", 0.6)
    assert first.range == (0.0, 0.5) and "'house.png'" in notes


def test_invokeai_s_first_versions(tmp_path: Path) -> None:
    dream = '"a cat [bad]" -s 20 -S 42 -W 64 -H 96 -C 7.0 -A k_euler_a'
    preset, notes = read(png(tmp_path, Dream=dream))
    assert rows(preset) == PLAIN
    assert (preset.sampler.steps, preset.sampler.seed) == (20, 42)
    image = {
        "prompt": [{"prompt": "a cat [bad]", "weight": 1.0}],
        "steps": 20,
        "cfg_scale": 7.0,
        "seed": 42,
        "sampler": "k_euler_a",
        "width": 64,
        "height": 96,
        "hires_fix": True,
    }
    data = {"model_weights": "mymodel", "model": "stable diffusion", "image": image}
    preset, notes = read(png(tmp_path, {"sd-metadata": json.dumps(data), "Dream": dream}))
    assert rows(preset) == PLAIN and "hires_fix True" in notes


FOOOCUS: dict[str, Any] = {
    "prompt": "a cat",
    "negative_prompt": "bad",
    "base_model": "mymodel",
    "base_model_hash": "abc",
    "guidance_scale": 7.0,
    "sampler": "euler",
    "scheduler": "normal",
    "seed": "42",
    "steps": 20,
    "resolution": "(64, 96)",
    "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.5",
}


@pytest.mark.parametrize("how", ["png", "jpg", "webp"])
def test_fooocus(tmp_path: Path, how: str) -> None:
    preset, notes = read(written(tmp_path, FOOOCUS, how))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    values = preset.sampler
    assert (values.steps, values.seed, values.width, values.height) == (20, 42, 64, 96)
    assert "not carried over" not in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": 2}, "clip_skip 2"),
        ({"sharpness": 2.0}, "sharpness 2.0"),
        ({"adm_guidance": "(1.5, 0.8, 0.3)"}, "adm_guidance '(1.5"),
        ({"adaptive_cfg": 7.0}, "adaptive_cfg 7.0"),
        ({"refiner_model": "xl", "refiner_switch": 0.5}, "the refiner 'xl' from 0.5 on"),
        ({"vae": "ema"}, "vae: 'ema' is not in the library"),
        ({"freeu": "(1, 1)"}, "freeu"),
        ({"styles": "['Fooocus V2']"}, "styles"),
        ({"prompt_expansion": "a cat, sharp"}, "prompt_expansion"),
        ({"inpaint_strength": 0.5}, "inpaint_strength 0.5"),
        ({"loras": [["lost", 0.5, "1"]]}, "'lost' at 0.5"),
        ({"scheduler": "kl_optimal"}, "'kl_optimal'"),
        ({"unheard_of": 1}, "unheard_of 1"),
    ],
    ids=str,
)
def test_fooocus_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(written(tmp_path, FOOOCUS | more, "png"))[1]


def test_fooocus_s_styles_are_in_its_full_prompt(tmp_path: Path) -> None:
    more = {"full_prompt": ["a cat", "sharp"], "styles": "['S']", "prompt_expansion": "x"}
    preset, notes = read(written(tmp_path, FOOOCUS | more, "png"))
    assert rows(preset)[0] == ("a cat, sharp", 7.0) and "styles" not in notes


SWARM: dict[str, Any] = {
    "prompt": "a cat",
    "negativeprompt": "bad",
    "model": "mymodel",
    "seed": 42,
    "steps": 20,
    "cfgscale": 7.0,
    "width": 64,
    "height": 96,
    "sampler": "euler",
    "scheduler": "normal",
    "swarm_version": "0.9.6.2",
}


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
        ({"clipstopatlayer": -2}, "clipstopatlayer -2"),
        ({"refinermethod": "StepSwap", "refinerupscale": 1.5}, "refinerupscale 1.5"),
        ({"controlnetmodel": "canny", "controlnetstrength": 0.5}, "controlnetmodel 'canny'"),
        ({"prompt": "a cat <segment:face>"}, "<segment:face>"),
        ({"scheduler": "kl_optimal"}, "'kl_optimal'"),
        ({"seamlesstileable": "true"}, "seamlesstileable 'true'"),
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


DRAW: dict[str, Any] = {
    "c": "a cat",
    "uc": "bad",
    "model": "mymodel.ckpt",
    "sampler": "Euler A",
    "scale": 7,
    "seed": 42,
    "seed_mode": "Scale Alike",
    "size": "64x96",
    "steps": 20,
    "strength": 1,
    "lora": [{"model": "ink_lora_f16.ckpt", "weight": 0.6}],
    "v2": {"width": 64, "guidanceScale": 7, "loras": [], "hiresFix": False, "sharpness": 0},
}
PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about="">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a cat&#xA;-bad</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>Draw Things</xmp:CreatorTool>
<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></exif:UserComment>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def draw(folder: Path, **more: Any) -> Path:
    text = json.dumps(DRAW | more).replace("&", "&amp;").replace("<", "&lt;")
    return png(folder, {"XML:com.adobe.xmp": PACKET.format(text)})


def test_draw_things(tmp_path: Path) -> None:
    preset, notes = read(draw(tmp_path), ("mymodel", "ink_lora_f16"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert preset.rows[0].model.adapters() == [("ink_lora_f16", 0.6)]  # type: ignore[union-attr]
    values = preset.sampler
    assert (values.scheduler, values.width, values.height) == ("euler_a", 64, 96)
    assert "not carried over" not in notes and "made with Draw Things" in notes
    assert rows(read(draw(tmp_path, c="a <b> & c", uc="bad"))[0])[0][0] == "a <b> & c"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"strength": 0.4}, "strength 0.4"),
        ({"upscaler": "x4.ckpt"}, "upscaler 'x4.ckpt'"),
        ({"clip_skip": 2}, "clip_skip 2"),
        ({"shift": 3}, "shift 3"),
        ({"control": [{"model": "canny.ckpt", "weight": 0.5}]}, "the ControlNet 'canny.ckpt'"),
        ({"v2": {"hiresFix": True}}, "hiresFix True"),
        ({"v2": {"refinerModel": "xl"}}, "refinerModel 'xl'"),
        ({"v2": {"clipSkip": 2}}, "clipSkip 2"),
        ({"unheard_of": 7}, "unheard_of 7"),
    ],
    ids=str,
)
def test_draw_things_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(draw(tmp_path, **more))[1]


EASY = {
    "prompt": "a cat",
    "negative_prompt": "bad",
    "seed": "42",
    "use_stable_diffusion_model": "C:\\models\\mymodel.safetensors",
    "sampler_name": "euler_a",
    "width": "64",
    "height": "96",
    "num_inference_steps": "20",
    "guidance_scale": "7.0",
    "use_lora_model": "['ink']",
    "lora_alpha": "[0.5]",
}
LABELS = {
    "Prompt": "a cat",
    "Negative Prompt": "bad",
    "Seed": "42",
    "Stable Diffusion model": "mymodel",
    "Sampler": "euler_a",
    "Width": "64",
    "Height": "96",
    "Steps": "20",
    "Guidance Scale": "7.0",
    "LoRA model": "ink",
    "LoRA Strength": "0.5",
}


@pytest.mark.parametrize("data", [EASY, LABELS], ids=["names", "labels"])
@pytest.mark.parametrize("how", ["chunks", "jpg"])
def test_easy_diffusion(tmp_path: Path, data: dict[str, str], how: str) -> None:
    path = png(tmp_path, data) if how == "chunks" else written(tmp_path, data, how)
    preset, notes = read(path, ("mymodel", "ink"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert preset.rows[0].model.adapters() == [("ink", 0.5)]  # type: ignore[union-attr]
    assert (preset.sampler.steps, preset.sampler.scheduler) == (20, "euler_a")
    assert "not carried over" not in notes and "made with Easy Diffusion" in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": "True"}, "clip_skip 'True'"),
        ({"use_vae_model": "ema"}, "vae: 'ema' is not in the library"),
        ({"prompt_strength": "0.5"}, "prompt_strength '0.5'"),
        ({"use_upscale": "ESRGAN", "upscale_amount": "2"}, "upscale_amount '2'"),
        ({"use_face_correction": "GFPGAN"}, "GFPGAN"),
        ({"use_controlnet_model": "canny"}, "use_controlnet_model 'canny'"),
        ({"tiling": "x"}, "tiling 'x'"),
        ({"scheduler_name": "karras"}, "'karras'"),
    ],
    ids=str,
)
def test_easy_diffusion_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(png(tmp_path, EASY | more))[1]


MOCHI = (
    "Include in Image: a cat; with a hat: red; Exclude from Image: bad; Model: mymodel; "
    "Steps: 20; Guidance Scale: 7.0; Seed: 42; Size: 64x96; Upscaler: RealESRGAN; "
    "Scheduler: DPM-Solver++; ML Compute Unit: CPU & GPU; Generator: Mochi Diffusion 4.2"
)
MOCHI_2 = (
    "Metadata Version: 2\nInclude in Image: a cat; with\\na hat: red\nExclude from Image: bad\n"
    "Model: mymodel\nSteps: 20\nGuidance Scale: 7.0\nSeed: 42\nSize: 64x96\n"
    "Upscaler: RealESRGAN\nScheduler: DPM-Solver++\nGenerator: Mochi Diffusion 6.0"
)


@pytest.mark.parametrize("text", [MOCHI, MOCHI_2], ids=["first", "second"])
@pytest.mark.parametrize("how", ["iptc", "xmp", "text"])
def test_mochi(tmp_path: Path, text: str, how: str) -> None:
    path = tmp_path / "theirs.jpg"
    if how == "iptc":
        record = b"\x1c\x02\x78" + len(text).to_bytes(2, "big") + text.encode()
        block = (
            b"8BIM\x04\x04\0\0"
            + len(record).to_bytes(4, "big")
            + record
            + b"\0" * (len(record) % 2)
        )
        body = b"Photoshop 3.0\0" + block
        Image.new("RGB", (64, 96)).save(path)
        data = path.read_bytes()
        segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
        path.write_bytes(data[:2] + segment + data[2:])
    elif how == "xmp":
        packet = f"<dc:description><rdf:Alt><rdf:li>{text.replace('&', '&amp;')}</rdf:li></rdf:Alt></dc:description>"
        path = png(tmp_path, {"XML:com.adobe.xmp": packet})
    else:
        path = png(tmp_path, Description=text)
    preset, notes = read(path)
    hat = "a cat; with a hat: red"
    assert rows(preset) == [(hat, 7.0), ("bad", -6.0)] and preset.base == "mymodel"
    assert (preset.sampler.steps, preset.sampler.seed, preset.sampler.width) == (20, 42, 64)
    assert "Upscaler 'RealESRGAN' is not carried over" in notes and "made with Mochi" in notes
