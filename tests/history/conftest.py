"""A history that has taken in the pictures that a file's tests begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.history import History
from studio.history.intake import take_in


@pytest.fixture
def history(tmp_path: Path, outputs: Path) -> Iterator[History]:
    made = History(tmp_path, outputs)
    take_in(made)
    yield made
    made.close()
