"""The verb history: pictures found by words, starred, pruned, exported."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from studio.__main__ import main
from studio.preset import validate
from studio.share import save_image


@pytest.fixture
def studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    for name in ("a cat", "a dog", "a catfish"):
        rows = [{"prompt": name}]
        save_image(Image.new("RGB", (8, 8)), validate({"rows": rows}), tmp_path / "outputs")

    def run(*words: str) -> tuple[int, list[Any], str]:
        code = main(("history", *words))
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def test_found_starred_pruned_and_brought_back(studio: Any, tmp_path: Path) -> None:
    _, found, notes = studio("search", "cat", "--sort", "oldest")
    assert [one["prompts"] for one in found] == ["a cat", "a catfish"] and "2 of 2" in notes
    file, identity = found[0]["file"], found[1]["id"]
    assert studio("star", file)[1] == [{"pictures": 1, "done": "starred"}]
    studio("note", identity, "--text", "a fish after all")
    studio("tag", identity, Path(file).name, "--tags", "pets, best")
    assert studio("search", "--tag", "best", "fish")[1][0]["note"] == "a fish after all"
    assert studio("prune")[1] == [{"pictures": 2, "done": "in the bin"}]
    assert [one["file"] for one in studio("search")[1]] == [file]
    assert "2 in the bin" in studio("empty-bin")[2]
    assert studio("restore", identity)[1] == [{"pictures": 1, "done": "brought back"}]
    assert studio("empty-bin", "--yes")[1] == [{"pictures": 1, "done": "removed"}]
    out = tmp_path / "out"
    assert studio("export", "--out", str(out))[1] == [{"pictures": 2, "done": "copied"}]
    assert len(list(out.iterdir())) == 2
    packed = tmp_path / "packed" / "of me.zip"
    assert studio("export", "--out", str(packed))[1] == [{"pictures": 2, "done": "copied"}]
    assert sorted(zipfile.ZipFile(packed).namelist()) == sorted(one.name for one in out.iterdir())
    assert list(packed.parent.iterdir()) == [packed]
    code, _, error = studio("export", "--out", str(packed))
    assert code == 2 and "is there already" in error and zipfile.is_zipfile(packed)
    light = tmp_path / "light"
    assert studio("export", "--jpeg", "--out", str(light))[1] == [{"pictures": 2, "done": "copied"}]
    assert {one.suffix for one in light.iterdir()} == {".jpg"}
    code, _, error = studio("export", "--jpeg", "--out", str(light))
    assert code == 2 and "is there already" in error
    assert studio("export", "--jpeg", "--out", str(light / "a.zip"))[1][0]["pictures"] == 2
    assert all(name.endswith(".jpg") for name in zipfile.ZipFile(light / "a.zip").namelist())
    assert studio("show", identity)[1][0]["tags"] == ["pets", "best"]


def test_a_full_disk_is_said_and_leaves_no_half_a_picture(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    code, _, error = studio("export", "--jpeg", "--out", str(tmp_path / "light"))
    assert code == 2 and "No space left on device" in error and error.count("\n") == 1
    assert not list((tmp_path / "light").iterdir())


def test_a_preset_that_did_not_go_along_is_named(studio: Any, tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("guidance_studio", '{"rows": 3}')
    Image.new("RGB", (8, 8)).save(tmp_path / "outputs" / "bad.png", pnginfo=chunks)
    for place in ("light", "light.zip"):
        error = studio("export", "--jpeg", "--out", str(tmp_path / place))[2]
        assert "without what makes them again" in error and "bad.png" in error


def test_a_scheduler_that_there_is_not_is_refused(studio: Any) -> None:
    both = [len(studio("search", "--scheduler", name)[1]) for name in ("dpm++", "DPM-Solver++ 2M")]
    assert both == [len(studio("search")[1])] * 2 and both[0] > 0
    assert studio("search", "--scheduler", "Euler")[1] == []  # there is, and no picture
    code, _, error = studio("search", "--scheduler", "eulr")
    assert code == 2 and "--scheduler: dpm++, ddim" in error and "got 'eulr'" in error


@pytest.mark.parametrize("called", [str, str.upper])
def test_a_folder_has_the_names_that_a_zip_has(studio: Any, tmp_path: Path, called: Any) -> None:
    """Also of what is in the bin, where files are called by their ids, and of namesakes, which on some
    disks are those that differ by their capitals."""
    outputs = tmp_path / "outputs"
    (file, *_) = sorted(outputs.glob("*.png"))
    (outputs / "again").mkdir()
    save_image(Image.new("RGB", (9, 9)), validate({"rows": [{"prompt": "a cow"}]}), outputs / "new")
    (other,) = (outputs / "new").glob("*.png")
    other.rename(outputs / "again" / f"{called(file.stem)}.png")
    names = {path.name.lower() for path in outputs.rglob("*.png")}
    assert studio("prune")[1] == [{"pictures": 4, "done": "in the bin"}]
    out, packed = tmp_path / "out", tmp_path / "all.zip"
    for place in (out, packed):
        found = studio("export", "--bin", "--out", str(place))[1]
        assert found == [{"pictures": 4, "done": "copied"}]
    copied = {path.name for path in out.iterdir()}
    assert copied == set(zipfile.ZipFile(packed).namelist())
    apart = {name.lower() for name in copied}
    assert len(apart) == 4 and len(names) == 3 and names < apart


def test_what_is_not_there_is_one_line(studio: Any) -> None:
    code, _, error = studio("star", "nothing.png")
    assert code == 2 and error.count("\n") == 1 and "nothing.png" in error
    assert studio("search", "--since", "monday")[0] == 2
