"""A finished picture that cannot be saved where it belongs: kept elsewhere, and the rest made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.events import Done, Event
from studio.preset import Preset
from studio.share import read_image, save_or_keep
from studio.ui.runs import Runs
from studio.ui.space import Limits
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def no_folder(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file" / "outputs"


def test_it_is_kept_and_the_place_is_named(tmp_path: Path, temporary: Path) -> None:
    picture = Image.new("RGB", (8, 8), "red")
    path, problem = save_or_keep(picture, Preset(name="a"), no_folder(tmp_path))
    assert (
        path.is_relative_to(temporary) and str(path) in problem and "cannot be written" in problem
    )
    assert read_image(path)[0].name == "a"
    assert save_or_keep(picture, Preset(), tmp_path / "good")[1] == ""


def test_nowhere_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(no_folder(tmp_path)))
    with pytest.raises(StudioError, match="cannot be written"):
        save_or_keep(Image.new("RGB", (8, 8)), Preset(), no_folder(tmp_path))


def test_the_rest_of_the_batch_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = no_folder(tmp_path)
    monkeypatch.setenv("STUDIO_HOME", str(home))

    def stream(preset: Preset) -> Iterator[Event]:
        for seed in range(4):
            yield Done(Image.new("RGB", (8, 8)), seed, preset, 1, 0.1, seed, (), ())

    runs = Runs(stream, Limits())
    run = runs.submit(
        runs.session("s"), Preset(sampler=Preset().sampler.model_copy(update={"count": 4}))
    )
    until(lambda: not run.active())
    assert (run.state, len(run.moments)) == ("done", 4)
    assert "kept as" in run.problem
    assert all(Path(moment.path).is_file() for moment in run.moments)
