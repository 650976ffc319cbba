"""Which worker runs what, and when: long files first, the browser's on two workers.

A worker that has a browser starts one page and one Chromium for all of its tests. It waits half of the time,
so two others share the cores with those two, and give way to them: what one waits for comes soon.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSER = "browser.py"  # how the names of the files end
BROWSERS = 2  # workers that have one
LATER = 5  # added to the niceness of a worker that has no browser
PATIENT = 400  # seconds: several waits of a minute, on a machine that is busy with other work


class BrowsersOnTwoWorkers(LoadFileScheduling):
    """A file's tests stay together; the browser's files go to the first workers alone, one by one."""

    def _has_browser(self, node: Any) -> bool:
        return node in [one for one in self.nodes if not one.shutting_down][:BROWSERS]

    def _next_for(self, node: Any) -> str | None:
        """The first file of the worker's kind. One with a browser helps with the others at last."""
        first = next((scope for scope in self.workqueue if not scope.endswith(BROWSER)), None)
        if not self._has_browser(node):
            return first
        return next((scope for scope in self.workqueue if scope.endswith(BROWSER)), first)

    def _assign_work_unit(self, node: Any) -> None:
        chosen = self._next_for(node)
        if chosen is None:
            node.shutdown()
        else:
            self.workqueue.move_to_end(chosen, last=False)
            super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowsersOnTwoWorkers:
    """In the order that :func:`pytest_collection_modifyitems` makes."""
    config.option.loadscopereorder = False
    return BrowsersOnTwoWorkers(config, log)


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
    """From its first test without a browser on, a worker gives way to those that have it."""
    worker = getattr(item.config, "workerinput", None)
    if worker is not None and not item.path.name.endswith(BROWSER) and not worker.get("late"):
        worker["late"] = True
        if hasattr(os, "nice"):
            os.nice(LATER)
