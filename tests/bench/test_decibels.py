"""Peak signal-to-noise ratios by hand."""

from __future__ import annotations

import numpy as np
import pytest

from studio.bench.decibels import decibels, in_decibels


def test_decibels_by_hand() -> None:
    plain = np.zeros((2, 4, 4, 3), np.uint8)
    other = plain.copy()
    other[0] += 51
    assert decibels(plain, plain) == {"psnr": None, "worst": None}
    assert decibels(other, plain)["worst"] == pytest.approx(14.0, abs=0.05)  # 20·log₁₀(5)
    assert in_decibels(decibels(plain, plain)) == "– (–)"
    assert in_decibels(decibels(other, plain)) == "– (14.0)"
