"""Lone files that are no model here are listed with their reason, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studio.library import Library

UNET = "model.diffusion_model."
NETWORK = {
    f"{UNET}input_blocks.0.0.weight": (8, 4, 3, 3),
    f"{UNET}out.2.weight": (4, 8, 3, 3),
    f"{UNET}input_blocks.1.1.attn2.to_k.weight": (8, 768),
}


def write(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)


@pytest.mark.parametrize("name", ["net.safetensors", "NET.SafeTensors", "net.sft"])
def test_safetensors_under_all_their_names(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, NETWORK)
    (entry,) = Library((tmp_path,)).entries()
    assert (entry.id.lower(), entry.kind, entry.one_file) == ("net", "finetune", True)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("t5-Q8_0.gguf", "is a GGUF file alone; if it holds a denoising network, put it into the"),
        ("a.onnx", "is an ONNX network"),
        ("a.CKPT", "'python -m studio convert a.CKPT'"),
        ("a.pkl", "is a pickle (.pkl)"),
    ],
)
def test_files_of_other_formats(name: str, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"anything")
    (entry,) = Library((tmp_path,)).refused()
    assert entry.id == Path(name).stem and why in entry.problem


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ({"double_blocks.0.img_attn.qkv.weight": (2, 2)}, "a network of FLUX.1 in one file"),
        ({f"{UNET}joint_blocks.0.x_block.attn.qkv.weight": (2, 2)}, "Stable Diffusion 3 in one"),
        ({"vision_model.post_layernorm.weight": (2,)}, "is an image encoder (CLIP)"),
        ({"text_model.final_layer_norm.weight": (2,)}, "is a text encoder alone"),
        ({"encoder.block.0.layer.0.SelfAttention.k.weight": (2, 2)}, "is a text encoder alone"),
        ({"something": (2, 2)}, "its first tensor is called 'something'"),
    ],
)
def test_sound_networks_that_are_no_model_here(
    shapes: dict[str, tuple[int, ...]], why: str, tmp_path: Path
) -> None:
    write(tmp_path / "it.safetensors", {**shapes, "zzz": (1, 1, 1)})
    (entry,) = Library((tmp_path,)).refused()
    assert why in entry.problem


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("any", ["params_ema.conv_first.weight", "params.conv_first.weight"]),
        ("any", ["module.model.1.sub.0.RDB1.conv1.0.weight", "module.model.0.weight"]),
        ("any", ["body.0.weight", "body.1.weight"]),
        ("any", ["params.feats.0.weight", "params.feats.1.weight"]),
        ("any", ["block_1.c1_r.sk.weight", "conv_1.sk.weight"]),
        ("upscale_models/mine", ["whatever.weight"]),
        ("ESRGAN", ["whatever.weight"]),
        ("hat", ["whatever.weight"]),
    ],
)
def test_networks_that_enlarge_pictures(where: str, names: list[str], tmp_path: Path) -> None:
    write(tmp_path / where / "it.safetensors", dict.fromkeys(names, (2, 3, 3, 3)))
    (entry,) = Library((tmp_path,)).entries()
    assert (entry.kind, entry.id) == ("upscaler", f"{where}/it")


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("mine/hat", ["whatever.weight"]),  # of hats
        ("hat", ["text_model.final_layer_norm.weight"]),
        ("any", ["body.0.weight", "head.weight"]),
    ],
)
def test_what_is_no_network_that_enlarges(where: str, names: list[str], tmp_path: Path) -> None:
    write(tmp_path / where / "it.safetensors", dict.fromkeys(names, (2, 3, 3, 3)))
    library = Library((tmp_path,))
    assert not library.entries() and len(library.refused()) == 1


@pytest.mark.parametrize(
    "mark", ["input_blocks.1.1.attn2.to_k.scale_weight", "scaled_fp8", "out.2.weight.absmax"]
)
def test_weights_that_mean_nothing_without_their_scales(mark: str, tmp_path: Path) -> None:
    """Left out, the scales would make another picture without a word."""
    write(tmp_path / "small.safetensors", {**NETWORK, f"{UNET}{mark}": (1,)})
    (entry,) = Library((tmp_path,)).refused()
    assert entry.kind == "finetune" and f"{mark}'), which are not read" in entry.problem
