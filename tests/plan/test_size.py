"""Sizes by aspect ratio: near the ratio and the base's own number of pixels, and of its multiple."""

from __future__ import annotations

import pytest

from studio.library import ModelEntry
from studio.plan.size import ASPECTS, aspect_size


def _base(size: int, multiple: int) -> ModelEntry:
    return ModelEntry("b", "base", "toy", 0, "", size=size, multiple=multiple)


@pytest.mark.parametrize(("size", "multiple"), [(128, 8), (512, 8), (1024, 8), (1024, 16), (0, 64)])
@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_size_is_near_its_ratio_and_the_native_pixels(
    aspect: str, size: int, multiple: int
) -> None:
    width, height = aspect_size(aspect, _base(size, multiple))
    wide, high = map(int, aspect.split(":"))
    assert width % multiple == height % multiple == 0
    near = 2 * multiple / (size or 512)  # a multiple on either side is much of a small picture
    assert width / height == pytest.approx(wide / high, rel=near)
    assert width * height == pytest.approx((size or 512) ** 2, rel=near)
    assert aspect_size(f"{high}:{wide}", _base(size, multiple)) == (height, width)


def test_what_is_known_of_large_bases() -> None:
    sdxl = _base(1024, 8)
    assert aspect_size("1:1", sdxl) == (1024, 1024)
    assert aspect_size("16:9", sdxl) == (1368, 768)
    assert aspect_size("2:3", sdxl) == (840, 1256)
    assert set(ASPECTS) == {
        *("1:1", "4:3", "3:2", "16:9", "21:9"),
        *("3:4", "2:3", "9:16", "9:21"),
    }
