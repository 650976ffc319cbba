"""What noise a base was trained on, read from its files alone: its scheduler's config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any

from studio.library.configs import config_beside, stamp
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES
from studio.library.family import FLOW
from studio.library.headers import read_header
from studio.library.hub_pipelines import INDEX

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
_CONFIG = "scheduler/scheduler_config.json"


def scheduler_config(entry: ModelEntry) -> dict[str, Any]:
    """A base's scheduler config, as its family reads it when it is loaded; {} where there is none.

    No weight and no library of models is loaded. Of an id of the hub it is read from the hub's
    cache; before the first download it is not known.
    """
    path = Path(entry.path) if entry.path else None
    if path is not None and entry.one_file:
        predicts = FAMILIES[entry.family].predicts[0] if entry.family in FAMILIES else ""
        config = _of_file(str(path), stamp(path), entry.prediction or predicts)
    else:
        config = config_beside(entry, _CONFIG)
    return with_flow(config, entry, lambda: config_beside(entry, INDEX))


def with_flow(
    config: Mapping[str, Any], entry: ModelEntry, index: Callable[[], Mapping[str, Any]] = dict
) -> dict[str, Any]:
    """A scheduler's config with what an entry's family knows of its flow; {} for {}.

    Args:
        index: reads the pipeline's own settings, its ``model_index.json``, where they matter.
    """
    family = FAMILIES.get(entry.family)
    if not config or family is None or not family.flow:
        return dict(config)
    known: dict[str, Any] = {"own_sigmas": True} if family.own_sigmas else {}
    if family.shift_rule:
        known["shift_rule"] = family.shift_rule
    if family.distilled_shift and index().get("is_distilled"):
        known |= {"use_dynamic_shifting": False, "shift": exp(family.distilled_shift)}
        known["trained_shift"] = config.get("shift")  # that one is of its sampling alone
    return {**config, "prediction_type": FLOW, "position": entry.multiple, **known}


@lru_cache(maxsize=64)
def _of_file(path: str, stamp: float, prediction: str) -> dict[str, Any]:
    config = {**IN_ONE_FILE, "prediction_type": prediction or "epsilon"}
    try:
        return config | (ZERO_SNR if "ztsnr" in read_header(Path(path)) else {})
    except (OSError, ValueError):
        return config  # loading it says what is wrong
