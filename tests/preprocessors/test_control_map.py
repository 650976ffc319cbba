"""Preprocessors: what works without weights, and what is said of the rest."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from studio.errors import BadPreset, StudioError
from studio.library.networks import control_of
from studio.preprocessors import control_map, learned
from studio.preset import Control, Preset, validate
from studio.preset.preprocessors import PREPROCESSORS, Preprocessor, preprocessor_of


def same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def square(size: tuple[int, int] = (128, 128)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    image.paste("black", (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    return image


@pytest.mark.parametrize("size", [(520, 392), (200, 136), (600, 800), (24, 24), (16, 40)])
def test_canny_is_opencv_s_at_every_size(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (size[1] // 4, size[0] // 4, 3), np.uint8)
    image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    found = np.asarray(control_map.prepare(Control(type="canny"), image, size))
    expected = cv2.Canny(np.asarray(image), *control_map.CANNY_THRESHOLDS)
    assert expected.any() and same(found[..., 0], expected)


def test_the_thresholds_of_edges_are_the_control_s() -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    found = control_map.prepare(Control(type="canny", low=20, high=900), image, image.size)
    assert same(np.asarray(found)[..., 0], cv2.Canny(np.asarray(image), 20, 900))
    usual = control_map.prepare(Control(type="canny"), image, image.size)
    assert not same(np.asarray(found), np.asarray(usual))
    with pytest.raises(ValueError, match="edges"):
        Control(type="depth", low=20)


@pytest.mark.parametrize("size", [(520, 392), (130, 450), (24, 24)])
def test_a_detector_s_map_lies_where_the_picture_does(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A detector that gives the picture back, through the package's own resizing."""
    resize = learned._load("util", "resize_image")

    class Given:
        @staticmethod
        def from_pretrained(weights: str, **options: Any) -> Any:
            def call(image: Image.Image, **given: Any) -> Image.Image:
                pixels = resize(np.asarray(image), given["detect_resolution"])
                return Image.fromarray(resize(pixels, given["image_resolution"]))

            return call

    monkeypatch.setattr(learned, "_load", lambda module, name: Given)
    learned._detector.cache_clear()
    image = Image.new("RGB", size)
    image.paste("white", (size[0] // 2, size[1] // 2, *size))
    found = control_map.prepare(Control(type="softedge"), image, size)
    learned._detector.cache_clear()
    assert np.abs(np.asarray(found).astype(int) - np.asarray(image)).mean() < 8
    # Half of the brightness is reached where the picture has its edge, to a pixel.
    across = np.asarray(found)[-2, :, 0] > 127
    assert abs(int(across.argmax()) - size[0] // 2) <= 1


def test_a_preprocessor_from_outside() -> None:
    """One record is all it takes: checks, schema, page and engine read the table."""
    flipped = Preprocessor("Negative", "Dark for light.", run=ImageOps.invert, marks=("negative",))
    PREPROCESSORS.register("toy", flipped)
    try:
        control = (
            validate({"rows": [{"control": {"type": "toy", "image": "a.png"}}]}).rows[0].control
        )
        assert control is not None
        schema = Preset.model_json_schema()["$defs"]["Control"]["properties"]["type"]
        assert "toy" in schema["enum"]
        found = control_map.prepare(control, square(), (128, 128))
        assert same(found, ImageOps.invert(square()))
        assert control_of("control_negative") == "toy"
    finally:
        PREPROCESSORS.remove("toy")
    with pytest.raises(BadPreset, match=r"rows\.0\.control\.type.*canny.*got 'toy'"):
        validate({"rows": [{"control": {"type": "toy"}}]})


def test_a_preprocessor_of_another_size_is_refused() -> None:
    small = Preprocessor("Small", "Too small.", run=lambda image: image.reduce(2))
    PREPROCESSORS.register("toy", small)
    try:
        with pytest.raises(StudioError, match="'toy' gave no picture of 128x128"):
            control_map.prepare(Control(type="toy"), square(), (128, 128))
    finally:
        PREPROCESSORS.remove("toy")


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
    found = control_map.prepare(Control(type=kind), square((200, 150)), size)
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


@pytest.mark.parametrize("kind", [name for name, one in PREPROCESSORS.items() if one.weights])
def test_weights_that_are_not_here(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(control_map.ALLOW_DOWNLOAD, raising=False)
    with pytest.raises(StudioError) as caught:
        control_map.prepare(Control(type=kind), square(), (128, 128))
    assert caught.value.field == "control.type"
    assert kind in str(caught.value) and PREPROCESSORS[kind].weights in str(caught.value)
    assert "STUDIO_ALLOW_DOWNLOAD=1" in str(caught.value)


def test_download_allowed_but_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(control_map.ALLOW_DOWNLOAD, "1")  # the whole session is offline
    with pytest.raises(StudioError, match="could not be fetched") as caught:
        control_map.prepare(Control(type="depth"), square(), (128, 128))
    assert "\n" not in str(caught.value)


def test_only_the_detector_is_imported() -> None:
    code = (
        "import sys, studio.preprocessors.learned as c; c._load('hed', 'HEDdetector');"
        "print('timm' in sys.modules, 'controlnet_aux' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
    assert found.stderr == ""


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("openpose_full", "openpose"),
        ("depth_midas", "depth"),
        ("CannyEdgePreprocessor", "canny"),
        ("scribble_hed", "scribble"),
        ("softedge_pidinet", "softedge"),
        ("hed", "softedge"),
        ("lineart_anime_denoise", "lineart_anime"),
        ("seg_ofade20k", "segmentation"),
        ("none", ""),
        ("", ""),
    ],
)
def test_another_tool_s_preprocessor_is_the_table_s(theirs: str, ours: str) -> None:
    assert preprocessor_of(theirs) == ours


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sd-controlnet-hed", "softedge"),
        ("control_v11p_sd15_softedge", "softedge"),
        ("control_v11f1p_sd15_depth_fp16", "depth"),
        ("t2iadapter_zoedepth_sd15v1", "depth"),
        ("noobaiXLControlnet_epsDepthMidas", "depth"),
        ("t2iadapter_keypose_sd14v1", "openpose"),
        ("control_v11p_sd15_normalbae", "normal"),
        ("control_v11p_sd15_seg", "segmentation"),
        ("control_v11p_sd15s2_lineart_anime", "lineart_anime"),
        ("control_v11p_sd15_mlsd", "mlsd"),
        ("controlnet11Models_tileE", "tile"),
        ("TTPLANET_Controlnet_Tile_realistic_v2_fp16", "tile"),
        ("ioclab_sd15_recolor", "recolor"),
        ("control_v1p_sd15_qrcode_monster", "qr"),
        ("QRCode_ControlNet", "qr"),
    ],
)
def test_what_published_networks_read(name: str, kind: str) -> None:
    assert control_of(name) == kind
