"""Files that one program at a time changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio import locks
from studio.errors import StudioError

HOLDS = """
import sys, pathlib
from studio import locks
with locks.held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_file_that_another_program_changes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "in" / "list.json"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin and other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(StudioError, match="is being changed"), locks.held(path, 0.2):
            pass
        other.stdin.close()
        with locks.held(path, 60):
            pass


def test_where_no_lock_can_be_kept_writing_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with locks.held(tmp_path / "file" / "list.json"):
        pass
