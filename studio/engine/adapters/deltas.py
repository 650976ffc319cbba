"""Weight changes of LoRA's relatives that are no product of two thin matrices.

LoHa and LoKr as in LyCORIS (arXiv:2309.14859), DoRA (arXiv:2402.09353, Eq. 5), Custom Diffusion
(arXiv:2212.04488); anything else that peft can merge comes through peft.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.adapters.lora import Change
from studio.errors import IncompatibleModels, MissingModel

_ROLES = (
    "hada_w1_a",
    "hada_w1_b",
    "hada_w2_a",
    "hada_w2_b",
    "hada_t1",
    "hada_t2",
    "lokr_w1",
    "lokr_w1_a",
    "lokr_w1_b",
    "lokr_w2",
    "lokr_w2_a",
    "lokr_w2_b",
    "lokr_t2",
    "diff",
    "diff_b",
    "oft_blocks",
    "oft_diag",
    "dora_scale",
    "on_input",
)
_KOHYA = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
# What diffusers' renaming of blocks leaves in the original code's words, longer names first.
_ORIGINAL = {
    "input_blocks_0_0": "conv_in",
    "time_embed_0": "time_embedding_linear_1",
    "time_embed_2": "time_embedding_linear_2",
    "label_emb_0_0": "add_embedding_linear_1",
    "label_emb_0_2": "add_embedding_linear_2",
    "input_blocks": "down_blocks",
    "middle_block": "mid_block",
    "output_blocks": "up_blocks",
    "in_layers_2": "conv1",
    "out_layers_3": "conv2",
    "emb_layers_1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
    "downsamplers_0_op": "downsamplers_0_conv",
}


def is_full_rank(key: str) -> bool:
    """Whether a file with this key is one of LoRA's relatives."""
    return key.rpartition(".")[2] in _ROLES


def full_rank(
    state: dict[str, Tensor], modules: Mapping[str, nn.Module], name: str
) -> dict[str, dict[str, Change]]:
    """LyCORIS files: LoHa, LoKr, full differences, and kohya's DoRA.

    Raises:
        IncompatibleModels: a layer that the networks lack, or a decomposition that is not read.
    """
    from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers

    config = getattr(modules["unet"], "config", None)
    if config is not None and hasattr(config, "layers_per_block"):
        state = _maybe_map_sgm_blocks_to_diffusers(state, config)
    layers: dict[tuple[str, str], dict[str, Tensor]] = {}
    for key, value in state.items():
        flat, _, role = key.partition(".")
        layers.setdefault(_find(flat, modules, name), {})[role] = value
    found: dict[str, dict[str, Change]] = {part: {} for part in modules}
    for (part, module), factors in layers.items():
        weight = modules[part].get_submodule(module).weight
        found[part][module] = _change(factors, weight, f"{name}, layer {module}")
    return found


def _find(flat: str, modules: Mapping[str, nn.Module], name: str) -> tuple[str, str]:
    """Network and module of a name whose dots were written as underscores."""
    prefix = next((p for p in _KOHYA if flat.startswith(p)), None)
    part = _KOHYA.get(prefix or "", "")
    if prefix is not None and part in modules:
        wanted = flat.removeprefix(prefix)
        for old, new in _ORIGINAL.items():
            wanted = wanted.replace(old, new)
        for module, layer in modules[part].named_modules():
            names = {module.replace(".", "_"), "text_model_" + module.replace(".", "_")}
            if wanted in names and isinstance(layer, (nn.Linear, nn.Conv2d)):
                return part, module
    raise IncompatibleModels(
        f"is an adapter of another architecture: the base has no layer {flat}", field=name
    )


def _change(factors: Mapping[str, Tensor], weight: Tensor, where: str) -> Tensor:
    """``ΔW`` of one layer, in the weight's shape."""
    alpha = float(factors["alpha"]) if "alpha" in factors else None
    roles = set(factors) - {"alpha"}
    if roles == {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"}:
        rank = factors["hada_w1_b"].shape[0]
        change = (factors["hada_w1_a"] @ factors["hada_w1_b"]) * (
            factors["hada_w2_a"] @ factors["hada_w2_b"]
        )
        return _shaped(change * ((alpha or rank) / rank), weight, where)
    if roles <= {"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"}:
        return _shaped(_kronecker(factors, alpha), weight, where)
    if roles == {"diff"}:
        return _shaped(factors["diff"], weight, where)
    if (
        {"lora_down.weight", "lora_up.weight"}
        <= roles
        <= {"lora_down.weight", "lora_up.weight", "dora_scale"}
    ):
        down, up = factors["lora_down.weight"], factors["lora_up.weight"]
        change = _product(down, up * ((alpha or down.shape[0]) / down.shape[0]), weight)
        if "dora_scale" not in factors:
            return change
        return _with_magnitude(change, factors["dora_scale"], weight)
    raise IncompatibleModels(
        f"{where}: {', '.join(sorted(roles))} is a decomposition that is not "
        "read; merge it into a full model first"
    )


def _kronecker(factors: Mapping[str, Tensor], alpha: float | None) -> Tensor:
    """``w1 ⊗ w2``, each given whole or as a product of two."""
    sides, rank = [], None
    for side in ("lokr_w1", "lokr_w2"):
        if side in factors:
            sides.append(factors[side])
            continue
        a, b = factors[f"{side}_a"], factors[f"{side}_b"]
        sides.append((a @ b.flatten(1)).reshape(a.shape[0], *b.shape[1:]))
        rank = b.shape[0]
    left, right = sides
    change = torch.kron(left.reshape(*left.shape, *[1] * (right.ndim - left.ndim)), right)
    return change * (1.0 if rank is None or alpha is None else alpha / rank)


def _shaped(change: Tensor, weight: Tensor, where: str) -> Tensor:
    if change.numel() != weight.numel():
        raise IncompatibleModels(
            f"{where}: is an adapter of another architecture, {tuple(change.shape)} for a layer of "
            f"{tuple(weight.shape)}"
        )
    return change.reshape(weight.shape)


def _product(down: Tensor, up: Tensor, weight: Tensor) -> Tensor:
    return (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)


def _with_magnitude(change: Tensor, magnitude: Tensor, weight: Tensor) -> Tensor:
    """``m·(W + ΔW)/‖W + ΔW‖ − W``; the norm runs over the axes along which ``m`` does not vary."""
    theta = weight.detach().to(change)
    moved = theta + change
    magnitude = magnitude.reshape(magnitude.shape + (1,) * (moved.ndim - magnitude.ndim))
    axes = [axis for axis in range(moved.ndim) if magnitude.shape[axis] == 1]
    return (
        magnitude.to(moved) * moved / torch.linalg.vector_norm(moved, dim=axes, keepdim=True)
        - theta
    )


def dora(
    parts: Mapping[str, Mapping[str, Change]],
    magnitudes: Mapping[tuple[str, str], Tensor],
    modules: Mapping[str, nn.Module],
    name: str,
) -> dict[str, dict[str, Change]]:
    """Factors with magnitude vectors (diffusers' and peft's DoRA) as full differences."""
    found: dict[str, dict[str, Change]] = {}
    for part, changes in parts.items():
        found[part] = {}
        for module, change in changes.items():
            magnitude = magnitudes.get((part, module))
            if magnitude is None or isinstance(change, Tensor):
                found[part][module] = change
                continue
            try:
                weight = modules[part].get_submodule(module).weight
                whole = _product(*change, weight)
            except (AttributeError, RuntimeError) as error:
                raise IncompatibleModels(
                    f"is a DoRA of another architecture: it does not fit layer {module}", field=name
                ) from error
            # peft keeps one number per output, whatever the shape it keeps them in.
            of_outputs = magnitude.reshape(-1, *[1] * (weight.ndim - 1))
            found[part][module] = _with_magnitude(whole, of_outputs, weight)
    return found


def custom_diffusion(
    state: Mapping[str, Tensor], network: nn.Module, name: str
) -> dict[str, Change]:
    """``W′ − W`` of the cross-attention projections that Custom Diffusion retrained."""
    found: dict[str, Change] = {}
    for key, value in state.items():
        module = (
            key.replace(".processor.", ".").removesuffix(".weight").replace("_custom_diffusion", "")
        )
        if module.endswith(".bias") or "_custom_diffusion" not in key:
            raise IncompatibleModels(f"key {key} is not understood", field=name)
        weight = _weight_of(network, module)
        if weight is None or weight.shape != value.shape:
            raise IncompatibleModels(
                "is a Custom Diffusion model of another architecture: it does not fit layer "
                f"{module}",
                field=name,
            )
        found[module] = value - weight.detach().to(value)
    return found


def _weight_of(network: nn.Module, module: str) -> Tensor | None:
    try:
        return getattr(network.get_submodule(module), "weight", None)
    except AttributeError:
        return None


def merged_by_peft(folder: Path, network: nn.Module, name: str) -> dict[str, Change]:
    """What peft's merge of an adapter adds to each weight: exact for every kind that it merges."""
    from peft import PeftModel

    try:
        wrapped: Any = PeftModel.from_pretrained(copy.deepcopy(network), str(folder))
        merged = wrapped.merge_and_unload(safe_merge=True).state_dict()
    except (OSError, ValueError, KeyError) as error:
        raise MissingModel(f"peft cannot read it ({_line(error)})", field=name) from error
    except (RuntimeError, NotImplementedError, AttributeError) as error:
        raise IncompatibleModels(f"peft cannot merge it ({_line(error)})", field=name) from error
    found: dict[str, Change] = {}
    for key, before in network.state_dict().items():
        change = merged[key] - before
        if bool(change.any()):
            module, _, kind = key.rpartition(".")
            if kind != "weight":
                raise IncompatibleModels(f"it changes {key}, which no row can take", field=name)
            found[module] = change
    return found


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
