"""A file of no bytes is said to be empty, whatever it was meant to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.images import open_checked
from studio.preset import Preset
from studio.preset.own_styles import take_styles
from studio.share.read import read_text
from studio.train.captions import read_file

READERS: dict[str, Callable[[Path], Any]] = {
    "a.png": lambda path: open_checked(path, path.name),
    "preset.json": Preset.load,
    "captions.json": read_file,
    "lines.jsonl": read_file,
    "styles.csv": take_styles,
    "settings.txt": read_text,
}


@pytest.mark.parametrize("name", READERS)
def test_an_empty_file_is_said_to_be_empty(name: str, tmp_path: Path, studio_home: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(StudioError, match=rf"{name}: is empty$"):
        READERS[name](tmp_path / name)
