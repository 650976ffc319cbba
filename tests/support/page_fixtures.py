"""One browser, one server and one home for every test of the page; tests/conftest.py shares them.

A second Playwright in one process refuses to start, so no test file makes its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import (
    BRAKE,
    PATIENCE,
    Studio,
    free_port,
    unavailable,
    wait_until_served,
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = (
        pytest.importorskip("playwright.sync_api")
        if not os.environ.get("STUDIO_REQUIRE_BROWSER")
        else __import__("playwright.sync_api").sync_api
    )
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        unavailable("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield window
        window.close()


@pytest.fixture(scope="session")
def address(browser: Any, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = (tmp_path_factory.mktemp("log") / "app.log").open("w")
    environment = {**os.environ, "STUDIO_HOME": str(home), "NO_PROXY": "127.0.0.1"}
    environment[BRAKE] = str(home / BRAKE)
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.held_page", "--port", str(port)],
        cwd=REPOSITORY,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_served(f"http://127.0.0.1:{port}", process, 110)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)  # a machine may be busy with other work
        log.close()


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[..., None]]:
    """Let runs with a prompt stand still in mid-run, until they are cancelled or the test ends."""
    file = home / BRAKE

    def stand(prompt: str, images: int = 0) -> None:
        file.write_text(json.dumps({"prompt": prompt, "images": images}))

    yield stand
    file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def desk(browser: Any, address: str) -> Iterator[Studio]:
    """A page that the tests of one file share: each begins with :meth:`Studio.use`."""
    context = browser.new_context(viewport={"width": 1440, "height": 950}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    visit = Studio(context.new_page(), address).open()
    yield visit
    context.close()
    visit.assert_clean()


@pytest.fixture
def studio(browser: Any, address: str) -> Iterator[Studio]:
    context = browser.new_context(viewport={"width": 1440, "height": 950}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    visit = Studio(context.new_page(), address)
    yield visit
    context.close()
    visit.assert_clean()
