"""Pictures as a ZIP file, and what of them has no file any more."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.history import History
from studio.history.archive import write_zip
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import view


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    for seed in range(3):
        made = validate({"name": "One", "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (40, 20)), made, tmp_path / "outputs")
    found = History(tmp_path, tmp_path / "outputs")
    take_in(found)
    yield found
    found.close()


def test_a_picture_from_before_1980_is_in_a_zip_too(own: History) -> None:
    record = own.search(None, 1, 0).records[0]
    os.utime(own.file(record), (0, 0))
    file = io.BytesIO()
    assert write_zip(own, [record.id], file) == []
    assert zipfile.ZipFile(file).namelist() == [own.file(record).name]


def test_what_has_no_file_any_more_is_named_and_takes_nothing_else_down(own: History) -> None:
    lost, *others = own.search(None, 3, 0).records
    ids = [lost.id, *(one.id for one in others)]
    view.answer(own, {"do": "delete", "ids": ids})
    own.file(own.get(lost.id)).unlink()
    answer = view.answer(own, {"do": "zip", "ids": ids})
    assert answer["left_out"] == (
        f"left out, as their files cannot be read: {Path(lost.path).name}"
    )
    packed = zipfile.ZipFile(answer["file"]["path"]).namelist()
    assert sorted(packed) == sorted(Path(one.path).name for one in others)
    answer = view.answer(own, {"do": "restore", "ids": ids})
    assert sorted(answer["restored"]) == sorted(ids[1:]) and answer["stay"] == 1
    with pytest.raises(StudioError, match="left out, as their files cannot be read"):
        view.answer(own, {"do": "zip", "ids": [lost.id]})
