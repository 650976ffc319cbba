"""What noise a base was trained on, read from its files alone: its scheduler's config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any

from studio.files import read_regular
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES
from studio.library.family import FLOW
from studio.library.headers import read_header

# Of a whole-model file, which holds no config.
IN_ONE_FILE: dict[str, Any] = {
    "_class_name": "DDIMScheduler",
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "timestep_spacing": "leading",
    "prediction_type": "epsilon",
}
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}  # a key "ztsnr" says so
_CONFIG, _INDEX = "scheduler/scheduler_config.json", "model_index.json"
_MAX_BYTES = 2**20


def scheduler_config(entry: ModelEntry) -> dict[str, Any]:
    """A base's scheduler config, as its family reads it when it is loaded; {} where there is none.

    No weight and no library of models is loaded. Of an id of the hub it is read from the hub's
    cache; before the first download it is not known.
    """
    path = Path(entry.path) if entry.path else None
    if path is not None and entry.one_file:
        predicts = FAMILIES[entry.family].predicts[0] if entry.family in FAMILIES else ""
        config = _of_file(str(path), _stamp(path), entry.prediction or predicts)
    else:
        file = path / _CONFIG if path else _on_hub(entry.id, _CONFIG)
        config = _of_json(str(file), _stamp(file)) if file else {}
    file = path / _INDEX if path else _on_hub(entry.id, _INDEX)
    return with_flow(config, entry, _of_json(str(file), _stamp(file)) if file else {})


def with_flow(
    config: Mapping[str, Any], entry: ModelEntry, index: Mapping[str, Any]
) -> dict[str, Any]:
    """A scheduler's config with what an entry's family knows of its flow; {} for {}.

    Args:
        index: the pipeline's own settings, its ``model_index.json``.
    """
    family = FAMILIES.get(entry.family)
    if not config or family is None or not family.flow:
        return dict(config)
    known: dict[str, Any] = {"own_sigmas": True} if family.own_sigmas else {}
    if family.shift_rule:
        known["shift_rule"] = family.shift_rule
    if family.distilled_shift and index.get("is_distilled"):
        known |= {"use_dynamic_shifting": False, "shift": exp(family.distilled_shift)}
        known["trained_shift"] = config.get("shift")  # that one is of its sampling alone
    return {**config, "prediction_type": FLOW, "position": entry.multiple, **known}


def _stamp(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=64)
def _of_file(path: str, stamp: float, prediction: str) -> dict[str, Any]:
    config = {**IN_ONE_FILE, "prediction_type": prediction or "epsilon"}
    try:
        return config | (ZERO_SNR if "ztsnr" in read_header(Path(path)) else {})
    except (OSError, ValueError):
        return config  # loading it says what is wrong


@lru_cache(maxsize=64)
def _of_json(path: str, stamp: float) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # loading it says what is wrong
    return found if isinstance(found, dict) else {}


def _on_hub(identity: str, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(identity, file)
    except ValueError:  # not an id
        return None
    return Path(cached) if isinstance(cached, str) else None
