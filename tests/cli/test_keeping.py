"""What the verb generate leaves in the history: never a traceback behind a picture that was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.cli import keeping
from studio.library import Library
from studio.outputs import outputs_folder


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
