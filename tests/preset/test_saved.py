"""Saved presets and outputs on disk."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from studio import files
from studio.errors import BadPreset, StudioError
from studio.outputs import list_outputs
from studio.preset import Preset, saved, validate
from studio.share import save_image

PRESET = validate({"rows": [{"prompt": "cat"}]})


def test_saving_never_overwrites(studio_home: Path) -> None:
    names = [saved.save_preset(PRESET, "My Cät/../1").name for _ in range(3)]
    assert names == ["my-cat-1.json", "my-cat-1-2.json", "my-cat-1-3.json"]
    assert Preset.load(studio_home / "presets" / names[0]).name == "My Cät/../1"
    assert {path.name for path in (studio_home / "presets").iterdir()} == set(names)


def test_names(studio_home: Path) -> None:
    assert saved.save_preset(PRESET, "猫").name == "preset.json"
    for name in ("", "   ", "x" * 201):
        with pytest.raises(BadPreset, match="name"):
            saved.save_preset(PRESET, name)


def test_many_at_once(studio_home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: saved.save_preset(PRESET, "same"), range(24)))
    assert len(set(paths)) == 24


@pytest.mark.parametrize("error", [PermissionError(1, "not supported"), OSError(95, "no links")])
def test_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "link", refuse)
    for expected in ("a.txt", "a-2.txt"):
        path = files.write_new(tmp_path, "a", ".txt", b"data")
        assert path.name == expected
        assert path.read_bytes() == b"data"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = files.write_atomically(tmp_path / "a.txt", b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StudioError, match="No space left"):
        files.write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"old"


def test_list_presets(studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "shipped"
    (shipped / "thumbnails").mkdir(parents=True)
    (shipped / "one.json").write_text('{"name": "One", "description": "look"}')
    Image.new("RGB", (2, 2)).save(shipped / "thumbnails" / "one.webp")
    monkeypatch.setattr(saved, "PRESETS", shipped)
    own = saved.save_preset(PRESET, "Own")
    (studio_home / "presets" / "broken.json").write_text("{")
    found = saved.list_presets()
    assert [(p.name, p.shipped) for p in found] == [
        ("One", True),
        ("broken", False),
        ("Own", False),
    ]
    assert found[0].thumbnail == shipped / "thumbnails" / "one.webp"
    assert found[1].preset is None
    assert "is not JSON" in found[1].problem
    assert found[2].path == own
    assert found[2].thumbnail is None


def test_list_outputs(studio_home: Path) -> None:
    assert list_outputs() == []
    folder = studio_home / "outputs"
    image = Image.new("RGB", (8, 8))
    saved = [save_image(image, PRESET, folder / part) for part in ("a", "b", "")]
    assert list_outputs() == saved[::-1]
    assert list_outputs(limit=1) == [saved[-1]]
    assert list_outputs(since=saved[0].name) == saved[:0:-1]
    assert list_outputs(folder=folder / "a") == [saved[0]]
