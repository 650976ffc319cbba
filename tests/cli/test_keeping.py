"""What the verb generate leaves in the history: never a traceback behind a picture that was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.cli import keeping
from studio.events import Done
from studio.history import history
from studio.library import Library
from studio.outputs import outputs_folder
from studio.preset import Preset
from studio.share import save_image
from tests.support.fake_engine import FakeEngine


def test_a_picture_that_could_only_be_kept_elsewhere_is_taken_in_too(
    studio_home: Path, tmp_path: Path
) -> None:
    outputs_folder().mkdir(parents=True)
    kept = keeping.Keeping(outputs_folder(), Library((tmp_path,)))
    (done,) = (event for event in FakeEngine()(Preset()) if isinstance(event, Done))
    path = save_image(done.image, done.preset, tmp_path / "unsaved")
    kept.take(done, path)
    (record,) = history().search().records
    assert history().file(record) == path and record.forwards == done.forwards


def test_an_unforeseen_error_of_the_hashes_is_a_note(
    studio_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object) -> list[str]:
        raise TypeError("no such thing")

    monkeypatch.setattr(keeping, "hash_models", fails)
    kept = keeping.Keeping(outputs_folder(), Library((tmp_path,)))
    kept._unhashed["loras/ink"] = None
    kept.end()
    said = capsys.readouterr().err
    assert "hashes of the models: TypeError('no such thing')" in said and "Traceback" not in said
