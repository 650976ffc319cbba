"""A preset's link as a QR code: another library reads it, and what is too long says so."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from studio.errors import StudioError
from studio.library import ModelEntry
from studio.preset import validate
from studio.share import decode_link
from studio.share.qr import MAX_BYTES, qr_png
from studio.ui.presets import copies


def read(png: bytes) -> str:
    return cv2.QRCodeDetector().detectAndDecode(
        np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    )[0]


def test_a_camera_reads_the_preset_s_link() -> None:
    preset = validate({"rows": [{"prompt": "a tree", "weight": 3.0}]})
    shown, notes = copies.qr(preset, "http://studio.example:7860/path/?p=old#place")
    assert shown["link"].startswith("http://studio.example:7860/path/?p=") and notes == []
    assert decode_link(shown["link"]) == preset
    assert shown["image"].startswith("data:image/png;base64,")
    assert read(qr_png("http://studio.example/?p=abc")) == "http://studio.example/?p=abc"


def test_what_is_too_long_for_a_code_says_so() -> None:
    assert Image.open(io.BytesIO(qr_png("x" * MAX_BYTES))).size[0] == (177 + 8) * 4
    with pytest.raises(StudioError, match="link: a QR code holds 2953 bytes, and this has 2954"):
        qr_png("x" * (MAX_BYTES + 1))
    with pytest.raises(StudioError, match="link: expected the page's address"):
        copies.qr(validate({"rows": []}), "javascript:alert(1)")


def test_freeu_s_factors_are_written_out_where_the_base_is_known() -> None:
    preset = validate({"rows": [{"prompt": "a tree"}], "freeu": {"on": True, "b2": 1.1}})
    shown, left = copies.for_a1111(preset, (512, 512), "sd1")
    said = "freeu_enabled: True, freeu_b1: 1.5, freeu_b2: 1.1, freeu_s1: 0.9, freeu_s2: 0.2"
    assert said in shown["text"] and not any("are left out" in one for one in left)
    shown, left = copies.for_a1111(preset, (512, 512))
    assert "freeu_b2: 1.1" in shown["text"] and any("are left out" in one for one in left)


def test_a_file_is_called_by_its_name_alone_wherever_it_lies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = ModelEntry("", "base", "sd1", 1, "")
    monkeypatch.setattr(
        copies,
        "library",
        lambda: {
            "Stable-diffusion/photo/mine": replace(base, path="/web-ui/photo/mine.safetensors"),
            "owner/name": base,
        },
    )
    for given, called in (("Stable-diffusion/photo/mine", "mine"), ("owner/name", "owner/name")):
        preset = validate({"base": given, "rows": [{"prompt": "a tree"}]})
        assert copies.for_a1111(preset, (8, 8))[0]["text"].endswith(f"Model: {called}")
