"""Files: what is written stays whole, what is read is a regular file of bounded size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from studio import files
from studio.errors import StudioError


@pytest.mark.parametrize("name", ["CON", "nul", "COM1", "lpt9", "Aux"])
def test_names_that_windows_keeps_for_devices(name: str) -> None:
    assert files.slug(name) == f"{name.lower()}_"
    assert files.slug(f"{name} x") == f"{name.lower()}-x"


def test_a_name_that_is_cut_ends_with_no_part_of_a_number() -> None:
    """Of steps, seeds and years, where 14 would be taken for the 140 that it was."""
    assert files.slug("Plain guidance (unfinished, step 106 of 140)") == (
        "plain-guidance-unfinished-step-106-of"
    )
    assert files.slug("step 106 of 140", 15) == "step-106-of-140"
    assert files.slug("a cat face", 5) == "a-cat"
    assert files.slug("1234567", 4) == "1234"  # where nothing else is left


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert files.read_regular(tmp_path / "a", 3) == b"abc"
    with pytest.raises(OSError, match="holds 3 bytes; at most 2"):
        files.read_regular(tmp_path / "a", 2)
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError):
            files.read_regular(odd, 10)
    with pytest.raises(OSError):
        files.read_regular("a\0b", 10)


def test_listing_passes_over_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.json", "in/a.json", "in/c.txt"):
        (tmp_path / name).write_text("{}")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "self.json").symlink_to("self.json")
    (tmp_path / "in/back").symlink_to(tmp_path)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe8.json"))
    odd.write_text("{}")
    assert sorted(files.listed(tmp_path, (".json",))) == sorted([tmp_path / "b.json", odd])
    deep = sorted(files.listed(tmp_path, (".json",), 5))
    assert deep == sorted([tmp_path / "b.json", odd, tmp_path / "in/a.json"])
    assert files.shown(odd.name) == "\ufffd.json" and not files.is_text(odd.name)
    assert list(files.listed(tmp_path / "none", (".json",))) == []


def test_what_killed_writes_left_goes_after_a_day(tmp_path: Path) -> None:
    old, young, own = tmp_path / ".a.part", tmp_path / ".b.part", tmp_path / "mine.part"
    for path in (old, young, own):
        path.write_bytes(b"0")
    for path in (old, own):
        os.utime(path, (time.time() - 9e5, time.time() - 9e5))
    files.write_new(tmp_path, "picture", ".png", b"x")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".b.part", "mine.part", "picture.png"]


def test_a_name_that_was_reserved_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system has no hard links and the disk fails just then."""

    def fails(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", fails)
    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(StudioError, match="No space left"):
        files.write_new(tmp_path, "a", ".json", b"{}")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_entry(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    (tmp_path / "b.json").write_text("{}")
    assert [path.name for path in files.listed(tmp_path, (".json",))] == ["b.json"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    target, aside = tmp_path / "target", tmp_path / "aside"
    for number in range(3):
        new = tmp_path / "new"
        new.mkdir()
        (new / "a").write_text(str(number))
        files.replace_folder(new, target, aside)
        assert (target / "a").read_text() == str(number)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["target"]


def test_a_folder_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails between the two renames of a system that cannot exchange names."""
    new, target = tmp_path / "new", tmp_path / "target"
    for folder in (new, target):
        folder.mkdir()
        (folder / "a").write_text(folder.name)
    real = os.replace

    def fails_for_new(source: Path, place: Path) -> None:
        if source == new:
            raise OSError(5, "Input/output error")
        real(source, place)

    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    monkeypatch.setattr(os, "replace", fails_for_new)
    with pytest.raises(OSError, match="Input/output"):
        files.replace_folder(new, target, tmp_path / "aside")
    assert (target / "a").read_text() == "target"


def test_a_name_that_many_have_is_numbered_without_a_look_at_each(tmp_path: Path) -> None:
    looked: list[Path] = []
    there = {f"a-{number}.png" for number in range(2, 3001)} | {"a.png"}

    def taken(path: Path) -> bool:
        looked.append(path)
        return path.name in there

    names = [files.write_new(tmp_path, "a", ".png", b"x", taken).name for _ in range(3)]
    assert names == ["a-3001.png", "a-3002.png", "a-3003.png"]
    assert len(looked) < 100
