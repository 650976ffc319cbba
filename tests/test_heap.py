"""Threads share few of the C library's heaps, by what the library itself says of them; what stays is
not looked through for garbage."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys
import weakref
from pathlib import Path

import psutil
import pytest

from studio import heap
from tests.support import REPOSITORY

of_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's heaps")
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


@of_glibc
def test_threads_share_two(tmp_path: Path) -> None:
    assert said("shared", tmp_path) == ["True", "2"]
    assert int(said("as it is", tmp_path)[0]) > 2


@of_glibc
def test_what_a_person_has_chosen_stays(tmp_path: Path) -> None:
    assert said("shared", tmp_path, MALLOC_ARENA_MAX="1") == ["False", "1"]


@of_glibc
def test_what_was_freed_between_what_stays_goes_back() -> None:
    def used() -> int:
        return psutil.Process().memory_info().rss

    take = ctypes.CDLL(None).malloc
    take.restype, free = ctypes.c_void_p, ctypes.CDLL(None).free
    blocks = [ctypes.c_void_p(take(2**16)) for _ in range(1024)]  # from the heap, not mapped alone
    for block in blocks:
        ctypes.memset(block, 1, 2**16)
    for block in blocks[::2]:
        free(block)
    before, heap._returned = used(), 0.0
    with heap.tidied():
        pass
    assert used() < before - 20 * 2**20
    for block in blocks[1::2]:
        free(block)


@of_glibc
@pytest.mark.parametrize(("given", "taken"), [("", "128"), ("7", "7")])
def test_compiled_layers_are_bounded_before_torch_is_there(given: str, taken: str) -> None:
    """oneDNN reads the bound with its first layer; a person's own goes before."""
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    environment = {k: v for k, v in os.environ.items() if k != name} | (
        {name: given} if given else {}
    )
    lines = f"import sys, os, studio; print('torch' in sys.modules, os.environ['{name}'])"
    found = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["False", taken]


def test_nobody_looks_for_garbage_while_programs_are_read() -> None:
    assert gc.isenabled()
    with heap.nothing_is_garbage():
        assert not gc.isenabled()
        with heap.nothing_is_garbage():
            pass
        assert not gc.isenabled()  # who has asked for it decides when it ends
    assert gc.isenabled()


def test_what_is_kept_for_good_is_not_looked_through() -> None:
    class Ring:
        """Something that only a look for garbage finds."""

    kept = Ring()
    heap.keep_for_good()
    assert not any(one is kept for one in gc.get_objects())
    ring = Ring()
    ring.ring = ring  # type: ignore[attr-defined]
    gone = weakref.ref(ring)
    del ring
    gc.collect()
    assert gone() is None  # what came later is
