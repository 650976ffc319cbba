"""What `plan` prints of a preset of which nothing is made anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.__main__ import main
from tests.support.studio_page import needs_starter


@needs_starter
def test_a_picture_that_is_only_enlarged(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    path = tmp_path / "p.json"
    init = {"image": "a.png", "strength": 0.0}
    path.write_text(json.dumps({"rows": [{"prompt": "a cat"}], "init": init}))
    assert main(["plan", str(path)]) == 0
    said = capsys.readouterr()
    assert "0 forward passes a step, 0 in 0 steps, for each image" in said.out
    assert "init.strength: makes nothing anew" in said.err
