"""Folders that are listed: an odd file in one of them hides no other and is not waited for."""

from __future__ import annotations

import os
from pathlib import Path

from studio.outputs import list_outputs
from studio.preset.saved import list_presets


def odd_files(folder: Path, suffix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder / f"pipe{suffix}")
    (folder / f"loop{suffix}").symlink_to(f"loop{suffix}")
    (folder / f"folder{suffix}").mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xe8" + suffix.encode())).write_bytes(b"{}")
    (folder / f"nested{suffix}").write_bytes(b"[" * 200_000)


def test_presets(studio_home: Path) -> None:
    folder = studio_home / "presets"
    odd_files(folder, ".json")
    (folder / "mine.json").write_text('{"name": "Mine"}')
    saved = {one.name: one for one in list_presets() if not one.shipped}
    assert saved["Mine"].preset is not None
    assert saved["\ufffd"].preset is None and "not UTF-8" in saved["\ufffd"].problem
    assert "JSON" in saved["nested"].problem
    assert set(saved) == {"Mine", "\ufffd", "nested"}
    str([str(one.path) for one in saved.values()]).encode()


def test_outputs(studio_home: Path) -> None:
    folder = studio_home / "outputs"
    odd_files(folder, ".png")
    (folder / "day").mkdir()
    (folder / "day/a.png").write_bytes(b"x")
    assert [path.name for path in list_outputs()] == ["nested.png", "a.png"]
