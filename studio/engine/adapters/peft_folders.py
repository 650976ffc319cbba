"""Folders that peft saved: whatever it can merge, as what its merge adds to each weight."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.engine.adapters.changes import Change
from studio.engine.networks.devices import memory_error_within
from studio.errors import IncompatibleModels, MissingModel, shorten

PEFT_CONFIG = "adapter_config.json"
PEFT_WEIGHTS = "adapter_model.safetensors"


def merged_by_peft(folder: Path, network: nn.Module, name: str) -> dict[str, Change]:
    """Layer → ``ΔW``, ``layer.bias`` → change of its bias: exact for every kind that peft merges.

    Merged in float32 at least, so that nothing is lost between two rounded weights.

    Raises:
        MissingModel: no safetensors file, or one that peft cannot read.
        IncompatibleModels: it cannot be merged into this network, or into none of rounded weights.
    """
    if not (folder / PEFT_WEIGHTS).is_file():  # peft would open a pickle instead
        raise MissingModel(f"has no {PEFT_WEIGHTS}; pickles are not opened", field=name)
    if getattr(network, "is_quantized", False):
        raise IncompatibleModels(
            "is merged by peft into plain weights, and the base's are rounded to few bits; save it as "
            "one .safetensors in diffusers' layout",
            field=name,
        )
    from peft import PeftModel

    dtype = next(network.parameters()).dtype
    plain = copy.deepcopy(network).to("cpu", torch.promote_types(dtype, torch.float32))
    try:
        wrapped: Any = PeftModel.from_pretrained(plain, str(folder), torch_device="cpu")
        merged = wrapped.merge_and_unload(safe_merge=True).state_dict()
    except (OSError, KeyError) as error:
        raise MissingModel(f"peft cannot read it ({_line(error)})", field=name) from error
    except Exception as error:  # whatever a config of somebody else's leads peft to
        if memory_error_within(error) is not None:
            raise
        raise IncompatibleModels(f"peft cannot merge it ({_line(error)})", field=name) from error
    found: dict[str, Change] = {}
    for key, value in network.state_dict().items():
        if key not in merged or merged[key].shape != value.shape:
            raise IncompatibleModels(f"it leaves no {key}, which no row can take", field=name)
        change = merged[key] - value.to(merged[key])
        if bool(change.any()):
            layer, _, kind = key.rpartition(".")
            if kind not in ("weight", "bias"):
                raise IncompatibleModels(f"it changes {key}, which no row can take", field=name)
            found[layer if kind == "weight" else f"{layer}.bias"] = change
    return found


def _line(error: BaseException) -> str:
    return shorten((str(error).strip().splitlines() or [type(error).__name__])[0], 160)
