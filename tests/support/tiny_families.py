"""A tiny random pipeline of each family of the table; a family without one here fails its contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import tiny, tiny_flux, tiny_sana, tiny_sd3, tiny_sdxl

BUILDERS: dict[str, Callable[[Path], Any]] = {
    "sd1": tiny.pipeline,
    "sd2": lambda folder: tiny.pipeline(folder, prediction="v_prediction"),
    "sdxl": tiny_sdxl.pipeline,
    "sana": tiny_sana.pipeline,
    "sd3": tiny_sd3.pipeline,
    "flux": tiny_flux.pipeline,
}
