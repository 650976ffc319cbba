"""Pictures of the history as one that moves: which, in which order, how fast; by the page and the verb."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from studio.errors import StudioError
from studio.history import History, animation
from studio.history.animation import in_turn
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import packed, view

COLOURS = ("red", "lime", "blue")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    for seed, colour in enumerate(COLOURS):
        made = validate({"name": "One", "sampler": {"seed": seed}})
        file = save_image(Image.new("RGB", (40, 20), colour), made, tmp_path / "outputs")
        os.utime(file, (1000 + seed, 1000 + seed))
    found = History(tmp_path, tmp_path / "outputs")
    take_in(found)
    yield found
    found.close()


def _frames(path: str) -> list[tuple[tuple[int, ...], int]]:
    """The middle of each, rounded to a half of each colour, and how long it stands."""
    found = []
    with Image.open(path) as image:
        for at in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(at)
            middle: Any = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
            found.append((tuple(int(part > 127) for part in middle), image.info["duration"]))
    return found


@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_the_page_has_the_oldest_first_and_back_again(own: History, kind: str) -> None:
    ids = [record.id for record in own.search().records]  # the newest first
    asked = {"do": "animation", "ids": ids, "kind": kind, "rate": 4, "back": True}
    answer = view.answer(own, asked)
    assert answer["left_out"] == "" and answer["file"]["orig_name"] == f"animation.{kind}"
    red, lime, blue = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    assert _frames(answer["file"]["path"]) == [(one, 250) for one in (red, lime, blue, lime)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rate": 0}, "0.1 to 30 pictures a second, got 0"),
        ({"rate": "fast"}, "0.1 to 30 pictures a second"),
        ({"kind": "mp4"}, "webp or gif, got 'mp4'"),
        ({"ids": []}, "an animation holds 2 to 100 pictures, got 0"),
    ],
)
def test_what_cannot_be_is_refused(own: History, more: dict[str, Any], words: str) -> None:
    ids = [record.id for record in own.search().records]
    with pytest.raises(StudioError, match=words):
        view.answer(own, {"do": "animation", "ids": ids} | more)


def test_one_that_cannot_be_read_is_left_out_and_named(own: History) -> None:
    first, *others = own.search().records
    own.file(first).write_bytes(b"nothing")
    answer = view.answer(own, {"do": "animation", "ids": [first.id, *(one.id for one in others)]})
    assert answer["left_out"] == f"left out, as their files cannot be read: {own.file(first).name}"
    assert len(_frames(answer["file"]["path"])) == 2
    with pytest.raises(StudioError, match="fewer than 2 of the pictures can be read"):
        view.answer(own, {"do": "animation", "ids": [first.id, others[0].id]})


def test_pictures_of_other_sizes_stand_in_the_middle(tmp_path: Path) -> None:
    Image.new("RGB", (2048, 1024), "red").save(tmp_path / "a.png")
    Image.new("RGB", (100, 200), "blue").save(tmp_path / "b.png")
    found = in_turn([tmp_path / "a.png", tmp_path / "b.png"])
    assert [one.size for one in found.frames] == [(1024, 512)] * 2 and "1024" in found.smaller
    assert found.frames[1].getpixel((2, 2)) == (255, 255, 255)
    assert found.frames[1].getpixel((512, 256)) == (0, 0, 255)


def test_the_verb_writes_a_file_that_is_not_there(
    own: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "made" / "all.gif"
    assert main(("history", "animate", "--out", str(place), "--rate", "10")) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said == {"pictures": 3, "done": "in one that moves", "file": str(place)}
    assert [stands for _, stands in _frames(str(place))] == [100, 100, 100]
    assert main(("history", "animate", "--out", str(place))) != 0
    assert main(("history", "animate", "--out", str(tmp_path / "all.mp4"))) != 0
    assert "ends in .webp or .gif, got all.mp4" in capsys.readouterr().err


def test_the_verb_keeps_the_order_that_it_is_given(
    own: History, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blue, lime, red = (record.id for record in own.search().records)
    colours = {"red": (1, 0, 0), "lime": (0, 1, 0), "blue": (0, 0, 1)}
    for number, (given, expected) in enumerate(
        (
            (["--id", lime, "--id", blue, "--id", red], ("lime", "blue", "red")),
            (["--sort", "newest"], ("blue", "lime", "red")),
            ([], COLOURS),
        )
    ):
        place = tmp_path / f"{number}.gif"
        assert main(("history", "animate", "--out", str(place), *given)) == 0
        assert [middle for middle, _ in _frames(str(place))] == [colours[one] for one in expected]
    assert main(("history", "animate", "--out", str(tmp_path / "x.gif"), "--rate", "99")) != 0
    assert "--rate: 0.1 to 30 pictures a second, got 99" in capsys.readouterr().err


def test_one_that_is_gone_meanwhile_is_named_and_the_others_are_made(own: History) -> None:
    ids = [record.id for record in own.search().records]
    answer = view.answer(own, {"do": "animation", "ids": [*ids, "nowhere"]})
    assert "nowhere" in answer["left_out"] and len(_frames(answer["file"]["path"])) == 3


def test_one_picture_twice_does_not_move(own: History, tmp_path: Path) -> None:
    file = own.file(own.search().records[0])
    with pytest.raises(StudioError, match="one and the same picture would stand still"):
        in_turn([file, file])


def test_one_is_made_at_a_time(own: History) -> None:
    asked = {"do": "animation", "ids": [record.id for record in own.search().records]}
    with packed._ANIMATING, pytest.raises(StudioError, match="another animation is being made"):
        view.answer(own, asked)
    assert view.answer(own, asked)["left_out"] == ""


@pytest.mark.parametrize("kind", ["webp", "gif"])
def test_few_pictures_are_held_at_once(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for number in range(12):
        files.append(tmp_path / f"{number}.png")
        Image.new("RGB", (64, 48), (20 * number, 0, 0)).save(files[-1])
    held: list[weakref.ref[Image.Image]] = []
    most, read = [0], animation._small

    def counted(file: Path) -> tuple[Image.Image, bool]:
        picture, larger = read(file)
        held.append(weakref.ref(picture))
        most[0] = max(most[0], sum(one() is not None for one in held))
        return picture, larger

    monkeypatch.setattr(animation, "_small", counted)
    with (tmp_path / "made").open("wb") as file:
        in_turn(files).write(file, kind, 5)
    assert most[0] <= 3
    with Image.open(tmp_path / "made") as image:
        assert image.n_frames == 12 and image.size == (64, 48)  # type: ignore[attr-defined]
