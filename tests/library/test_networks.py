"""Networks that look like a row's and are none: told by their configs, before anything is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from diffusers import StableDiffusionInstructPix2PixPipeline, UNet2DConditionModel

from studio.errors import IncompatibleModels
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny

UNET = {"_class_name": "UNet2DConditionModel", "in_channels": 8, "out_channels": 4}

# As the published models' configs have it.
OTHERS = {
    "sd-x2-latent-upscaler": (
        "StableDiffusionLatentUpscalePipeline",
        {"out_channels": 5, "down_block_types": ["KDownBlock2D", "KCrossAttnDownBlock2D"]},
        "takes 8 input channels for latents of 5",
    ),
    "sd-x4-upscaler": (
        "StableDiffusionUpscalePipeline",
        {"in_channels": 7, "num_class_embeds": 1000},
        "takes a class label",
    ),
    "marigold-depth": (
        "MarigoldDepthPipeline",
        {},
        "is a MarigoldDepthPipeline .8 input channels.",
    ),
    "zero123": ("Zero1to3StableDiffusionPipeline", {}, "not an editing model"),
    "sd-2-depth": (
        "StableDiffusionDepth2ImgPipeline",
        {"in_channels": 5},
        "takes 5 input channels for latents of 4",
    ),
    "sd-unclip": (
        "StableUnCLIPPipeline",
        {"in_channels": 4, "class_embed_type": "projection"},
        "label",
    ),
    "hunyuan": (
        "HunyuanDiTPipeline",
        {"_class_name": "HunyuanDiT2DModel", "in_channels": 4},
        "is a HunyuanDiT2DModel",
    ),
    "sana-sprint": (
        "SanaSprintPipeline",
        {"_class_name": "SanaTransformer2DModel", "in_channels": 32, "guidance_embeds": True},
        "distilled SANA",
    ),
    "qwen-edit": (
        "QwenImageEditPipeline",
        {"_class_name": "QwenImageTransformer2DModel", "in_channels": 64},
        "is a QwenImageEditPipeline, .* it runs QwenImagePipeline",
    ),
    "z-image-omni": (
        "ZImageOmniPipeline",
        {"_class_name": "ZImageTransformer2DModel", "siglip_feat_dim": 1152},
        "Z-Image Omni",
    ),
    "flux-nf4": (
        "FluxPipeline",
        {
            "_class_name": "FluxTransformer2DModel",
            "in_channels": 64,
            "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True},
        },
        r"has quantised weights \(bitsandbytes\), with which neither ω",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_pipelines_are_refused_by_name(name: str, tmp_path: Path) -> None:
    kind, config, told = OTHERS[name]
    part = "unet" if "UNet" in {**UNET, **config}["_class_name"] else "transformer"
    (tmp_path / name / part).mkdir(parents=True)
    (tmp_path / name / "model_index.json").write_text(
        json.dumps({"_class_name": kind, part: [1, 2]})
    )
    (tmp_path / name / part / "config.json").write_text(json.dumps({**UNET, **config}))
    tiny.pipeline(tmp_path / "base")
    library = Library((tmp_path,))
    assert [entry.id for entry in library.refused()] == [name]
    for preset, field in (
        ({"base": name}, "base"),
        ({"base": "base", "rows": [{"prompt": "a", "model": name}]}, "rows.0.model"),
    ):
        with pytest.raises(IncompatibleModels, match=told) as caught:
            compile_plan(validate(preset), library)
        assert caught.value.field == field and f"'{name}'" in str(caught.value)


@pytest.mark.parametrize("kind", [StableDiffusionInstructPix2PixPipeline, None])
def test_an_editing_model_is_one_in_a_pipeline_of_its_own_or_alone(
    kind: type | None, tmp_path: Path
) -> None:
    pipe = tiny.pipeline(tmp_path / "base")
    unet = UNet2DConditionModel.from_config({**pipe.unet.config, "in_channels": 8})
    if kind is None:
        unet.save_pretrained(tmp_path / "edit/unet")
    else:
        parts = {k: v for k, v in pipe.components.items() if k != "image_encoder"}
        kind(**{**parts, "unet": unet}, requires_safety_checker=False).save_pretrained(
            tmp_path / "edit"
        )
    entry = Library((tmp_path,))["edit"]
    assert (entry.channels, entry.problem) == (8, "")
    row = {"prompt": "make it red", "model": "edit", "image": "room.png"}
    plan = compile_plan(validate({"base": "base", "rows": [row]}), Library((tmp_path,)))
    assert any(item.condition.image for item in plan.passes)
