"""Mochi Diffusion's caption in each of its places: values in the preset, the rest named."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.other_tools import png, read, rows
from tests.support.tool_samples import MOCHI, MOCHI_2


@pytest.mark.parametrize("text", [MOCHI, MOCHI_2], ids=["first", "second"])
@pytest.mark.parametrize("how", ["iptc", "xmp", "text"])
def test_mochi(tmp_path: Path, text: str, how: str) -> None:
    path = tmp_path / "theirs.jpg"
    if how == "iptc":
        record = b"\x1c\x02\x78" + len(text).to_bytes(2, "big") + text.encode()
        block = (
            b"8BIM\x04\x04\0\0"
            + len(record).to_bytes(4, "big")
            + record
            + b"\0" * (len(record) % 2)
        )
        body = b"Photoshop 3.0\0" + block
        Image.new("RGB", (64, 96)).save(path)
        data = path.read_bytes()
        segment = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
        path.write_bytes(data[:2] + segment + data[2:])
    elif how == "xmp":
        packet = f"<dc:description><rdf:Alt><rdf:li>{text.replace('&', '&amp;')}</rdf:li></rdf:Alt></dc:description>"
        path = png(tmp_path, {"XML:com.adobe.xmp": packet})
    else:
        path = png(tmp_path, Description=text)
    preset, notes = read(path)
    hat = "a cat; with a hat: red"
    assert rows(preset) == [(hat, 7.0), ("bad", -6.0)] and preset.base == "mymodel"
    assert (preset.sampler.steps, preset.sampler.seed, preset.sampler.width) == (20, 42, 64)
    assert "Upscaler 'RealESRGAN' is not carried over" in notes and "made with Mochi" in notes
