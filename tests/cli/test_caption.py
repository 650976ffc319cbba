"""The verb caption: a line for each picture, whatever the others are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.__main__ import main
from studio.metrics import captions


def test_one_bad_file_leaves_the_others_their_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captions, "caption", lambda picture, base: f"{picture.width} wide")
    names = [str(tmp_path / name) for name in ("a.png", "bad.png", "missing.png", "b.png")]
    Image.new("RGB", (8, 8)).save(names[0])
    Path(names[1]).write_bytes(b"no picture")
    Image.new("RGB", (9, 9)).save(names[3])
    assert main(["caption", *names]) == 2
    out, err = capsys.readouterr()
    said = [json.loads(line) for line in out.splitlines()]
    assert said == [
        {"path": names[0], "caption": "8 wide"},
        {"path": names[3], "caption": "9 wide"},
    ]
    assert err.splitlines()[0].startswith(f"{names[1]}: is not a ")
    assert err.splitlines()[1:] == [
        f"{names[2]}: there is no such image",
        "2 of 4 pictures could not be read",
    ]
    assert main(["caption", names[0]]) == 0
