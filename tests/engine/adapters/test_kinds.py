"""Every kind of adapter against LyCORIS's own modules, in float64, layer by layer."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lycoris.modules.boft import ButterflyOFTModule
from lycoris.modules.diag_oft import DiagOFTModule
from lycoris.modules.full import FullModule
from lycoris.modules.glora import GLoRAModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from safetensors.torch import save_file
from torch import Tensor, nn

from studio.engine.adapters.changes import ADAPTER_CHANGES
from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import Adapter, attached
from studio.library import Library
from studio.library.adapter_kinds import ADAPTER_KINDS

CPU = torch.device("cpu")
TWO = {"multiplier": 1.0, "lora_dim": 2, "alpha": 1.0}


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    logging.getLogger("LyCORIS").setLevel(logging.ERROR)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(7)
    yield
    torch.set_default_dtype(torch.float32)


class Net(nn.Module):
    """One layer of each kind that adapters change, 8 wide (12 inputs of the linear one)."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(12, 8)
        self.conv = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.point = nn.Conv2d(8, 16, 1)
        self.grouped = nn.Conv2d(8, 16, 3, padding=1, groups=4)
        self.group_norm = nn.GroupNorm(2, 8)
        self.layer_norm = nn.LayerNorm(8)


def features(layer: str) -> Tensor:
    """Two samples of what a layer reads."""
    shape = {"line": (2, 5, 12), "layer_norm": (2, 5, 8)}.get(layer, (2, 8, 6, 6))
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def randomised(module: nn.Module) -> dict[str, Tensor]:
    """LyCORIS's module as after training; its tensors as it saves them."""
    for parameter in module.parameters():
        parameter.data = parameter.data.double() + torch.randn_like(parameter.double()) * 0.3
    module.double()
    return {k: v.detach().clone().contiguous() for k, v in module.state_dict().items()}


def load(path: Path, state: dict[str, Tensor], network: nn.Module) -> Adapter:
    save_file(state, path)
    return load_adapter(path, "odd", network, {}, CPU, torch.float64)


CASES: list[tuple[str, str, str, Any, dict[str, Any]]] = [
    ("lora", "linear", "line", LoConModule, {}),
    ("lora", "convolution", "conv", LoConModule, {}),
    ("lora", "tucker", "conv", LoConModule, {"use_tucker": True}),
    ("lora", "rank-stabilised", "line", LoConModule, {"rs_lora": True}),
    ("lora", "grouped", "grouped", LoConModule, {}),
    ("lora", "dora", "line", LoConModule, {"weight_decompose": True}),
    ("lora", "dora by inputs", "line", LoConModule, {"weight_decompose": True, "wd_on_out": False}),
    ("lora", "dora convolution", "conv", LoConModule, {"weight_decompose": True}),
    ("lora", "tucker dora", "conv", LoConModule, {"use_tucker": True, "weight_decompose": True}),
    ("loha", "linear", "line", LohaModule, {}),
    ("loha", "convolution", "conv", LohaModule, {}),
    ("loha", "tucker", "conv", LohaModule, {"use_tucker": True}),
    ("loha", "tucker dora", "conv", LohaModule, {"use_tucker": True, "weight_decompose": True}),
    ("loha", "dora by inputs", "line", LohaModule, {"weight_decompose": True, "wd_on_out": False}),
    ("lokr", "linear", "line", LokrModule, {"lora_dim": 1}),
    ("lokr", "whole", "line", LokrModule, {"full_matrix": True}),
    ("lokr", "convolution", "conv", LokrModule, {"lora_dim": 1}),
    ("lokr", "both", "conv", LokrModule, {"lora_dim": 1, "decompose_both": True}),
    ("lokr", "tucker", "conv", LokrModule, {"lora_dim": 1, "use_tucker": True}),
    ("lokr", "dora", "conv", LokrModule, {"lora_dim": 1, "weight_decompose": True}),
    ("lokr", "point", "point", LokrModule, {"lora_dim": 1}),
    ("glora", "linear", "line", GLoRAModule, {}),
    ("glora", "convolution", "conv", GLoRAModule, {}),
    ("ia3", "outputs", "line", IA3Module, {}),
    ("ia3", "inputs", "line", IA3Module, {"train_on_input": True}),
    ("ia3", "convolution", "conv", IA3Module, {}),
    ("ia3", "convolution inputs", "conv", IA3Module, {"train_on_input": True}),
    ("oft", "linear", "line", DiagOFTModule, {"lora_dim": 4}),
    ("oft", "convolution", "conv", DiagOFTModule, {"lora_dim": 4}),
    ("oft", "bound", "line", DiagOFTModule, {"lora_dim": 4, "constraint": 0.05}),
    ("oft", "rescaled", "conv", DiagOFTModule, {"lora_dim": 4, "rescaled": True}),
    ("oft", "butterfly", "line", ButterflyOFTModule, {"lora_dim": 2}),
    ("oft", "butterfly convolution", "conv", ButterflyOFTModule, {"lora_dim": 4, "rescaled": True}),
    ("oft", "butterfly bound", "conv", ButterflyOFTModule, {"lora_dim": 4, "constraint": 0.01}),
    ("full", "linear", "line", FullModule, {}),
    ("full", "convolution", "conv", FullModule, {}),
    ("norm", "groups", "group_norm", NormModule, {}),
    ("norm", "layers", "layer_norm", NormModule, {}),
]


@pytest.mark.parametrize(
    ("kind", "layer", "make", "options"),
    [(kind, layer, make, options) for kind, _, layer, make, options in CASES],
    ids=[f"{kind}-{name}" for kind, name, *_ in CASES],
)
@torch.no_grad()
def test_equals_lycoris(
    kind: str, layer: str, make: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    network, x = Net(), features(layer)
    theirs = make("x", copy.deepcopy(network).get_submodule(layer), **(TWO | options)).eval()
    state = {f"lora_unet_{layer}.{role}": v for role, v in _state(kind, theirs).items()}
    adapter = load(tmp_path / "odd.safetensors", state, network)
    assert Library((tmp_path,))["odd"].kind == "lora"
    module = network.get_submodule(layer)
    with pytest.MonkeyPatch.context() as patch:
        # LyCORIS inverts in float32 (``.float()``), which meets float64 nowhere; here in float64.
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        plain, expected = module(x), theirs(x)
    with attached(network, [adapter.unet], torch.tensor([[0.0], [1.0]])):
        found = module(x)
    assert torch.equal(found[0], plain[0])
    assert torch.allclose(found[1], expected[1], rtol=1e-9, atol=1e-9)
    assert (expected[1] - plain[1]).abs().max() > 1e-3
    assert torch.equal(module(x), plain)


def _state(kind: str, module: nn.Module) -> dict[str, Tensor]:
    if kind != "full":
        return randomised(module)
    state = randomised(module)  # before it is applied, its tensors are the differences
    return {"diff": state["diff"] + module._org_weight[0], "diff_b": module.bias.data.clone()}


def test_every_kind_is_compared() -> None:
    assert {kind for kind, *_ in CASES} == set(ADAPTER_KINDS) - {"replaced"}
    assert set(ADAPTER_KINDS) == set(ADAPTER_CHANGES)
