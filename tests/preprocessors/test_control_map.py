"""Preprocessors: what works without weights, and what is said of the rest."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from studio.errors import StudioError
from studio.preprocessors import control_map
from studio.preset import Control


def same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def square(size: tuple[int, int] = (128, 128)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    image.paste("black", (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    return image


def test_canny_is_opencv_s() -> None:
    image = square()
    found = np.asarray(control_map.prepare(Control(type="canny"), image, (128, 128)))
    expected = cv2.Canny(np.asarray(image), *control_map.CANNY_THRESHOLDS)
    assert same(found[..., 0], expected)
    assert set(np.unique(found)) == {0, 255}
    # a square's outline and no more: thin lines around the middle, none inside or outside
    assert not found[40:88, 40:88].any()
    assert not found[:28].any()


@pytest.mark.parametrize("size", [(128, 128), (192, 128), (72, 136)])
@pytest.mark.parametrize("kind", ["canny", "map"])
def test_the_map_has_the_size_asked_for(kind: str, size: tuple[int, int]) -> None:
    found = control_map.prepare(Control(type=kind), square((200, 150)), size)  # type: ignore[arg-type]
    assert (found.size, found.mode) == (size, "RGB")


def test_a_map_is_taken_as_it_is() -> None:
    image = square()
    assert same(control_map.prepare(Control(type="map"), image, image.size), image)


@pytest.mark.parametrize("given", [(256, 128), (100, 333), (64, 64), (128, 96)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_an_image_of_another_size_is_resized_as_diffusers_does(
    given: tuple[int, int], mode: str
) -> None:
    from diffusers.image_processor import VaeImageProcessor

    noise = np.random.default_rng(0).integers(0, 255, (given[1], given[0], 3), np.uint8)
    image = Image.fromarray(noise).convert(mode)
    processor = VaeImageProcessor(vae_scale_factor=8, do_convert_rgb=True, do_normalize=False)
    theirs = processor.preprocess(image, height=96, width=128)[0].permute(1, 2, 0).numpy()
    ours = control_map.prepare(Control(type="map"), image, (128, 96))
    assert np.array_equal(np.asarray(ours), np.round(theirs * 255))


@pytest.mark.parametrize("kind", [*control_map.LEARNED, "segmentation"])
def test_weights_that_are_not_here(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(control_map.ALLOW_DOWNLOAD, raising=False)
    with pytest.raises(StudioError) as caught:
        control_map.prepare(Control(type=kind), square(), (128, 128))  # type: ignore[arg-type]
    assert caught.value.field == "control.type"
    assert kind in str(caught.value) and control_map.weights_of(kind) in str(caught.value)
    assert "STUDIO_ALLOW_DOWNLOAD=1" in str(caught.value)


def test_preprocessors_that_need_no_weights() -> None:
    assert [control_map.weights_of(kind) for kind in ("canny", "map")] == ["", ""]


def test_download_allowed_but_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(control_map.ALLOW_DOWNLOAD, "1")  # the whole session is offline
    with pytest.raises(StudioError, match="could not be fetched") as caught:
        control_map.prepare(Control(type="depth"), square(), (128, 128))
    assert "\n" not in str(caught.value)


def test_only_the_detector_is_imported() -> None:
    code = (
        "import sys, studio.preprocessors.control_map as c; c._load('canny', 'CannyDetector');"
        "print('timm' in sys.modules, 'controlnet_aux' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
    assert found.stderr == ""
