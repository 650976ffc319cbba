"""The page served within the tests' own process, without models: for what other programs ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from studio.ui.page import build, launch_options
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine

FEW_ROWS = Limits(rows=3)


@contextmanager
def launched(home: Path, limits: Limits = FEW_ROWS, **options: Any) -> Iterator[str]:
    """The address of a page on ``home``, without a slash at its end; ``options``: of Gradio's launch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(home))
        page = build(limits, FakeEngine())
        _, address, _ = page.launch(
            server_name="127.0.0.1", prevent_thread_lock=True, **options, **launch_options()
        )
        yield address.rstrip("/")
        page.close()
