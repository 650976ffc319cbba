"""What doctor prints: enough to help with, and nothing of the person's own."""

from __future__ import annotations

import json
import logging
import logging.handlers
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import logs
from studio.__main__ import main
from studio.errors import StudioError

SECRET = "a prompt about zebras"


@pytest.fixture
def log(studio_home: Path) -> Iterator[Path]:
    before = list(logs.LOG.handlers)
    logs.start()
    yield studio_home / "log" / logs.NAME
    for handler in [h for h in logs.LOG.handlers if h not in before]:
        logs.LOG.removeHandler(handler)
        handler.close()


def failed() -> Exception:
    try:
        raise ValueError(
            f'row "{SECRET}" of /home/ann/models/x.safetensors, ann@example.org, 1234567 too large'
        )
    except ValueError as error:
        return error


def test_the_last_error_is_kept_without_what_is_private(
    log: Path, capsys: pytest.CaptureFixture[str], studio_home: Path
) -> None:
    (studio_home / "models").mkdir()
    (studio_home / "models/zebras.safetensors").write_bytes(b"x")
    logs.record(failed())
    assert SECRET in log.read_text(encoding="utf-8"), "the person's own log is whole"
    for arguments in (["doctor"], ["doctor", "--json"]):
        assert main(arguments) == 0
        told = capsys.readouterr().out
        for private in (
            SECRET,
            "zebra",
            "/home",
            "@example",
            str(studio_home),
            "1234567",
            str(Path.home()),
        ):
            assert private not in told, private
        for wanted in ("ValueError", "too large", "test_doctor.py", "torch", "cannot be used"):
            assert wanted in told, wanted
    found = json.loads(told)
    assert found["last error"]["kind"] == "ValueError"
    assert found["library"]["cannot be used"] == 1
    assert "can be written to" in found["folders"]["models"]


def test_a_spoilt_record_and_a_home_that_cannot_be_written(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert logs.last_error() is None
    (studio_home / "log").mkdir()
    for content in ("[", "[1]", "{" * 9999):
        (studio_home / "log" / logs.LAST).write_text(content)
        assert logs.last_error() is None
    monkeypatch.setenv("STUDIO_HOME", str(studio_home / "log" / logs.LAST))
    logs.start()
    logs.record(StudioError("x"))
    assert main(["doctor"]) == 0


def test_the_log_stays_small(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rotating = logging.handlers.RotatingFileHandler
    (handler,) = [one for one in logs.LOG.handlers if isinstance(one, rotating)]
    handler.maxBytes = 2000
    for _ in range(100):
        logs.record(failed())
    sizes = [path.stat().st_size for path in log.parent.glob(f"{logs.NAME}*")]
    assert len(sizes) == 1 + logs.KEPT and max(sizes) < 4000
