"""Pictures as a ZIP file, and what of them has no file any more."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.history import History
from studio.history.archive import write_zip
from studio.history.intake import take_in
from studio.history.sheet import side_by_side
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


def test_pictures_go_out_side_by_side_on_one(own: History, tmp_path: Path) -> None:
    made = validate({"name": "Tall"})
    save_image(Image.new("RGB", (10, 60), "lime"), made, tmp_path / "outputs")
    take_in(own)
    ids = [record.id for record in own.search().records]  # the tall one first
    answer = view.answer(own, {"do": "sheet", "ids": ids})
    with Image.open(answer["file"]["path"]) as image:
        assert image.size == (80, 120) and Path(answer["file"]["path"]).name == "sheet.png"
        colours = {image.getpixel(at) for at in ((20, 30), (60, 30), (20, 90), (60, 90))}
        assert image.getpixel((20, 30)) == (0, 255, 0) and image.getpixel((5, 30)) == (
            255,
            255,
            255,
        )
        assert image.getpixel((60, 30)) == (0, 0, 0) and len(colours) == 2
        assert not image.text  # type: ignore[attr-defined]
    assert answer["left_out"] == ""
    with pytest.raises(StudioError, match="2 to 100 pictures, got 1"):
        view.answer(own, {"do": "sheet", "ids": ids[:1]})


@pytest.mark.parametrize("damage", ["missing", "header", "pixels"])
def test_what_cannot_be_read_has_no_place_on_a_sheet_and_is_named(
    own: History, damage: str
) -> None:
    first, *others = own.search(None, 3, 0).records
    file = own.file(first)
    whole = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(b"nothing" if damage == "header" else whole[: whole.index(b"IDAT") + 8])
    answer = view.answer(own, {"do": "sheet", "ids": [first.id, *(one.id for one in others)]})
    assert answer["left_out"] == f"left out, as their files cannot be read: {file.name}"
    with Image.open(answer["file"]["path"]) as image:
        assert image.size == (80, 20)
    with pytest.raises(StudioError, match=f"fewer than 2 of the pictures .*not {file.name}"):
        view.answer(own, {"do": "sheet", "ids": [first.id, others[0].id]})


def test_what_was_packed_goes_with_time_or_a_failure(
    own: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary/guidance-studio-page").mkdir(parents=True)  # is no file to take away
    os.utime(tmp_path / "temporary/guidance-studio-page", (0, 0))
    ids = [one.id for one in own.search(None, 3, 0).records]

    def pack() -> Path:
        return Path(view.answer(own, {"do": "sheet", "ids": ids})["file"]["path"]).parent

    old, young = pack(), pack()
    os.utime(old, (0, 0))
    last = pack()
    left = {one.name for one in (tmp_path / "temporary").iterdir()}
    assert left == {young.name, last.name, "guidance-studio-page"}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space left"):
        pack()
    assert {one.name for one in (tmp_path / "temporary").iterdir()} == left


def test_a_sheet_of_large_pictures_is_no_larger_than_a_picture_may_be(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.png" for n in range(3)]
    for file in files[:2]:
        Image.new("RGB", (4000, 100), "red").save(file)
    Image.new("RGB", (2000, 50), "blue").save(files[2])
    found, lost, smaller = side_by_side(files)
    assert found.size == (2 * 2048, 2 * 51) and not lost and "4096 pixels" in smaller
    assert found.getpixel((1024, 76)) == (0, 0, 255) and found.getpixel((200, 76)) == (255,) * 3
