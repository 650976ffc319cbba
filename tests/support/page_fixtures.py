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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import (
    BRAKE,
    PATIENCE,
    STANDS,
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


@contextmanager
def served(home: Path, log: Path, port: int) -> Iterator[str]:
    """The address of a page on ``home``, as long as the context lasts."""
    environment = {**os.environ, "STUDIO_HOME": str(home), "NO_PROXY": "127.0.0.1"}
    environment[BRAKE] = str(home / BRAKE)
    for name in ("SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        environment.pop(name, None)
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.held_page", "--port", str(port)],
            cwd=REPOSITORY,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_until_served(f"http://127.0.0.1:{port}", process, 280)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)  # a machine may be busy with other work


@pytest.fixture(scope="session")
def address(browser: Any, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("log") / "app.log"
    with served(home, log, free_port()) as found:
        yield found


@pytest.fixture
def settings_file(home: Path) -> Iterator[Path]:
    """Where the page keeps its settings; there is none before and after the test."""
    found = home / "settings.json"
    found.unlink(missing_ok=True)
    yield found
    found.unlink(missing_ok=True)


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[..., None]]:
    """Let runs with a prompt stand still in mid-run, until they are cancelled or the test ends."""
    file, stands = home / BRAKE, home / (BRAKE + STANDS)

    def stand(prompt: str, images: int = 0) -> None:
        stands.unlink(missing_ok=True)
        file.write_text(json.dumps({"prompt": prompt, "images": images}))

    yield stand
    file.unlink(missing_ok=True)
    stands.unlink(missing_ok=True)


@contextmanager
def visit(profile: Any, address: str) -> Iterator[Studio]:
    """A page of its own in ``profile``, which forgets it afterwards: what a browser has compiled and
    fetched is kept, so that the next page opens in two thirds of the time."""
    found = Studio(profile.new_page(), address)
    yield found
    for page in profile.pages:  # tests open further ones
        page.close()
    blank = profile.new_page()  # a page that goes may keep its form first
    devtools = profile.new_cdp_session(blank)
    devtools.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
    profile.clear_cookies()
    blank.close()
    found.assert_clean()


def profile_of(browser: Any) -> Any:
    """An empty profile of the browser, as patient as the tests are."""
    profile = browser.new_context(viewport={"width": 1440, "height": 950}, accept_downloads=True)
    profile.set_default_timeout(PATIENCE)
    return profile


@pytest.fixture(scope="session")
def profiles(browser: Any) -> Iterator[tuple[Any, Any]]:
    """One for the pages that files share, one for those of single tests."""
    both = profile_of(browser), profile_of(browser)
    yield both
    for profile in both:
        profile.close()


@pytest.fixture(scope="module")
def desk(profiles: tuple[Any, Any], address: str) -> Iterator[Studio]:
    """A page that the tests of one file share: each begins with :meth:`Studio.use`."""
    with visit(profiles[0], address) as page:
        yield page.open()


@pytest.fixture
def studio(profiles: tuple[Any, Any], address: str) -> Iterator[Studio]:
    """A page that nobody was at before."""
    with visit(profiles[1], address) as page:
        yield page
