"""Tiny networks in GGUF files, written by the package ``gguf``; imported where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.support import tiny, tiny_flux

Q8_0, Q4_0 = GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_0
F16, BF16 = GGMLQuantizationType.F16, GGMLQuantizationType.BF16
WEIGHTS = "diffusion_pytorch_model.safetensors"
# Family → its network's folder, and what its files call it.
PARTS = {"sd1": "unet", "flux": "transformer"}


def pipeline(folder: Path, family: str) -> Any:
    """A tiny pipeline whose network is wide enough for blocks of 32 numbers."""
    if family == "flux":
        return tiny_flux.pipeline(folder, heads=4)
    return tiny.pipeline(folder, width=32, block_out_channels=(32, 32))


def rounding(name: str, value: Tensor) -> GGMLQuantizationType | None:
    """Matrices in eight bits, those of the second kind of query in four; convolutions in 16."""
    if value.ndim == 2 and value.shape[1] % 32 == 0:
        return Q4_0 if name.endswith("to_q.weight") else Q8_0
    return F16 if value.ndim == 4 else None


def write(
    file: Path, state: Mapping[str, Tensor], architecture: str, rounding: Any = rounding
) -> None:
    """A GGUF file of ``state``, each tensor as ``rounding`` says (``None``: in 32 bits)."""
    writer = gguf.GGUFWriter(str(file), architecture)
    for name, value in state.items():
        array, kind = value.float().numpy(), rounding(name, value)
        if kind is None:
            writer.add_tensor(name, array)
        else:
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def unrounded(
    state: Mapping[str, Tensor], rounding: Any = rounding
) -> Iterator[tuple[str, Tensor]]:
    """What the package itself makes of each rounded tensor: the network in plain numbers."""
    for name, value in state.items():
        kind = rounding(name, value)
        array = value.float().numpy()
        if kind is not None:
            array = gguf.quants.dequantize(gguf.quants.quantize(array, kind), kind)
        yield name, torch.from_numpy(np.ascontiguousarray(array)).float()


def library(root: Path, family: str) -> None:
    """``base``, ``few`` of its network in a GGUF file, ``plain`` of what that holds; a LoRA, a DoRA."""
    part, network = PARTS[family], getattr(pipeline(root / "base", family), PARTS[family])
    state = network.state_dict()
    for name in ("few", "plain"):
        shutil.copytree(root / "base", root / name)
        (root / name / part / WEIGHTS).unlink()
    write(root / "few" / part / "net-Q8_0.gguf", state, family)
    save_file(dict(unrounded(state)), root / "plain" / part / WEIGHTS)
    _adapters(root, part, network)


def _adapters(root: Path, part: str, network: Any) -> None:
    generator, style, dora = torch.Generator().manual_seed(2), {}, {}
    for layer, module in network.named_modules():
        if layer.endswith(("to_q", "to_k")):
            out, inner = module.weight.shape
            down = torch.randn(2, inner, generator=generator)
            up = torch.randn(out, 2, generator=generator)
            key = f"{part}.{layer}"
            style |= {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}
            magnitude = 2 * module.weight.detach().norm(dim=1)
            dora |= {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}
            dora[f"{key}.lora_magnitude_vector"] = magnitude.contiguous()
    save_file(style, root / "style.safetensors")
    save_file(dora, root / "dora.safetensors")


def weights(folder: Path) -> dict[str, Tensor]:
    """A network's plain weights."""
    return load_file(folder / WEIGHTS)
