"""Folders that are listed: an odd file in one of them hides no other and is not waited for."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.history import History, record_of
from studio.history.thumbs import thumbnail
from studio.images import png_bytes, resolve
from studio.outputs import list_outputs, outputs_folder
from studio.preset import Preset
from studio.preset.saved import list_presets
from studio.share import save_image
from studio.train import checkpoint
from studio.train.data import look_at, usable
from studio.train.folder import find_pictures
from studio.train.runner import kept_settings
from studio.ui.editor import thumbs


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


def test_pictures_to_train_on(tmp_path: Path) -> None:
    odd_files(tmp_path, ".png")
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    looked = list(look_at(find_pictures(tmp_path)))
    good, notes = usable(looked)
    assert [path.name for path in good] == ["good.png"]
    assert len(looked) == 6 and "Pictures skipped (5 of 6)" in notes[0]
    notes[0].encode()


def test_inputs_and_the_cache(studio_home: Path) -> None:
    odd_files(studio_home / "inputs", ".png")
    for name in ("pipe", "loop", "folder", "nested"):
        with pytest.raises(StudioError, match=r"^image: "):
            resolve(f"inputs/{name}.png")
    opened = History(studio_home, outputs_folder())
    file = save_image(Image.new("RGB", (8, 8)), Preset(), outputs_folder())
    record = record_of(file, file.name)
    place = studio_home / f"cache/thumbnails/{record.id}-{record.changed:x}.webp"
    place.parent.mkdir(parents=True)
    os.mkfifo(place)
    assert thumbnail(opened, record).startswith("data:image/webp")
    opened.close()


def test_a_folder_of_trainings(studio_home: Path) -> None:
    folder = studio_home / "training/x"
    folder.mkdir(parents=True)
    for name in (checkpoint.CHECKPOINT, "settings.json"):
        os.mkfifo(folder / name)
    assert checkpoint.newest(folder) is None
    with pytest.raises(StudioError):
        kept_settings("x")


def test_small_copies_of_embedded_pictures_are_not_kept() -> None:
    """A key of a cache, a data URI would keep its whole picture in memory."""
    before = thumbs._kept_thumb.cache_info().currsize
    picture = base64.b64encode(png_bytes(Image.effect_noise((64, 64), 50))).decode()
    assert thumbs.thumb(f"data:image/png;base64,{picture}").startswith("data:image/jpeg")
    assert thumbs._kept_thumb.cache_info().currsize == before
