"""Threads share few of the C library's heaps, by what the library itself says of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import REPOSITORY

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's heaps")
_LINES = """
import ctypes, sys, threading
from studio.heap import share_heaps
print(share_heaps() if sys.argv[1] == "shared" else "")
meet = threading.Barrier(7)
def take():
    held.append(bytearray(5000))
    meet.wait()
held, threads = [], [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
meet.wait()
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(library.fopen(sys.argv[2].encode(), b"w"))
library.malloc_info(0, file)
library.fclose(file)
print(open(sys.argv[2]).read().count("<heap nr"))
"""


def said(how: str, folder: Path, **more: str) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"} | more
    given = [sys.executable, "-c", _LINES, how, str(folder / "heaps.xml")]
    return subprocess.run(
        given, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


def test_threads_share_two(tmp_path: Path) -> None:
    assert said("shared", tmp_path) == ["True", "2"]
    assert int(said("as it is", tmp_path)[0]) > 2


def test_what_a_person_has_chosen_stays(tmp_path: Path) -> None:
    assert said("shared", tmp_path, MALLOC_ARENA_MAX="1") == ["False", "1"]
