"""A tiny network with adapters of every kind, and what tells whether the engine reads them right."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, OFTConfig, PeftModel, get_peft_model
from torch import nn

from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import Adapter, attached, check_fits
from tests.support import tiny

CPU = torch.device("cpu")
TARGETS = ["to_q", "to_v", "to_out.0", "conv1"]
T = torch.tensor(400)


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Two noisy latents and their texts."""
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(2, 4, 8, 8, generator=generator),
        torch.randn(2, 6, tiny.WIDTH, generator=generator),
    )


def run(network: nn.Module) -> torch.Tensor:
    """The predictions of both samples."""
    z, text = inputs()
    with torch.no_grad():
        return network(z, T, encoder_hidden_states=text).sample


def run_with(network: nn.Module, adapter: Adapter, scale: float = 1.0) -> torch.Tensor:
    """The second of two samples has the adapter; the first must be the plain network's."""
    plain = run(network)
    check_fits(network, adapter.unet, adapter.name)
    z, text = inputs()
    with torch.no_grad(), attached(network, [adapter.unet], torch.tensor([[0.0], [scale]])):
        both = network(z, T, encoder_hidden_states=text).sample
    assert torch.allclose(both[0], plain[0], atol=1e-12)
    assert torch.equal(run(network), plain)  # nothing stays behind
    assert (both[1] - plain[1]).abs().max() > 1e-4
    return both[1]


def load(path: Path, network: nn.Module) -> Adapter:
    """The engine's reading of a file or folder."""
    return load_adapter(path, path.stem, network, {}, CPU, torch.float64)


def randomised(model: PeftModel) -> PeftModel:
    """An adapter as after training."""
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if any(mark in name for mark in ("lora_", "hada_", "lokr_", "oft_")):
            noise = torch.randn_like(parameter) * 0.2
            parameter.data = parameter.data + noise if "magnitude" in name else noise
    return model.eval()


PEFT = {
    "lora": LoraConfig(r=3, lora_alpha=5, target_modules=TARGETS),
    "rslora": LoraConfig(r=3, lora_alpha=5, use_rslora=True, target_modules=TARGETS),
    "dora": LoraConfig(r=3, lora_alpha=5, use_dora=True, target_modules=TARGETS),
    "loha": LoHaConfig(r=3, alpha=5, target_modules=TARGETS),
    "lokr": LoKrConfig(r=3, alpha=3, target_modules=TARGETS),
    "oft": OFTConfig(r=0, oft_block_size=4, target_modules=["to_q", "to_v"]),
}


def factors(network: nn.Module, config: LoraConfig) -> tuple[PeftModel, dict[str, torch.Tensor]]:
    """A network with a random LoRA, and the LoRA's weights in peft's names."""
    model = randomised(get_peft_model(copy.deepcopy(network), config))
    state = {
        k.replace("base_model.model.", "unet.").replace(".default", ""): v.detach()
        for k, v in model.state_dict().items()
        if "lora_" in k
    }
    return model, state
