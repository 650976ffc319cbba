"""Adapters in the original names of FLUX.1 and Stable Diffusion 3, whose layers are several here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel
from safetensors.torch import save_file
from torch import Tensor, nn

from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import Adapter
from studio.errors import IncompatibleModels

CPU = torch.device("cpu")
BLOCK, SINGLE = "transformer_blocks.0", "single_transformer_blocks.0"
HEADS: dict[str, Any] = {"attention_head_dim": 8, "num_attention_heads": 2, "num_layers": 2}
QKV = tuple(f"{BLOCK}.attn.to_{letter}" for letter in "qkv")
ADDED = tuple(f"{BLOCK}.attn.add_{letter}_proj" for letter in "qkv")
SINGLES = (*(f"{SINGLE}.attn.to_{letter}" for letter in "qkv"), f"{SINGLE}.proj_mlp")


@pytest.fixture(scope="module")
def flux() -> nn.Module:
    torch.manual_seed(1)
    return FluxTransformer2DModel(
        in_channels=16,
        num_single_layers=1,
        joint_attention_dim=16,
        pooled_projection_dim=8,
        axes_dims_rope=(2, 2, 4),
        **HEADS,
    )


@pytest.fixture(scope="module")
def sd3() -> nn.Module:
    torch.manual_seed(1)
    return SD3Transformer2DModel(
        sample_size=8,
        joint_attention_dim=16,
        caption_projection_dim=16,
        pooled_projection_dim=8,
        **HEADS,
    )


def read(state: dict[str, Tensor], network: nn.Module, path: Path) -> Adapter:
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return load_adapter(path, "it", network, {}, CPU, torch.float64)


def full(change: Any) -> Tensor:
    return change if isinstance(change, Tensor) else change[1] @ change[0]


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("lora_unet_double_blocks_0_img_attn_qkv", QKV),
        ("diffusion_model.double_blocks.0.txt_attn.qkv", ADDED),
        ("double_blocks.0.img_mlp.0", (f"{BLOCK}.ff.net.0.proj",)),
        ("lora_unet_single_blocks_0_linear1", SINGLES),
        ("lora_unet_single_blocks_0_linear2", (f"{SINGLE}.proj_out",)),
        ("lora_unet_single_blocks_0_modulation_lin", (f"{SINGLE}.norm.linear",)),
        ("lora_unet_img_in", ("x_embedder",)),
        ("lora_unet_guidance_in_in_layer", ()),  # this network takes no guidance
    ],
)
def test_flux(name: str, layers: tuple[str, ...], flux: nn.Module, tmp_path: Path) -> None:
    """The rows of the one matrix are those of the layers, one after another."""
    weights = [flux.get_submodule(layer).weight for layer in layers]
    rows = sum(map(len, weights)) or 16
    down, up = torch.randn(3, weights[0].shape[1] if weights else 16), torch.randn(rows, 3)
    beside = "lora_unet_double_blocks_1_img_attn_proj"
    state = {
        f"{name}.lora_down.weight": down,
        f"{name}.lora_up.weight": up,
        f"{name}.alpha": torch.tensor(6.0),
    }
    for layer in (beside, f"{beside.replace('proj', 'qkv')}"):
        state[f"{layer}.diff_b"] = torch.zeros(16 if layer == beside else 48)
    found = read(state, flux, tmp_path / "it.safetensors")
    whole = (up.double() @ down.double()) * 2
    for layer, expected in zip(
        layers, whole.split([len(w) for w in weights]) if layers else (), strict=True
    ):
        torch.testing.assert_close(full(found.unet[layer]), expected, rtol=1e-6, atol=1e-6)
    assert bool(found.notes) == (not layers)


@pytest.mark.parametrize("side", ["x_block", "context_block"])
def test_stable_diffusion_3(side: str, sd3: nn.Module, tmp_path: Path) -> None:
    layers = QKV if side == "x_block" else ADDED
    down, up = torch.randn(3, 16), torch.randn(48, 3)
    name = f"lora_unet_joint_blocks_0_{side}_attn_qkv"
    found = read(
        {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up},
        sd3,
        tmp_path / "it.safetensors",
    )
    whole = up.double() @ down.double()
    for layer, expected in zip(layers, whole.split(16), strict=True):
        torch.testing.assert_close(full(found.unet[layer]), expected, rtol=1e-6, atol=1e-6)


def test_what_needs_the_whole_matrix_has_it(flux: nn.Module, tmp_path: Path) -> None:
    """A DoRA by inputs: its norms run over the rows of all three layers."""
    weight = torch.cat([flux.get_submodule(layer).weight.detach() for layer in QKV]).double()
    down, up, size = torch.randn(2, 16), torch.randn(48, 2), torch.rand(1, 16) + 0.5
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    state = {
        f"{name}.lora_down.weight": down,
        f"{name}.lora_up.weight": up,
        f"{name}.dora_scale": size,
    }
    found = read(state, flux, tmp_path / "it.safetensors")
    moved = weight + up.double() @ down.double()
    expected = size.double() * moved / moved.norm(dim=0, keepdim=True) - weight
    together = torch.cat([full(found.unet[layer]) for layer in QKV])
    torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-5)


def test_a_layer_under_both_names_is_refused(flux: nn.Module, tmp_path: Path) -> None:
    state = {
        "lora_unet_double_blocks_0_img_attn_qkv.diff": torch.ones(48, 16),
        f"transformer.{QKV[0]}.diff": torch.ones(16, 16),
    }
    with pytest.raises(
        IncompatibleModels, match=r"names layer transformer_blocks\.0\.attn\.to_q twice"
    ):
        read(state, flux, tmp_path / "it.safetensors")
