"""Real files in HEIC and JPEG XL: a start, a control image, a preset; where the plugins are installed."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import images
from studio.image_files import PLUGINS, Plugin
from studio.preset import validate
from studio.share import extract, read_any

TEXT = "a cat\nSteps: 20, Sampler: Euler, CFG scale: 5, Seed: 41, Size: 64x32"


def saved(plugin: Plugin, exif: Image.Exif) -> bytes:
    """Blue on the left, orange on the right, as the package itself writes it."""
    pytest.importorskip(plugin.module)
    values = np.full((32, 64, 3), (20, 40, 200), np.uint8)
    values[:, 32:] = (240, 140, 20)
    plugin.opened("x")
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, plugin.format, quality=95, exif=exif.tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.format)
def test_a_real_file_opens_wherever_a_picture_does(
    plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + TEXT.encode("utf-16-be")
    path = tmp_path / f"photo{plugin.suffixes[0]}"
    path.write_bytes(saved(plugin, exif))
    reference = images.store(path, "init.image")
    found = np.asarray(images.resolve(reference)).astype(int)
    assert found.shape == (32, 64, 3)
    for part, colour in ((found[:, :28], (20, 40, 200)), (found[:, 36:], (240, 140, 20))):
        assert np.abs(part - colour).mean() < 8
    preset, _ = read_any(path)
    assert (preset.rows[0].prompt, preset.sampler.seed) == ("a cat", 41)
    uri = base64.b64encode(path.read_bytes()).decode()
    data = f"data:image/{plugin.format.lower()};base64,{uri}"
    given = validate(
        {"init": {"image": data}, "rows": [{"control": {"type": "canny", "image": data}}]}
    )
    kept = extract(given)
    assert kept.init and kept.init.image == reference
    assert kept.rows[0].control and kept.rows[0].control.image == reference
