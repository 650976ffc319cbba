"""Which worker runs what, and when: long files first, the browser's all on one worker.

A worker that has a browser starts one page and one Chromium for all of its tests. It waits half of the time,
so two others share the cores with it, and give way to it: what one waits for comes soon.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSER = "browser.py"  # how the names of the files end
LATER = 5  # added to the niceness of a worker that has no browser
PATIENT = 400  # seconds: several waits of a minute, on a machine that is busy with other work


class BrowserOnOneWorker(LoadFileScheduling):
    """A file's tests stay together, and so do all files of the browser."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return BROWSER if file.endswith(BROWSER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowserOnOneWorker:
    """In the order that :func:`pytest_collection_modifyitems` makes."""
    config.option.loadscopereorder = False
    return BrowserOnOneWorker(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The browser's files, those with a test that may take long, then the most tests first."""
    if hasattr(config, "workerinput"):
        _sort(items)
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(PATIENT))


def _sort(items: list[pytest.Item]) -> None:
    files = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    items.sort(
        key=lambda item: (
            not item.path.name.endswith(BROWSER),
            item.path not in long,
            -files[item.path],
        )
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """From its first test without a browser on, a worker gives way to the one that has it."""
    worker = getattr(item.config, "workerinput", None)
    if worker is not None and not item.path.name.endswith(BROWSER) and not worker.get("late"):
        worker["late"] = True
        if hasattr(os, "nice"):
            os.nice(LATER)
