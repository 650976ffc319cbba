"""Sizes by aspect ratio on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.__main__ import main
from tests.support.studio_page import needs_starter


@needs_starter
def test_a_picture_of_an_aspect_ratio(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"rows": [{"prompt": "a cat"}], "sampler": {"width": 64}}))
    for aspect, size in (("1:1", "128x128"), ("16:9", "168x96"), ("9:16", "96x168")):
        assert main(["code", str(path), "--a1111", "--aspect", aspect]) == 0
        assert f"Size: {size}" in capsys.readouterr().out
    given = ["--aspect", "16:9", "--set", "sampler.width=32"]
    for wrong, said in (
        (given, "--aspect: gives sampler.width, which --set gives too"),
        (["--aspect", "5:4"], "--aspect: got '5:4'; there is 1:1, 4:3, 3:2,"),
    ):
        assert main(["plan", str(path), *wrong]) == 2
        assert said in capsys.readouterr().err
