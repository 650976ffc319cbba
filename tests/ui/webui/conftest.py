"""A home and a library of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.library import Library
from studio.preset import Preset
from studio.ui.webui.asked import preset_of
from tests.support import tiny

Read = Callable[..., tuple[Preset, list[str]]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return Library((folder,))


@pytest.fixture
def read(library: Library) -> Read:
    """A request's preset on the tiny base, and the notes."""

    def made(start: bool = False, **body: Any) -> tuple[Preset, list[str]]:
        asked = {"prompt": "a cat", "seed": 1, "steps": 20, **body}
        return preset_of(asked, library, {"sd_model_checkpoint": "base"}, start)

    return made
