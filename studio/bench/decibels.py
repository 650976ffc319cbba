"""How far pictures are apart: peak signal-to-noise ratios, ``10·log₁₀(255²/mean((x − y)²))`` dB."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def decibels(drawn: np.ndarray, plain: np.ndarray) -> dict[str, float | None]:
    """The median and the least peak signal-to-noise ratio of pictures, in dB; ``None`` where they are the same."""
    error = ((drawn.astype(np.float64) - plain) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        found = 10 * np.log10(255**2 / error)
    middle, least = float(np.median(found)), float(found.min())
    return {
        "psnr": round(middle, 1) if np.isfinite(middle) else None,
        "worst": round(least, 1) if np.isfinite(least) else None,
    }


def in_decibels(run: Mapping[str, float | None]) -> str:
    """The median and the least of :func:`decibels` in a table; a dash where pictures are the same."""
    middle, least = ("–" if run[name] is None else f"{run[name]:.1f}" for name in ("psnr", "worst"))
    return f"{middle} ({least})"
