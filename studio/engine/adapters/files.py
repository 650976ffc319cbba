"""Reading adapters: LoRA in diffusers', peft's and kohya's formats, and LoRA's relatives.

Whatever the file, what comes out is a weight change per layer at strength 1: thin factors for
LoRA, the full difference for what is no product of factors (LoHa, LoKr, DoRA, OFT, Custom
Diffusion). Both scale exactly, since ``θ + s·Δ`` is linear in ``Δ``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.adapters import deltas
from studio.engine.adapters.lora import Adapter, Change
from studio.errors import IncompatibleModels, MissingModel
from studio.library import CUSTOM_DIFFUSION_FILE, LORA_FILE, read_header

_State = dict[str, Tensor]
_TOWERS = ("text_encoder", "text_encoder_2")
_WEIGHT = re.compile(
    r"^(?P<module>.+?)(?:\.lora_linear_layer|\.lora|_lora)?"
    r"\.(?P<role>lora_A|lora_B|lora_down|lora_up|down|up)(?:\.default)?\.weight$"
)
_OLD_TEXT_NAMES = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}


def load_adapter(
    path: Path,
    name: str,
    network: nn.Module,
    towers: Mapping[str, nn.Module],
    device: torch.device,
    dtype: torch.dtype,
) -> Adapter:
    """Read an adapter.

    Args:
        path: a safetensors file, or a folder with one in diffusers' or peft's layout.
        name: what errors call it.
        network: the denoising network that it is for; the weights of some kinds depend on it.
        towers: the text encoders, by their names in a pipeline.

    Raises:
        MissingModel: the file is not there or damaged.
        IncompatibleModels: another architecture, or keys that belong to no known network.
    """
    if path.is_dir() and not (path / LORA_FILE).is_file():
        parts = _from_folder(path, name, network, towers)
    else:
        file = path / LORA_FILE if path.is_dir() else path
        parts = _from_file(file, name, network, towers)
    if not any(parts.values()):
        raise IncompatibleModels("holds no weights of an adapter", field=name)
    placed = {
        part: {module: _move(change, device, dtype) for module, change in changes.items()}
        for part, changes in parts.items()
    }
    unet = placed.pop("unet", {})
    return Adapter(name, unet, placed)


def _move(change: Change, device: torch.device, dtype: torch.dtype) -> Change:
    if isinstance(change, Tensor):
        return change.to(device, dtype)
    return change[0].to(device, dtype), change[1].to(device, dtype)


_Parts = dict[str, dict[str, Change]]


def _from_folder(
    path: Path, name: str, network: nn.Module, towers: Mapping[str, nn.Module]
) -> _Parts:
    """Custom Diffusion in diffusers' layout, or what peft saved for each network."""
    if (path / CUSTOM_DIFFUSION_FILE).is_file():
        state = read_state(path / CUSTOM_DIFFUSION_FILE, name)
        return {"unet": deltas.custom_diffusion(state, network, name)}
    found: _Parts = {}
    for part, module in {"unet": network, **towers}.items():
        names = [part, "transformer", "."] if part == "unet" else [part]
        folders = [path / name for name in names]
        folder = next((f for f in folders if (f / "adapter_config.json").is_file()), None)
        if folder is not None:
            found[part] = deltas.merged_by_peft(folder, module, name)
    if not found:
        raise MissingModel("holds no adapter (no safetensors file of a known name)", field=name)
    return found


def _from_file(
    file: Path, name: str, network: nn.Module, towers: Mapping[str, nn.Module]
) -> _Parts:
    state = read_state(file, name)
    modules = {"unet": network, **towers}
    if any(deltas.is_full_rank(key) for key in state):
        return deltas.full_rank(state, modules, name)
    state, alphas, metadata = _normal_form(file, state, network, name)
    parts, unknown = _pair_up(state, alphas, metadata, modules)
    if unknown:
        shown = ", ".join(sorted(unknown)[:3])
        raise IncompatibleModels(f"{len(unknown)} keys are not understood: {shown}", field=name)
    magnitudes = {k: v for k, v in state.items() if "lora_magnitude_vector" in k}
    if magnitudes:
        return deltas.dora(parts, _magnitudes(magnitudes, modules), modules, name)
    return parts


def read_state(file: Path, name: str) -> _State:
    """All tensors of a safetensors file.

    Raises:
        MissingModel: not there, damaged, or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except OSError as error:
        raise MissingModel("its file is not there any more", field=name) from error
    except (SafetensorError, ValueError) as error:
        raise MissingModel(f"is damaged ({error})", field=name) from error


def _normal_form(
    file: Path, state: _State, network: nn.Module, name: str
) -> tuple[_State, dict[str, float], dict[str, Any]]:
    """Keys as diffusers names them, alphas by key, and the adapter's own settings."""
    from diffusers import StableDiffusionXLPipeline

    told = read_header(file).get("__metadata__", {}).get("lora_adapter_metadata", "{}")
    metadata = json.loads(told)
    if not all(key.startswith(("lora_unet_", "lora_te")) for key in state):
        return state, {}, metadata
    try:  # XL's converter knows all names of 1.x and 2.x, and both text towers
        converted, alphas = StableDiffusionXLPipeline.lora_state_dict(
            dict(state), unet_config=getattr(network, "config", None)
        )
    except (ValueError, KeyError, IndexError) as error:
        reason = (str(error).strip().splitlines() or ["?"])[-1][:120]
        raise IncompatibleModels(f"its keys are not understood ({reason})", field=name) from error
    return converted, alphas or {}, metadata


def _pair_up(
    state: Mapping[str, Tensor],
    alphas: Mapping[str, Any],
    metadata: Mapping[str, Any],
    modules: Mapping[str, nn.Module],
) -> tuple[_Parts, set[str]]:
    """Sort a flat state dict into ``{network: {module: (A, B·alpha/rank)}}`` and leftovers."""
    downs: dict[tuple[str, str], Tensor] = {}
    ups: dict[tuple[str, str], Tensor] = {}
    scales = {
        _place(key.removesuffix(".alpha"), modules): float(value)
        for key, value in {**alphas, **_alphas_within(state)}.items()
    }
    unknown = set()
    for key, value in state.items():
        match = _WEIGHT.match(key)
        if match:
            group = downs if match["role"] in ("lora_A", "lora_down", "down") else ups
            group[_place(key, modules)] = value
        elif not key.endswith(".alpha") and "lora_magnitude_vector" not in key:
            unknown.add(key)
    parts: _Parts = {part: {} for part in modules}
    for place in downs.keys() | ups.keys():
        part, module = place
        if place not in downs or place not in ups or part not in parts:
            unknown.add(f"{part}.{module}")
            continue
        rank = downs[place].shape[0]
        scale = scales[place] / rank if place in scales else _told_scale(metadata, place, rank)
        parts[part][module] = downs[place], ups[place] * scale
    return parts, unknown


def _alphas_within(state: Mapping[str, Tensor]) -> dict[str, float]:
    return {key: value.item() for key, value in state.items() if key.endswith(".alpha")}


def _told_scale(metadata: Mapping[str, Any], place: tuple[str, str], rank: int) -> float:
    """``alpha / rank`` (or ``alpha / √rank``) from what diffusers writes into the file's header."""
    part, module = place
    if part == "unet" and "transformer.lora_alpha" in metadata:
        part = "transformer"
    alpha = metadata.get(f"{part}.lora_alpha")
    for pattern, value in (metadata.get(f"{part}.alpha_pattern") or {}).items():
        if re.search(rf"(^|\.){pattern}$", module):
            alpha = value
    if alpha is None:
        return 1.0
    return float(alpha) / (rank**0.5 if metadata.get(f"{part}.use_rslora") else rank)


def _place(key: str, modules: Mapping[str, nn.Module]) -> tuple[str, str]:
    """Network and module of a weight's or an alpha's key, whatever dialect names it."""
    match = _WEIGHT.match(key)
    name = match["module"] if match else key.removesuffix("_lora")
    name = name.removeprefix("base_model.model.")
    part, _, module = name.partition(".")
    if part not in ("unet", "transformer", *_TOWERS):
        part, module = "unet", name
    part = "unet" if part == "transformer" else part
    module = module.removeprefix("base_model.model.").replace(".processor.", ".")
    if part == "unet":
        return part, re.sub(r"\.to_out$", ".to_out.0", module)
    head, _, last = module.rpartition(".")
    module = f"{head}.{_OLD_TEXT_NAMES.get(last, last)}" if head else module
    tower = modules.get(part)
    if tower is not None and not hasattr(tower, "text_model"):  # its wrapper came and went
        module = module.removeprefix("text_model.")
    return part, module


def _magnitudes(
    state: Mapping[str, Tensor], modules: Mapping[str, nn.Module]
) -> dict[tuple[str, str], Tensor]:
    """DoRA's magnitude vectors by network and module."""
    cut = re.compile(r"(?:\.lora_linear_layer|\.lora|_lora)?\.lora_magnitude_vector.*$")
    return {_place(cut.sub("", key), modules): value for key, value in state.items()}
