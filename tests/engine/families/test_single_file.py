"""Whole models in one file, against diffusers' pipelines made of the same parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from studio.engine.families import single_file
from studio.errors import StudioError
from studio.library import Library
from studio.preset import validate
from tests.support import tiny_files, tiny_pictures
from tests.support.tiny_pictures import difference

CROSS = "CrossAttn{}Block2D"
PLAIN = "{}Block2D"
PROMPT, SIZE = "a photo of a cat, sharp", 64


def unet(family: str, channels: int = 4) -> UNet2DConditionModel:
    """The family's topology with tiny widths."""
    xl = family == "sdxl"
    layers = (PLAIN, CROSS, CROSS) if xl else (CROSS, CROSS, CROSS, PLAIN)
    extra: dict[str, Any] = (
        {"attention_head_dim": 8}
        if family == "sd1"
        else {"attention_head_dim": 1, "use_linear_projection": True}
    )
    if xl:
        extra |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 32 + 6 * 256,
            "transformer_layers_per_block": [1, 2, 10],
        }
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        block_out_channels=(*(32,) * (len(layers) - 2), 64, 64),
        down_block_types=[kind.format("Down") for kind in layers],
        up_block_types=[kind.format("Up") for kind in reversed(layers)],
        cross_attention_dim=64 if xl else 32,
        **extra,
    )


def tower(kind: type, activation: str, pad: int) -> Any:
    return kind(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=1,
            hidden_act=activation,
            projection_dim=32,
            pad_token_id=pad,
            bos_token_id=49406,
            eos_token_id=49407,
        )
    )


def parts(family: str) -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    found = {
        "unet": unet(family),
        "vae": AutoencoderKL(
            block_out_channels=(32,) * 4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            layers_per_block=2,
            scaling_factor=0.13025 if family == "sdxl" else 0.18215,
        ),
    }
    clip = family != "sd2"
    found["text_encoder"] = tower(CLIPTextModel, "quick_gelu" if clip else "gelu", 1 if clip else 0)
    if family == "sdxl":
        found["text_encoder_2"] = tower(CLIPTextModelWithProjection, "gelu", 0)
    return found


def scheduler(prediction: str) -> DDIMScheduler:
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        steps_offset=1,
        clip_sample=False,
        set_alpha_to_one=False,
        prediction_type=prediction,
    )


def theirs(family: str, networks: dict[str, torch.nn.Module], prediction: str) -> np.ndarray:
    """diffusers' own pipeline of the parts."""
    clip, open_clip = single_file._clip_tokenizer("<|endoftext|>"), single_file._clip_tokenizer("!")
    common = {**networks, "scheduler": scheduler(prediction)}
    if family == "sdxl":
        pipe = StableDiffusionXLPipeline(**common, tokenizer=clip, tokenizer_2=open_clip)
    else:
        pipe = StableDiffusionPipeline(
            **common,
            tokenizer=open_clip if family == "sd2" else clip,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return tiny_pictures.theirs(pipe, PROMPT, SIZE)


def ours(root: Path, base: str) -> np.ndarray:
    row = {"prompt": PROMPT, "weight": tiny_pictures.SCALE}
    return tiny_pictures.ours(root, base, SIZE, rows=[row])


@pytest.mark.parametrize(
    ("family", "prediction", "mark"),
    [
        ("sd1", "epsilon", {}),
        ("sd2", "v_prediction", {}),
        ("sd2", "epsilon", {"modelspec.prediction_type": "epsilon"}),
        ("sdxl", "epsilon", {}),
    ],
)
def test_a_file_makes_diffusers_picture(
    family: str, prediction: str, mark: dict[str, str], tmp_path: Path
) -> None:
    networks = parts(family)
    tiny_files.save_whole_model(tmp_path / "checkpoints/mine.safetensors", family, networks, **mark)
    entry = Library((tmp_path,))["checkpoints/mine"]
    assert (entry.kind, entry.family, entry.prediction) == ("base", family, prediction)
    assert entry.latent_space == ("4x8:0.13025" if family == "sdxl" else "4x8:0.18215")
    expected = theirs(family, networks, prediction)
    assert difference(ours(tmp_path, "checkpoints/mine"), expected) <= 1


def test_clip_reads_as_everybody_s_clip_does() -> None:
    """Ids as published with the model."""
    tokenizer = single_file._clip_tokenizer("<|endoftext|>")
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("Hello, world!").input_ids == [49406, 3306, 267, 1002, 256, 49407]
    assert len(tokenizer) == 49408


def test_the_original_config_beside_a_file_says_what_it_predicts(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    tiny_files.save_whole_model(file, "sd1", parts("sd1"))
    assert Library((tmp_path,))["mine"].prediction == "epsilon"
    file.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    assert Library((tmp_path,))["mine"].prediction == "v_prediction"


def _nine_channels(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd1", {**parts("sd1"), "unet": unet("sd1", channels=9)})


def _depth(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd2", {**parts("sd2"), "unet": unet("sd2", channels=5)})


def _upscaler(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd2", {**parts("sd2"), "unet": unet("sd2", channels=7)})


def _unclip(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny_files.save_whole_model(path, "sd2", parts("sd2"))
    label = {"model.diffusion_model.label_emb.0.0.weight": torch.ones(2, 2)}
    save_file(load_file(path) | label, path)


def _truncated(path: Path) -> None:
    tiny_files.save_whole_model(path, "sd1", parts("sd1"))
    path.write_bytes(path.read_bytes()[:-1000])


def _no_vae(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tiny_files.save_whole_model(path, "sd1", parts("sd1"))
    state = {k: v for k, v in load_file(path).items() if not k.startswith("first_stage_model.")}
    save_file(state, path)


@pytest.mark.parametrize(
    ("write", "name", "told"),
    [
        (_nine_channels, "mine.safetensors", "inpainting"),
        (_depth, "mine.safetensors", "takes 5 input channels for latents of 4"),
        (_upscaler, "mine.safetensors", "takes 7 input channels for latents of 4"),
        (_unclip, "mine.safetensors", "takes a class label"),
        (_truncated, "mine.safetensors", "truncated download"),
        (_no_vae, "mine.safetensors", "no autoencoder"),
        (lambda path: path.write_bytes(b"\x80\x04pickle"), "mine.ckpt", "is a pickle"),
    ],
)
@pytest.mark.parametrize("field", ["base", "rows.0.model"])
def test_files_that_cannot_be_used_are_refused_by_name(
    write: Callable[[Path], None], name: str, told: str, field: str, tmp_path: Path
) -> None:
    from studio.plan import compile_plan

    write(tmp_path / name)
    if field != "base":
        from tests.support import tiny

        tiny.pipeline(tmp_path / "base")
    library = Library((tmp_path,))
    assert "mine" not in [entry.id for entry in library.entries()]
    assert told in library.refused()[0].problem
    fields = {"base": "mine"} if field == "base" else {"base": "base", "rows": [{"model": "mine"}]}
    with pytest.raises(StudioError, match=told) as caught:
        compile_plan(validate(fields), library)
    assert caught.value.field == field
    assert "'mine'" in str(caught.value)
