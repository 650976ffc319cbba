"""The pictures of the page in the README, made anew: ``python -m tests.screenshots [FOLDER]``.

It needs Chromium and Playwright. The page is served with an empty home of its own, so that what is
shown is what a newcomer sees who opens a preset and presses Generate.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import REPOSITORY
from tests.support.page_fixtures import FLAGS
from tests.support.studio_page import Studio, free_port, wait_until_served

FOLDER = REPOSITORY / "assets" / "screenshots"
PRESET = REPOSITORY / "presets" / "04-concept-and-style.json"
DESKTOP = {"width": 1440, "height": 1000}
# Each of the pictures has its score below it.
SCORED = "document.querySelector('.gs-stage').innerText.match(/clip-t/g)?.length === 4"
PHONE = {"width": 390, "height": 844}  # two dots to a pixel


def main(folder: Path = FOLDER) -> None:
    """Serve the page, make one preset's pictures, and keep how it looks in three ways."""
    with tempfile.TemporaryDirectory() as home, browsing(home) as studio:
        studio.load(PRESET)
        studio.says("2 rows", ".gs-count")
        studio.generate()
        studio.page.wait_for_function("document.querySelectorAll('.gs-share svg').length === 2")
        studio.page.wait_for_function(SCORED)
        _keep(studio, folder / "desktop.png")
        studio.page.click("#gs-theme")
        _keep(studio, folder / "dark.png")
        studio.page.click("#gs-theme")
        studio.page.set_viewport_size(PHONE)
        _keep(studio, folder / "phone.png", scale="device")


@contextmanager
def browsing(home: str) -> Iterator[Studio]:
    """The page of a home of its own, opened in a browser."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with sync_playwright() as driver:
        process, address = _served(home)
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            wait_until_served(address, process, 300)
            yield _visit(browser, address)
        finally:
            browser.close()
            process.terminate()
            process.wait(20)


def _served(home: str) -> tuple[subprocess.Popen[str], str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=REPOSITORY,
        env={**os.environ, "STUDIO_HOME": home, "NO_PROXY": "127.0.0.1"},
        text=True,
    )
    return process, f"http://127.0.0.1:{port}"


def _visit(browser: Any, address: str) -> Studio:
    context = browser.new_context(viewport=DESKTOP, device_scale_factor=2)
    context.set_default_timeout(300_000)  # a machine may be busy with other work
    return Studio(context.new_page(), address).open()


def _keep(studio: Studio, path: Path, scale: str = "css") -> None:
    """A picture of the window once all has faded in, nothing pointed at."""
    studio.page.mouse.move(0, 0)
    studio.page.evaluate("window.scrollTo(0, 0)")
    studio.page.evaluate("document.activeElement?.blur()")
    studio.page.wait_for_timeout(700)
    studio.page.screenshot(path=path, scale=scale)
    print(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
