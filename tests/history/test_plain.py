"""Pictures to give away: JPEG files that say nothing of how they were made."""

from __future__ import annotations

import zipfile
from pathlib import Path

from PIL import Image

from studio.__main__ import main
from studio.history import History
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import view


def _two(home: Path) -> tuple[History, list[str]]:
    for seed in (11, 12):
        made = validate({"rows": [{"prompt": "a secret"}], "sampler": {"seed": seed}})
        save_image(Image.effect_noise((32, 16), 60).convert("RGB"), made, home / "outputs")
    own = History(home, home / "outputs")
    take_in(own)
    return own, [one.id for one in own.search().records]


def _says_nothing(path: Path) -> None:
    data = path.read_bytes()
    assert b"secret" not in data and b"Seed" not in data and b"guidance" not in data.lower()
    with Image.open(path) as image:
        assert (image.format, image.size, len(image.getexif())) == ("JPEG", (32, 16), 0)


def test_the_page_gives_pictures_without_their_settings(studio_home: Path, tmp_path: Path) -> None:
    own, ids = _two(studio_home)
    answer = view.answer(own, {"do": "jpeg", "ids": ids[:1], "settings": False})
    assert answer["file"]["orig_name"] == "picture-1.jpg" and not answer.get("left_out")
    _says_nothing(Path(answer["file"]["path"]))
    answer = view.answer(own, {"do": "jpeg", "ids": ids, "settings": False})
    with zipfile.ZipFile(answer["file"]["path"]) as archive:
        assert archive.namelist() == ["picture-1.jpg", "picture-2.jpg"]
        archive.extractall(tmp_path)
    for name in ("picture-1.jpg", "picture-2.jpg"):
        _says_nothing(tmp_path / name)


def test_so_does_the_command_line(studio_home: Path, tmp_path: Path) -> None:
    _two(studio_home)
    assert main(["history", "export", "--plain", "--out", str(tmp_path / "out")]) in (0, None)
    found = sorted((tmp_path / "out").iterdir())
    assert [one.name for one in found] == ["picture-1.jpg", "picture-2.jpg"]
    for one in found:
        _says_nothing(one)
