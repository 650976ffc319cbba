"""GGUF files of a network in every form that people share, and those that are refused unread."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("gguf", reason="gguf is not installed")

import gguf
from accelerate import init_empty_weights
from diffusers import FluxTransformer2DModel, UNet2DConditionModel

from studio.engine.families.gguf_network import _checked
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.errors import MissingModel
from studio.library import Library
from studio.library.gguf_files import GGUFHeader, GGUFTensor
from studio.plan import Weights
from tests.support import tiny_checkpoints, tiny_files, tiny_gguf

READER = "diffusers.models.model_loading_utils.load_gguf_checkpoint"


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return tiny_checkpoints.unet("sd1")


def folder_of(root: Path, network: Any) -> Path:
    """A lone network's folder with its config alone."""
    folder = root / "net"
    network.save_config(folder)
    return folder


def loaded(root: Path) -> Any:
    loader = Loader(Library((root,)), Registry(2**30), torch.device("cpu"), torch.float32)
    return loader.network(Weights("net"))


def plain_numbers(network: nn.Module) -> dict[str, Tensor]:
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

    state = network.state_dict()
    return {key: dequantize_gguf_tensor(value).float() for key, value in state.items()}


def close(network: Any, expected: Mapping[str, Tensor], bits: float = 1e-3) -> None:
    """Within what diffusers' unfolding in fp16 leaves."""
    found = plain_numbers(network)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=bits, atol=bits)


@pytest.mark.parametrize("before", ["", "model.diffusion_model."])
def test_a_u_net_in_the_original_names_alone_or_among_other_networks(
    before: str, unet: UNet2DConditionModel, tmp_path: Path
) -> None:
    state = {}
    for key, value in unet.state_dict().items():
        module, _, kind = key.rpartition(".")
        state[f"{before}{tiny_files.unet_name(module, 4)}.{kind}"] = value
    if before:
        state["first_stage_model.encoder.conv_in.weight"] = torch.zeros(8, 3, 3, 3)
    tiny_gguf.write(folder_of(tmp_path, unet) / "a.gguf", state, "sd1", eight)
    network = loaded(tmp_path)
    close(network, dict(tiny_gguf.unrounded(unet.state_dict(), eight)))
    assert any(type(module).__name__ == "GGUFLinear" for module in network.modules())


def eight(_: str, value: Tensor) -> Any:
    return tiny_gguf.Q8_0 if value.ndim == 2 and value.shape[1] % 32 == 0 else None


def test_what_no_layer_unfolds_by_itself_is_made_plain(
    unet: UNet2DConditionModel, tmp_path: Path
) -> None:
    """Norms, biases and convolutions in bfloat16."""
    state = unet.state_dict()
    file = folder_of(tmp_path, unet) / "a.gguf"
    tiny_gguf.write(file, state, "sd1", lambda *_: tiny_gguf.BF16)
    network = loaded(tmp_path)
    expected = {key: value.bfloat16().float() for key, value in state.items()}
    close(network, expected, 0)
    unet_of_it = UNet2DConditionModel.from_config(unet.config)
    unet_of_it.load_state_dict(expected)
    given = torch.randn(1, 4, 8, 8), torch.tensor(5), torch.randn(1, 7, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(*given).sample, unet_of_it(*given).sample)


def test_a_convolution_whose_rows_comfyui_has_cut_gets_its_shape_back(
    unet: UNet2DConditionModel, tmp_path: Path
) -> None:
    key = "down_blocks.0.resnets.0.conv1.weight"
    state, shape = unet.state_dict(), unet.state_dict()[key].shape
    writer = gguf.GGUFWriter(str(folder_of(tmp_path, unet) / "a.gguf"), "sd1")
    for name, value in state.items():
        if name != key:
            writer.add_tensor(name, value.numpy())
    rounded = gguf.quants.quantize(state[key].numpy().reshape(-1, 32), tiny_gguf.Q8_0)
    writer.add_tensor(key, rounded, raw_dtype=tiny_gguf.Q8_0)
    writer.add_array(f"comfy.gguf.orig_shape.{key}", list(shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    number = gguf.quants.dequantize(rounded, tiny_gguf.Q8_0).reshape(shape)
    close(loaded(tmp_path), {**state, key: torch.from_numpy(number)})


def test_flux_in_the_original_names_at_its_own_width() -> None:
    """diffusers renames FLUX.1 of 3072 numbers alone, so that the file's header stands for it."""
    wide, hidden = 3072, 4 * 3072
    shapes: dict[str, tuple[int, int]] = {
        "img_in": (wide, 64),
        "txt_in": (wide, 4096),
        "vector_in.in_layer": (wide, 768),
        "final_layer.linear": (64, wide),
        "final_layer.adaLN_modulation.1": (2 * wide, wide),
        "single_blocks.0.linear1": (3 * wide + hidden, wide),
        "single_blocks.0.linear2": (wide, wide + hidden),
        "single_blocks.0.modulation.lin": (3 * wide, wide),
        "vector_in.out_layer": (wide, wide),
    }
    shapes |= {f"{name}.in_layer": (wide, 256) for name in ("time_in", "guidance_in")}
    shapes |= {f"{name}.out_layer": (wide, wide) for name in ("time_in", "guidance_in")}
    for side in ("img", "txt"):
        start = f"double_blocks.0.{side}"
        shapes |= {f"{start}_attn.qkv": (3 * wide, wide), f"{start}_attn.proj": (wide, wide)}
        shapes |= {f"{start}_mlp.0": (hidden, wide), f"{start}_mlp.2": (wide, hidden)}
        shapes[f"{start}_mod.lin"] = (6 * wide, wide)
    tensors = {f"{name}.weight": rounded(shape) for name, shape in shapes.items()}
    tensors |= {f"{name}.bias": single(shape[0]) for name, shape in shapes.items()}
    attentions = ("double_blocks.0.img_attn.", "double_blocks.0.txt_attn.", "single_blocks.0.")
    for start in attentions:
        tensors |= {f"{start}norm.{one}_norm.scale": single(128) for one in ("query", "key")}
    with init_empty_weights():
        network: Any = FluxTransformer2DModel(
            num_layers=1, num_single_layers=1, guidance_embeds=True
        )
    args = (network, GGUFHeader("flux", tensors), "it", Path("transformer/a.gguf"))
    _checked(FluxTransformer2DModel, *args)
    del tensors["double_blocks.0.txt_mlp.2.bias"]
    with pytest.raises(MissingModel, match=r"and double_blocks\.0\.txt_mlp\.2\.bias is"):
        _checked(FluxTransformer2DModel, *args)


def rounded(shape: tuple[int, int]) -> GGUFTensor:
    if shape[1] % 256:  # as llama.cpp does where rows hold no whole block
        return GGUFTensor("F16", shape, shape, 2 * shape[0] * shape[1])
    return GGUFTensor("Q4_K", shape, shape, shape[0] * shape[1] // 256 * 144)


def single(width: int) -> GGUFTensor:
    return GGUFTensor("F32", (width,), (width,), 4 * width)


def _without(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key != "conv_in.bias"}


def _narrow(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "time_embedding.linear_1.weight": torch.zeros(128, 64)}


REFUSED: dict[str, tuple[Callable[[dict[str, Tensor]], dict[str, Tensor]], str]] = {
    "a tensor missing": (_without, "'net' lacks the tensor conv_in.bias of its network; fetch"),
    "another shape": (
        _narrow,
        r"the tensor time_embedding.linear_1.weight is \(128, 64\), its network needs \(128, 32\)",
    ),
    "another network": (
        lambda _: {"blk.0.attn_q.weight": torch.zeros(8, 8)},
        "'net': a.gguf holds another network than config.json beside it says, or not all of it: its "
        "first tensor is 'blk.0.attn_q.weight', and conv_in.bias is not there",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_of_another_network_is_refused_before_a_weight_is_read(
    case: str, unet: UNet2DConditionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, why = REFUSED[case]
    state = change(dict(unet.state_dict()))
    tiny_gguf.write(folder_of(tmp_path, unet) / "a.gguf", state, "sd1", eight)
    monkeypatch.setattr(READER, lambda *_: pytest.fail("a weight is read"))
    with pytest.raises(MissingModel, match=why) as caught:
        loaded(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_config_out_of_bounds_and_a_file_that_came_later_are_refused_too(
    unet: UNet2DConditionModel, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, unet)
    tiny_gguf.write(folder / "a.gguf", unet.state_dict(), "sd1", eight)
    loader = Loader(Library((tmp_path,)), Registry(2**30), torch.device("cpu"), torch.float32)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "layers_per_block": 10**6}))
    with pytest.raises(MissingModel, match="layers_per_block is 1000000, at most 256"):
        loader.network(Weights("net"))
    (folder / "b.gguf").write_bytes(b"GGUF")
    with pytest.raises(MissingModel, match="'net' has several files of weights in net; keep one"):
        loader.network(Weights("net"))
