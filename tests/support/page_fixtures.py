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
from dataclasses import dataclass
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
    # No page of a test lives long enough to win back what its scripts' compiling costs.
    "--js-flags=--no-opt --no-maglev",
    "--disable-features="  # Chromium hears the last such list alone: Playwright's own, and two more
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    # The address bar is a page of its own, which costs half as much as the studio's.
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup",
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
    from studio.bench.page_browser import chromium  # not before the tests' environment is set

    # The shell is the same browser without windows, which take a fifth of its work.
    program = shutil.which("chromium-headless-shell") or chromium()
    if program is None:
        unavailable("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=program, args=FLAGS)
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


@dataclass(frozen=True)
class Profile:
    """A profile of the browser, and a page in it that stays: a profile that has one opens the next in
    two thirds of the time, and needs none of its own to forget a visit."""

    context: Any
    stays: Any
    devtools: Any

    @staticmethod
    def of(browser: Any) -> Profile:
        """An empty one, as patient as the tests are."""
        context = browser.new_context(
            viewport={"width": 1440, "height": 950}, accept_downloads=True
        )
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"])  # no window, nobody to ask
        stays = context.new_page()
        return Profile(context, stays, context.new_cdp_session(stays))

    def forget(self, address: str) -> None:
        """Close all other pages, then drop what they kept: one that goes may keep its form first."""
        for page in self.context.pages:  # tests open further ones
            if page is not self.stays:
                page.close()
        told = {"origin": address, "storageTypes": "all"}
        self.devtools.send("Storage.clearDataForOrigin", told)
        self.context.clear_cookies()


@contextmanager
def visit(profile: Profile, address: str) -> Iterator[Studio]:
    """A page of its own in ``profile``, which forgets it afterwards: what a browser has compiled and
    fetched is kept."""
    found = Studio(profile.context.new_page(), address)
    yield found
    profile.forget(address)
    found.assert_clean()


@pytest.fixture(scope="session")
def profiles(browser: Any) -> Iterator[tuple[Profile, Profile]]:
    """One for the pages that files share, one for those of single tests."""
    both = Profile.of(browser), Profile.of(browser)
    yield both
    for profile in both:
        profile.context.close()


@pytest.fixture(scope="module")
def desk(profiles: tuple[Profile, Profile], address: str) -> Iterator[Studio]:
    """A page that the tests of one file share: each begins with :meth:`Studio.use`."""
    with visit(profiles[0], address) as page:
        yield page.open()


@pytest.fixture
def studio(profiles: tuple[Profile, Profile], address: str) -> Iterator[Studio]:
    """A page that nobody was at before."""
    with visit(profiles[1], address) as page:
        yield page
