"""A network that enlarges, part by part: as it would at once, within bounds, and never in silence."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.engine import upscaling
from studio.errors import NumericalError, OutOfMemory
from studio.library import Library
from tests.support.tiny_pictures import difference
from tests.support.tiny_upscaler import noise, pixels, sizes_given, tiny_upscaler, write_upscaler


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_upscaler(folder / "upscale_models/4x.safetensors", tiny_upscaler(4))
    return folder


@pytest.fixture
def network(root: Path) -> upscaling.Upscaler:
    entry = Library((root,))["upscale_models/4x"]
    return upscaling.load_upscaler(entry, torch.device("cpu"))


def whole_of(
    network: upscaling.Upscaler, image: Image.Image, size: tuple[int, int]
) -> tuple[Image.Image, list[Any]]:
    """A picture enlarged, and what was said meanwhile."""
    events: list[Any] = []
    run = upscaling.upscaled(network, image, size, nullcontext(), 7)
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return end.value, events


def test_in_parts_it_is_what_it_is_at_once(
    network: upscaling.Upscaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, said = whole_of(network, noise(70, 50), (280, 200))
    assert [(one.stage, one.step, one.steps) for one in said] == [("enlarging", 0, 7)]
    monkeypatch.setattr(upscaling, "TILE", 32)
    monkeypatch.setattr(upscaling, "AROUND", 40)  # further than any layer of it looks
    parts, said = whole_of(network, noise(70, 50), (280, 200))
    assert len(said) == 6 and said[-1].seconds_left > 0
    assert difference(pixels(parts), pixels(at_once)) <= 1


def test_a_part_that_does_not_fit_is_quartered(
    network: upscaling.Upscaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, _ = whole_of(network, noise(90, 60), (360, 240))
    monkeypatch.setattr(upscaling, "AROUND", 40)
    plain, sizes = network.described, []

    def tight(given: torch.Tensor) -> torch.Tensor:
        sizes.append(given.shape[-2:])
        if given.shape[-1] > 85:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(given)

    network.described = tight
    found, _ = whole_of(network, noise(90, 60), (360, 240))
    assert len(sizes) > 4 and difference(pixels(found), pixels(at_once)) <= 1
    network.described = lambda given: tight(torch.zeros(1, 3, 99, 99))
    with pytest.raises(OutOfMemory, match="does not fit"):
        whole_of(network, noise(90, 60), (360, 240))


def test_what_is_no_number_is_refused(network: upscaling.Upscaler) -> None:
    network.described = lambda given: given.repeat(1, 1, 4, 4) * float("nan")
    with pytest.raises(NumericalError, match="NaN or infinity from 'upscale_models/4x'"):
        whole_of(network, noise(30, 20), (120, 80))


def test_what_comes_out_is_bounded(
    network: upscaling.Upscaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture of nearly the size asked for, and a narrow one of which the middle alone is seen."""
    sizes = sizes_given(monkeypatch)
    monkeypatch.setattr(upscaling, "MOST_PIXELS", 160 * 160)
    found, _ = whole_of(network, noise(79, 79), (80, 80))
    assert found.size == (80, 80) and sizes == [(40, 40)]
