"""XL with a picture to edit and with an image prompt; SD 2.x with learned words and a ControlNet."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.engine.adapters import test_image_prompt
from tests.support import tiny, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

TEXT, PICTURE, STRENGTH = 6.0, 1.5, 0.6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XL base with an editing fine-tune and an IP-Adapter, and an SD 2.x base that predicts v."""
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny_sdxl.pipeline(folder / "xl")
    torch.manual_seed(11)
    parts = inspect.signature(StableDiffusionXLInstructPix2PixPipeline.__init__).parameters
    kept = {name: part for name, part in pipe.components.items() if name in parts}
    config = {k: v for k, v in pipe.unet.config.items() if not k.startswith("_")}
    unet = UNet2DConditionModel.from_config({**config, "in_channels": 8})
    StableDiffusionXLInstructPix2PixPipeline(**{**kept, "unet": unet}).save_pretrained(
        folder / "instruct"
    )
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=12,
            intermediate_size=16,
            projection_dim=10,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
        )
    ).save_pretrained(folder / "ip/image_encoder")
    save_file(test_image_prompt.adapter_state(pipe.unet, 10, 0), folder / "ip/light.safetensors")
    tiny.pipeline(folder / "v", prediction="v_prediction", width=1024, use_linear_projection=True)
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "room.png")
    return folder


@pytest.mark.parametrize(("base", "model"), [("xl", "instruct"), ("instruct", None)])
def test_editing_with_xl_is_their_pipeline(root: Path, base: str, model: str | None) -> None:
    """At ω = 1; the empty prompt with the picture is the second pass, without it the first."""
    pipe = StableDiffusionXLInstructPix2PixPipeline.from_pretrained(root / "instruct")
    expected = theirs(
        pipe,
        "make it red",
        image=Image.open(root / "room.png"),
        guidance_scale=TEXT,
        image_guidance_scale=PICTURE,
    )
    common = {"model": model, "image": "room.png"}
    told = {"prompt": "make it red", "weight": TEXT, "reference": {"prompt": ""}}
    rows = [{**common, "weight": PICTURE}, {**common, **told}]
    found = ours(root, base, 16, rows=rows, omega=1.0)
    assert difference(found, expected) <= 1
    assert difference(found, ours(root, base, 16, rows=rows[:1], omega=1.0)) > 1


@pytest.mark.parametrize("exact", [True, False])
@torch.no_grad()
def test_an_image_prompt_for_xl_is_diffusers_processors(root: Path, exact: bool) -> None:
    plain, seeing = tiny_sdxl.load(root), tiny_sdxl.load(root)
    state = load_file(root / "ip/light.safetensors")
    seeing.unet._load_ip_adapter_weights(
        [
            {
                part: {
                    k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(part)
                }
                for part in ("image_proj", "ip_adapter")
            }
        ],
        low_cpu_mem_usage=False,
    )
    seeing.set_ip_adapter_scale(STRENGTH)
    encoder = CLIPVisionModelWithProjection.from_pretrained(root / "ip/image_encoder").eval()
    processor = CLIPImageProcessor(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
    )
    pixels = processor(Image.open(root / "room.png"), return_tensors="pt").pixel_values
    embeds = encoder(pixels).image_embeds[:, None]
    states, null, pooled, null_pooled = plain.encode_prompt("a cat", device="cpu")
    ids = torch.tensor([[16, 16, 0, 0, 16, 16]]).float()
    plain.scheduler.set_timesteps(3)
    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    for t in plain.scheduler.timesteps:
        blank = [torch.zeros_like(embeds)]  # as their pipeline's unconditional pass has it
        nothing = {"text_embeds": null_pooled, "time_ids": ids, "image_embeds": blank}
        free = seeing.unet(z, t, null, added_cond_kwargs=nothing).sample
        told = {"text_embeds": pooled, "time_ids": ids, "image_embeds": [embeds]}
        seen = seeing.unet(z, t, states, added_cond_kwargs=told).sample
        z = plain.scheduler.step(free + SCALE * (seen - free), t, z).prev_sample
    image = plain.vae.decode(z / plain.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)
    prompt = {"image": "room.png", "model": "ip/light", "strength": STRENGTH}
    row = {"prompt": "a cat", "weight": SCALE, "image_prompt": prompt}
    assert difference(ours(root, "xl", 16, exact, rows=[row]), expected) <= 1
    blind = ours(root, "xl", 16, exact, rows=[{**row, "image_prompt": None}])
    assert difference(blind, expected) > 1


def test_learned_words_of_sd_2(root: Path) -> None:
    vectors = torch.randn(2, 1024, generator=torch.Generator().manual_seed(4)) * 3
    save_file({"<cat>": vectors}, root / "word.safetensors")
    pipe = tiny.load(root / "v")
    pipe.load_textual_inversion(root, weight_name="word.safetensors")
    row = {"prompt": "a <cat> here", "weight": SCALE, "model": "word"}
    found = ours(root, "v", rows=[row])
    assert difference(found, theirs(pipe, "a <cat> here")) <= 1
    assert difference(found, ours(root, "v", rows=[{**row, "model": None}])) > 1


def test_a_controlnet_of_sd_2(root: Path) -> None:
    pipe = tiny.load(root / "v")
    net: ControlNetModel = tiny.controlnet(root / "v/guide", pipe.unet, "v")
    control = StableDiffusionControlNetPipeline.from_pretrained(
        root / "v", controlnet=net, safety_checker=None
    )
    expected = theirs(
        control,
        "a cat",
        negative_prompt="bad",
        image=Image.open(root / "room.png"),
        controlnet_conditioning_scale=0.7,
    )
    guide = {"type": "map", "image": "room.png", "strength": 0.7}
    rows = [
        {"prompt": "a cat", "weight": SCALE, "control": guide},
        {"prompt": "bad", "weight": 1 - SCALE, "control": guide},
    ]
    assert difference(ours(root, "v", rows=rows), expected) <= 1
