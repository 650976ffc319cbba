"""Pictures as JPEG files: what their own files say goes along."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from studio.errors import StudioError
from studio.history import History
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import read_image, save_image
from studio.share.lighter import lighter
from studio.ui.history import view

TEXT = (
    "a cat\nNegative prompt: a dog\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64"
)


def _kept(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "light.jpg"
    path.write_bytes(data)
    return path


def test_a_picture_carries_its_preset_as_a_jpeg_too(studio_home: Path, tmp_path: Path) -> None:
    preset = validate({"name": "Ä", "rows": [{"prompt": "a cat"}], "sampler": {"seed": 3}})
    path = save_image(Image.effect_noise((256, 256), 60).convert("RGB"), preset, tmp_path)
    data = lighter(path).data
    assert len(data) < path.stat().st_size / 2
    light = _kept(tmp_path, data)
    assert read_image(light) == (preset, [])
    with Image.open(light) as image:
        assert (image.format, image.size) == ("JPEG", (256, 256))


def test_one_of_another_tool_keeps_the_text_of_that(studio_home: Path, tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", TEXT)
    path = tmp_path / "theirs.png"
    Image.new("RGBA", (64, 64), (255, 0, 0, 128)).save(path, pnginfo=chunks)
    light = _kept(tmp_path, lighter(path).data)
    assert read_image(light)[0].model_dump(exclude={"name"}) == read_image(path)[0].model_dump(
        exclude={"name"}
    )


def test_a_preset_that_is_too_long_or_none_leaves_the_picture(
    studio_home: Path, tmp_path: Path
) -> None:
    rows = [
        {"prompt": f"{n} " + "".join(chr(0x4E00 + (n * 997 + k * 31) % 20000) for k in range(3900))}
        for n in range(16)
    ]
    path = save_image(Image.new("RGB", (8, 8)), validate({"rows": rows}), tmp_path)
    Image.new("L", (8, 8)).save(tmp_path / "bare.png")
    for one in (path, tmp_path / "bare.png"):
        with Image.open(_kept(tmp_path, lighter(one).data)) as image:
            assert (image.mode, image.size) == ("RGB", (8, 8))


def test_the_page_gives_one_as_it_is_and_several_in_a_zip(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2):
        made = validate({"name": "One", "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (8, 8)), made, studio_home / "outputs")
    own = History(studio_home, studio_home / "outputs")
    take_in(own)
    first, second = own.search().records
    answer = view.answer(own, {"do": "jpeg", "ids": [first.id]})
    assert answer["file"]["orig_name"] == f"{Path(first.path).stem}.jpg"
    assert read_image(answer["file"]["path"])[0].sampler.seed == first.seed
    answer = view.answer(own, {"do": "jpeg", "ids": [first.id, second.id]})
    with zipfile.ZipFile(answer["file"]["path"]) as archive:
        names = sorted(archive.namelist())
    assert names == sorted(f"{Path(one.path).stem}.jpg" for one in (first, second))

    own.file(first).unlink()
    answer = view.answer(own, {"do": "jpeg", "ids": [first.id, second.id]})
    assert answer["left_out"].startswith("left out, as their files cannot be read")
    own.file(second).write_bytes(b"nothing")
    for ids, words in (([first.id], "left out"), ([second.id], "left out"), ([], "1 to 500")):
        with pytest.raises(StudioError, match=words):
            view.answer(own, {"do": "jpeg", "ids": ids})
