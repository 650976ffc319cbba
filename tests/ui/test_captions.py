"""A picture in words, for the page: what has to be fetched for it is said before."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio.metrics import captions
from studio.ui.captions import words_of


def test_nothing_is_fetched_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    monkeypatch.setattr(captions, "fetches", lambda base: True)
    monkeypatch.setattr(captions, "caption", lambda picture, base: "a cat")
    assert words_of(path, "starter") == {"fetches": "1.6 GB"}
    assert words_of(path, "starter", fetch=True) == {"text": "a cat"}


def test_a_network_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)

    def fails(*_: object) -> str:
        raise RuntimeError("no memory")

    monkeypatch.setattr(captions, "fetches", lambda base: False)
    monkeypatch.setattr(captions, "caption", fails)
    assert "RuntimeError: no memory" in words_of(path, "starter")["error"]
    path.write_bytes(b"none")
    assert "image" in words_of(path, "starter")["error"]
