"""What one document may embed: pictures, pixels and bytes as a whole."""

from __future__ import annotations

import base64
import io
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.share import decode_link, embed_images, extract
from studio.share import embed as embedding

pytestmark = pytest.mark.usefixtures("studio_home")


def uri(width: int, height: int, mode: str = "1", colour: int = 0) -> str:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def preset(*pictures: str) -> Preset:
    return validate({"rows": [{"prompt": "a", "mask": picture} for picture in pictures]})


def link(document: Preset) -> str:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(document.to_json().encode()) + deflate.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def test_a_small_link_of_large_pictures_is_refused_unread() -> None:
    code = link(preset(*[uri(8000, 8000)] * 60))
    assert len(code) < 4000
    begun = time.process_time()
    with pytest.raises(StudioError, match=r"rows\.0\.mask.*64 megapixels.*may have 16"):
        decode_link(code)
    assert time.process_time() - begun < 2


def test_equal_pictures_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = embedding.store
    monkeypatch.setattr(embedding, "store", lambda *a, **k: read.append(a[1]) or original(*a, **k))
    kept = extract(preset(*[uri(40, 40)] * 30, uri(41, 40)))
    assert read == ["rows.0.mask", "rows.30.mask"]
    assert kept.rows[0].mask == kept.rows[29].mask != kept.rows[30].mask


def test_all_pictures_together_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MAX_ALL_PIXELS", 64_000)
    within = preset(uri(400, 80), uri(400, 80, "L", 7))
    assert len({row.mask for row in extract(within).rows}) == 2
    with pytest.raises(StudioError, match=r"rows\.2\.mask.*megapixels up to here"):
        extract(preset(uri(400, 80), uri(400, 79), uri(400, 2)))
    monkeypatch.setattr(embedding, "MAX_PICTURES", 3)
    with pytest.raises(StudioError, match=r"rows\.3\.mask: more than 3"):
        extract(preset(*[uri(9, n) for n in range(1, 5)]))


def test_what_is_embedded_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures of more pixels than a document may hold are made smaller on the way in."""
    monkeypatch.setattr(embedding, "MAX_ALL_PIXELS", 64_000)
    for n in range(6):
        Image.new("L", (400, 80), n).save(tmp_path / f"{n}.png")
    inside = embed_images(preset(*[f"{n}.png" for n in range(6)]), [tmp_path])
    assert all(row.mask.startswith("data:") for row in inside.rows)
    assert len({row.mask for row in extract(inside).rows}) == 6
