"""Which worker runs what, and when: long files first, the browser's on two workers.

A worker that has a browser starts one page and one Chromium for all of its tests.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSER = "browser.py"  # how the names of the files end
BROWSERS = 2


class BrowsersOnTwoWorkers(LoadFileScheduling):
    """A file's tests stay together, and so does each half of the browser's files."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return f"{BROWSER} {self._halves()[file]}" if file.endswith(BROWSER) else file

    def _halves(self) -> dict[str, int]:
        """Each of the browser's files → its half, of about as many tests as the other."""
        if not hasattr(self, "_half"):
            files = Counter(
                super(BrowsersOnTwoWorkers, self)._split_scope(n) for n in self.collection
            )
            self._half, tests = {}, [0] * BROWSERS
            for file, count in files.most_common():
                if file.endswith(BROWSER):
                    least = tests.index(min(tests))
                    self._half[file] = least
                    tests[least] += count
        return self._half


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowsersOnTwoWorkers:
    """In the order that :func:`pytest_collection_modifyitems` makes."""
    config.option.loadscopereorder = False
    return BrowsersOnTwoWorkers(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The browser's files, those with a test that may take long, then the most tests first."""
    if not hasattr(config, "workerinput"):
        return
    files = Counter(item.path for item in items)
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    items.sort(
        key=lambda item: (
            not item.path.name.endswith(BROWSER),
            item.path not in long,
            -files[item.path],
        )
    )
