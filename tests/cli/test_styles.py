"""Styles on the command line: listed, kept, and added to a preset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.__main__ import main


def test_styles_are_kept_listed_and_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"rows": [{"prompt": "in {prompt} style", "weight": 3.0}]}))
    assert not main(["styles", str(path), "--save", "Flat"])
    assert not main(["styles"])
    kept, listed = map(json.loads, capsys.readouterr().out.splitlines())
    assert kept == {"name": "Flat", "file": "flat.json"}
    assert listed["prompt"] == "in {prompt} style" and "problem" not in listed
    path.write_text(json.dumps({"rows": [{"prompt": "x", "weight": 3.0}]}))
    assert not main(["plan", str(path), "--set", "rows.0.prompt=a cat", "--style", "flat"])
    assert '"in a cat style"' in capsys.readouterr().out
    more = [{"prompt": "x", "weight": 3.0}, {"prompt": "y", "weight": 2.0}]
    path.write_text(json.dumps({"rows": more}))
    assert not main(["styles", str(path), "--save", "Two", "--rows"])
    assert json.loads(capsys.readouterr().out) == {"name": "Two", "file": "two.json"}
    kept = json.loads((tmp_path / "styles" / "two.json").read_text())
    assert kept == {"name": "Two", "prompt": "x", "rows": [{"prompt": "y", "weight": 2.0}]}
    assert main(["plan", str(path), "--style", "none"]) == 2
    assert "--style: there is no style" in capsys.readouterr().err
