"""Every test session has a home of its own and stays off the network."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import no_network
from tests.support.order import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_runtest_setup,
    pytest_xdist_make_scheduler,
)
from tests.support.page_fixtures import (  # noqa: F401
    address,
    browser,
    desk,
    hold,
    home,
    profiles,
    settings_file,
    studio,
)
from tests.support.witness import pytest_runtest_makereport  # noqa: F401

gc.disable()  # until everything is imported: a third of a start's time, and nothing of it is garbage
GARBAGE = 20_000  # objects made before garbage is looked for; tests of memory ask for it themselves
_frozen = [0]  # how many modules there were at the last full collection

_HOME = tempfile.mkdtemp(prefix="studio-tests-")
os.environ.update(
    STUDIO_HOME=_HOME,
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
    GRADIO_ANALYTICS_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that wait do not spin
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


no_network.install()


@pytest.fixture(autouse=True)
def _nothing_outside_is_asked() -> Iterator[None]:
    no_network.OUTSIDE.clear()
    yield
    assert not no_network.OUTSIDE, f"asked outside hosts: {no_network.OUTSIDE}"


@pytest.fixture(autouse=True)
def _models_are_looked_at_anew() -> None:
    """The page keeps what it saw last, which would be those of another test's home."""
    if models := sys.modules.get("studio.ui.library.models"):
        models.rescan()


def pytest_collection_finish() -> None:
    """What the imports left stays: a full collection, of which every training asks for one, is quick."""
    _freeze()
    gc.set_threshold(GARBAGE, 20, 50)
    gc.enable()


@pytest.fixture(autouse=True, scope="module")
def _what_was_imported_since_stays() -> None:
    if len(sys.modules) > _frozen[0] + 20:
        _freeze()


def _freeze() -> None:
    from studio.heap import keep_for_good  # not before the tests' environment is set

    gc.collect()  # it is called for every module: their garbage would add up
    keep_for_good()
    _frozen[0] = len(sys.modules)


def pytest_sessionfinish() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for one test."""
    folder = tmp_path / "studio-home"
    folder.mkdir()
    monkeypatch.setenv("STUDIO_HOME", str(folder))
    return folder
