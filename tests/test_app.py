"""The flags of ``app.py``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import app
from studio.hard.models import GOOD
from studio.hard.mutation import json_text, safetensors_file
from studio.home import further_models
from studio.library import Library


def test_flags(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    options = app.flags(
        ["--allow-host", "a", "--allow-host", "b", "--auth", "ann:x:y", "--models", "m", "--open"]
    )
    assert options.allow_host == ["a", "b"] and options.auth == ("ann", "x:y")
    assert options.models == ["m"] and options.open and not options.space
    assert app.flags([]).auth is None and app.flags([]).host is None
    for odd in ("ann", ":x", "ann:"):
        with pytest.raises(SystemExit):
            app.flags(["--auth", odd])
        assert "expected USER:PASSWORD" in capsys.readouterr().err


def test_further_folders_of_models(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "none"]
    for folder in folders[:2]:
        folder.mkdir()
        (folder / f"{folder.name}.safetensors").write_bytes(safetensors_file(json_text(GOOD)))
    monkeypatch.setenv("STUDIO_MODELS", os.pathsep.join(map(str, [*folders, folders[0]])))
    assert further_models() == tuple(folders)
    found = {entry.id: entry.path for entry in Library().entries()}
    assert found["one"] == str(folders[0] / "one.safetensors") and "two" in found
    json.dumps(found)
    monkeypatch.setenv("STUDIO_MODELS", "")
    assert further_models() == () and "one" not in Library()
