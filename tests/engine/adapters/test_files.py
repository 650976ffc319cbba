"""Adapter files of every dialect, against the libraries that wrote them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

from studio.engine.adapters.lora import check_fits
from studio.errors import IncompatibleModels, MissingModel
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


@pytest.mark.parametrize("kind", PEFT)
def test_what_peft_saved(kind: str, network: UNet2DConditionModel, tmp_path: Path) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT[kind])))
    model.save_pretrained(tmp_path / kind)
    assert Library((tmp_path,))[kind].kind == "lora"
    found = run_with(network, load(tmp_path / kind, network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def test_a_pickle_of_peft_is_not_opened(network: UNet2DConditionModel, tmp_path: Path) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT["lora"])))
    model.save_pretrained(tmp_path / "lora", safe_serialization=False)
    (tmp_path / "lora/adapter_model.bin").write_bytes(b"\x80\x04cos\nsystem\n")
    (tmp_path / "lora/adapter_model.safetensors").unlink(missing_ok=True)
    with pytest.raises(MissingModel, match=r"no adapter_model\.safetensors; pickles are not"):
        load(tmp_path / "lora", network)


@pytest.mark.parametrize(
    "config", ["[]", "{}", "[" * 9000, '{"peft_type": "LORA", "r": "x"}', '{"peft_type": 3}']
)
def test_an_odd_config_of_peft_is_one_line(
    config: str, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT["lora"])))
    model.save_pretrained(tmp_path / "lora")
    (tmp_path / "lora/adapter_config.json").write_text(config)
    with pytest.raises((IncompatibleModels, MissingModel)) as caught:
        load(tmp_path / "lora", network)
    assert str(caught.value).startswith("lora: ") and "\n" not in str(caught.value)


def diffusers_file(network: UNet2DConditionModel, folder: Path, config: LoraConfig) -> nn.Module:
    """diffusers' own writer, its settings in the header; returns the network with the adapter."""
    own = copy.deepcopy(network)
    own.add_adapter(config)
    randomised(own)
    from diffusers.training_utils import _collate_lora_metadata
    from peft import get_peft_model_state_dict

    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=get_peft_model_state_dict(own),
        **_collate_lora_metadata({"unet": own}),
    )
    return own


@pytest.mark.parametrize(
    "config",
    [
        LoraConfig(r=2, lora_alpha=2, target_modules=TARGETS),
        LoraConfig(r=2, lora_alpha=6, target_modules=TARGETS, alpha_pattern={"to_v": 1}),
        LoraConfig(r=2, lora_alpha=4, use_dora=True, target_modules=TARGETS),
    ],
    ids=["plain", "alphas", "dora"],
)
def test_what_diffusers_saved(
    config: LoraConfig, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    own = diffusers_file(network, tmp_path / "style", copy.deepcopy(config))
    assert torch.allclose(
        run_with(network, load(tmp_path / "style", network)), run(own)[1], atol=1e-9
    )


def test_kohya_s_file_with_convolutions_and_alpha(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    model, state = factors(network, LoraConfig(r=4, lora_alpha=2, target_modules=TARGETS))
    save_file(tiny_files.kohya_names(state, alpha=2.0), tmp_path / "locon.safetensors")
    found = run_with(network, load(tmp_path / "locon.safetensors", network))
    assert torch.allclose(found, run(model)[1], atol=1e-9)


def test_a_strength_scales_the_difference_of_what_is_no_product(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    """θ + s·Δ with Δ = θ′ − θ of the merged DoRA, not a DoRA of another scale."""
    model = randomised(get_peft_model(copy.deepcopy(network), copy.deepcopy(PEFT["dora"])))
    model.save_pretrained(tmp_path / "dora")
    merged = model.merge_and_unload()
    expected = copy.deepcopy(network)
    for name, parameter in expected.named_parameters():
        parameter.data += 0.4 * (merged.get_parameter(name).data - parameter.data)
    found = run_with(network, load(tmp_path / "dora", network), scale=0.4)
    assert torch.allclose(found, run(expected)[1], atol=1e-9)


def _decomposed(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_0_resnets_0_conv1"
    roles = {
        "hada_w1_a": (4, 8),
        "hada_w1_b": (4, 8),
        "hada_w2_a": (4, 8),
        "hada_w2_b": (4, 8),
        "hada_w3_a": (4, 4),
    }
    save_file({f"{where}.{role}": torch.ones(shape) for role, shape in roles.items()}, path)


def _wide(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file(
        {
            f"{where}.lora_down.weight": torch.ones(2, 99),
            f"{where}.lora_up.weight": torch.ones(8, 2),
        },
        path,
    )


def _elsewhere(network: nn.Module, path: Path) -> None:
    where = "lora_unet_down_blocks_7_attentions_0_transformer_blocks_0_attn2_to_k"
    save_file(
        {f"{where}.hada_{w}": torch.ones(2, 2) for w in ("w1_a", "w1_b", "w2_a", "w2_b")}, path
    )


def _orphan(network: nn.Module, path: Path) -> None:
    save_file({"unet.conv_in.lora_A.weight": torch.ones(2, 4, 3, 3)}, path)


def _garbage(network: nn.Module, path: Path) -> None:
    path.write_bytes(b"\x00" * 64)


@pytest.mark.parametrize(
    ("write", "error", "told"),
    [
        (_decomposed, IncompatibleModels, "hada_w3_a' is part of a decomposition that is not read"),
        (_wide, IncompatibleModels, "99→8, the base 16→8"),
        (_elsewhere, IncompatibleModels, "no layer 'lora_unet_down_blocks_7"),
        (_orphan, IncompatibleModels, "layer conv_in has down and no up"),
        (_garbage, MissingModel, "damaged"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    write: Callable[[nn.Module, Path], None],
    error: type[Exception],
    told: str,
    network: UNet2DConditionModel,
    tmp_path: Path,
) -> None:
    path = tmp_path / "odd.safetensors"
    write(network, path)
    with pytest.raises(error, match=told) as caught:
        check_fits(network, load(path, network).unet, "odd")
    assert "odd" in str(caught.value)
