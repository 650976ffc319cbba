"""Adapters that are no product of two thin matrices, in the files that trainers write."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import LoHaConfig, LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

from studio.library import Library
from tests.support import tiny, tiny_files
from tests.support.tiny_adapters import PEFT, TARGETS, factors, load, randomised, run, run_with


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def network() -> UNet2DConditionModel:
    return tiny.unet().double().eval()


def test_kohya_s_dora(network: UNet2DConditionModel, tmp_path: Path) -> None:
    model, state = factors(
        network, LoraConfig(r=4, lora_alpha=2, use_dora=True, target_modules=TARGETS)
    )
    names = tiny_files.kohya_names({k: v for k, v in state.items() if "magnitude" not in k}, 2.0)
    for key, value in state.items():
        if "lora_magnitude_vector" in key:
            module = key.partition(".")[2].partition(".lora_magnitude")[0].replace(".", "_")
            ones = [1] * (names[f"lora_unet_{module}.lora_down.weight"].ndim - 1)
            names[f"lora_unet_{module}.dora_scale"] = value.reshape(-1, *ones).contiguous()
    save_file(names, tmp_path / "dora.safetensors")
    found = run_with(network, load(tmp_path / "dora.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


@pytest.mark.parametrize("kind", ["loha", "lokr"])
def test_lycoris_files(kind: str, network: UNet2DConditionModel, tmp_path: Path) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT[kind])))
    state = {}
    for key, value in model.state_dict().items():
        if "hada_" in key or "lokr_" in key:
            module, _, role = (
                key.removeprefix("base_model.model.").removesuffix(".default").rpartition(".")
            )
            name = f"lora_unet_{module.replace('.', '_')}"
            state[f"{name}.{role}"] = value.detach().clone().contiguous()
            state[f"{name}.alpha"] = torch.tensor(float(PEFT[kind].alpha))
    save_file(state, tmp_path / "lycoris.safetensors")
    assert Library((tmp_path,))["lycoris"].kind == "lora"
    found = run_with(network, load(tmp_path / "lycoris.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def test_lycoris_in_the_original_code_s_names(tmp_path: Path) -> None:
    """XL's layers as ``input_blocks`` and so on, residual blocks' convolutions among them."""
    torch.manual_seed(2)
    network = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=2,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=tiny.WIDTH,
        attention_head_dim=(1, 2),
        use_linear_projection=True,
    )
    network = network.double().eval()
    config = LoHaConfig(r=2, alpha=2, target_modules=["to_k", "conv1", "conv2", "ff.net.2"])
    model = randomised(get_peft_model(copy.deepcopy(network), config))
    state = {}
    for key, value in model.state_dict().items():
        if "hada_" in key:
            module, _, role = (
                key.removeprefix("base_model.model.").removesuffix(".default").rpartition(".")
            )
            name = tiny_files.unet_name(module, 3).replace(".", "_")
            state[f"lora_unet_{name}.{role}"] = value.detach().clone().contiguous()
    assert {key.split("_")[2] for key in state} == {"input", "middle", "output"}
    save_file(state, tmp_path / "xl.safetensors")
    found = run_with(network, load(tmp_path / "xl.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


@pytest.mark.parametrize(("whole", "scale"), [(True, 1.0), (False, 2.5)])
def test_lokr_is_a_kronecker_product(whole: bool, scale: float, tmp_path: Path) -> None:
    """``w1 ⊗ w2``, scaled by alpha over rank only where a factor is a product itself (LyCORIS)."""
    torch.manual_seed(4)
    network = nn.Module()
    network.line = nn.Linear(6, 8)
    left, right, a, b = (torch.randn(2, 3), torch.randn(4, 2), torch.randn(4, 2), torch.randn(2, 2))
    factors = {"lokr_w2": right} if whole else {"lokr_w2_a": a, "lokr_w2_b": b}
    state = {f"lora_unet_line.{k}": v for k, v in {"lokr_w1": left, **factors}.items()}
    save_file({**state, "lora_unet_line.alpha": torch.tensor(5.0)}, tmp_path / "x.safetensors")
    found = load(tmp_path / "x.safetensors", network).unet["line"]
    expected = torch.zeros(8, 6)
    block = right if whole else a @ b
    for i in range(2):
        for j in range(3):
            expected[4 * i : 4 * i + 4, 2 * j : 2 * j + 2] = left[i, j] * block
    assert torch.allclose(found, scale * expected)
