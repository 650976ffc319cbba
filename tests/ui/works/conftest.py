"""What the tests of works upload to."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def uploads(tmp_path: Path, studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr("studio.ui.editor.sent.get_upload_folder", lambda: str(folder))
    return folder
