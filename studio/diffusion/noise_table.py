"""A base's noise by time step, from its scheduler config alone: no torch is loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from studio.errors import IncompatibleModels, shorten
from studio.preset import Sampler

FLOW = "flow_prediction"
DEFAULT_EDGE = 1024  # of a picture whose size is not said
Config = Mapping[str, Any]


def is_flow(config: Config) -> bool:
    """Whether a base with this scheduler config predicts a flow."""
    return config.get("prediction_type") == FLOW


def total_of(config: Config) -> int:
    return int(config.get("num_train_timesteps") or 1000)


def sigma_table(config: Config) -> np.ndarray:
    """``σ_t/α_t`` of every time step, as diffusers makes it from a config.

    Raises:
        IncompatibleModels: a beta schedule that is not known.
    """
    total, name = total_of(config), config.get("beta_schedule") or "linear"
    low, high = config.get("beta_start") or 0.0001, config.get("beta_end") or 0.02
    if config.get("trained_betas") is not None:
        betas = np.asarray(config["trained_betas"], np.float32)
    elif name == "linear":
        betas = np.linspace(low, high, total, dtype=np.float32)
    elif name == "scaled_linear":
        betas = np.linspace(low**0.5, high**0.5, total, dtype=np.float32) ** 2
    elif name == "squaredcos_cap_v2":
        bar = [math.cos((i / total + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(total + 1)]
        betas = np.array(
            [min(1 - bar[i + 1] / bar[i], 0.999) for i in range(total)], dtype=np.float32
        )
    else:
        raise IncompatibleModels(
            f"has a beta schedule {shorten(name)} that is not known", field="base"
        )
    kept = np.cumprod(1 - betas)
    if config.get("rescale_betas_zero_snr"):  # Lin et al. 2023, Algorithm 1
        root = np.sqrt(kept)
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        kept = root**2
        kept[-1] = 2**-24
    return np.sqrt((1 - kept) / kept)


def time_of(sigma: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The time step at which the table holds ``sigma``, interpolated in its logarithm."""
    return np.interp(np.log(sigma), np.log(table), np.arange(len(table)))


def shaped_sigmas(config: Config, high: float, low: float, steps: int) -> np.ndarray | None:
    """The ``steps`` values of σ of a noise schedule between two; ``None`` for even times."""
    ramp = np.linspace(0, 1, steps)
    if config.get("use_karras_sigmas"):  # Karras et al. 2022, Eq. 5
        ends = high ** (1 / 7), low ** (1 / 7)
        return (ends[0] + ramp * (ends[1] - ends[0])) ** 7
    if config.get("use_exponential_sigmas") or config.get("use_lu_lambdas"):
        return np.exp(np.linspace(math.log(high), math.log(low), steps))
    if config.get("use_beta_sigmas"):
        from scipy.stats import beta

        return low + beta.ppf(1 - ramp, 0.6, 0.6) * (high - low)
    return None


def shifted(config: Config, sigma: np.ndarray) -> np.ndarray:
    """``s·σ/(1 + (s − 1)·σ)``: a flow's shift towards noise (Esser et al. 2024, Eq. 23)."""
    shift = flow_shift(config)
    return shift * sigma / (1 + (shift - 1) * sigma)


def ending_at(config: Config, sigma: np.ndarray) -> np.ndarray:
    """σ stretched so that the last is ``shift_terminal``, where the config has one."""
    terminal = config.get("shift_terminal")
    if not terminal or len(sigma) < 2:
        return sigma
    return 1 - (1 - sigma) * (1 - float(terminal)) / (1 - sigma[-1])


def flow_shift(config: Config) -> float:
    """The base's shift; 1 for none."""
    return float(config.get("flow_shift") or config.get("shift") or 1.0)


def of_size(config: Config, sampler: Sampler) -> Config:
    """The config for a picture of the sampler's size and steps, where a flow's shift depends on them.

    ``log s = μ``, which grows linearly with the positions that the network sees (Esser et al. 2024,
    Sec. 5.3.2), or by a family's own rule (``shift_rule``). ``position`` is the pixels of a
    position's edge; a family sets both beside its scheduler's config.
    """
    if not is_flow(config) or not config.get("use_dynamic_shifting"):
        return config
    edge = int(config.get("position") or 16)
    width, height = sampler.width or DEFAULT_EDGE, sampler.height or DEFAULT_EDGE
    positions = (width // edge) * (height // edge)
    rule = _MU[str(config.get("shift_rule") or "linear")]
    shift = math.exp(rule(config, positions, sampler.steps))
    return {**config, "use_dynamic_shifting": False, "flow_shift": None, "shift": shift}


def _linear_mu(config: Config, positions: int, steps: int) -> float:
    given = [float(config.get(name) or usual) for name, usual in _LINE.items()]
    least, most, low, high = given
    return low + (high - low) * (positions - least) / (most - least)


_LINE = {
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
    "base_shift": 0.5,
    "max_shift": 1.15,
}


def _flux2_mu(config: Config, positions: int, steps: int) -> float:
    """FLUX.2's: one line for 10 steps, one for 200, and between them a line in the steps.

    Beyond 4300 positions the second holds for any number of them.
    """
    many = 0.00016927 * positions + 0.45666666
    if positions > 4300:
        return many
    few = 8.73809524e-05 * positions + 1.89833333
    return few + (many - few) * (steps - 10) / 190


_MU: dict[str, Callable[[Config, int, int], float]] = {"linear": _linear_mu, "flux2": _flux2_mu}
