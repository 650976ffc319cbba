"""Real browsers on a page: they generate, look at the picture's colour, reload and close."""

from __future__ import annotations

import base64
import io
import shutil
import threading
from collections import Counter
from typing import Any

from PIL import Image

from studio.hard.attack import Fell
from studio.hard.stream import number_of

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
_PATIENCE = 240_000  # milliseconds
# The shown picture as a PNG, whatever the page keeps it as.
_SHOWN = """() => {
  const image = document.querySelector('.gs-stage img');
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""


class Visit:
    """So many browsers on a page, in a thread of their own, until :meth:`stop`.

    Attributes:
        done: how often each thing was done. faults: what went wrong, a line each.
        ready: set when all of them show the page.
    """

    def __init__(self, address: str, count: int) -> None:
        self.address, self.count = address, count
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self.ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let each end what it is at, and close them.

        Raises:
            Fell: one waits for ever.
        """
        self._stop.set()
        self._thread.join(2 * _PATIENCE / 1000)
        if self._thread.is_alive():
            raise Fell("a browser waits for ever")

    def _run(self) -> None:
        try:
            self._visit()
        except Exception as error:
            self.faults.append(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
        finally:
            self.ready.set()

    def _visit(self) -> None:
        from playwright.sync_api import sync_playwright

        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if chromium is None:
            raise Fell("Chromium is not installed")
        with sync_playwright() as driver:
            windows = [
                driver.chromium.launch(executable_path=chromium, args=FLAGS)
                for _ in range(self.count)
            ]
            pages = [_opened(window, n, self.address) for n, window in enumerate(windows)]
            self.ready.set()
            turn = 0
            while not self._stop.is_set():
                number = turn % self.count
                pages[number] = self._turn(turn, pages[number], windows[number], number)
                turn += 1
            for window in windows:
                window.close()

    def _turn(self, turn: int, page: Any, window: Any, number: int) -> Any:
        """One browser generates, and looks or is closed; some reload. Returns its page."""
        prompt = 2000 + (37 * turn) % 900
        page.locator(".gs-prompt").first.fill(str(prompt))
        page.evaluate("document.querySelector('.gs-progress').dataset.earlier = ''")
        page.click("#gs-generate")
        if turn % 7 == 3:  # closed in the middle of a run
            page.context.close()
            page = _opened(window, number, self.address)
            self.done["tabs closed"] += 1
        else:
            _picture(page, prompt)
            self.done["pictures in browsers"] += 1
        if turn % 5 == 4:
            page.reload()
            page.wait_for_selector(".gs-card", timeout=_PATIENCE)
            self.done["browsers reloaded"] += 1
        return page


def _opened(window: Any, number: int, address: str) -> Any:
    context = window.new_context(extra_http_headers={"x-forwarded-for": f"10.1.0.{number + 1}"})
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".gs-card")
    page.wait_for_function("document.querySelector('.gs-cost') !== null")
    return page


def _picture(page: Any, prompt: int) -> None:
    page.wait_for_selector('.gs-progress[data-state="done"]:not([data-earlier])')
    page.wait_for_selector('.gs-stage[data-state="done"] img')
    page.wait_for_function("document.querySelector('.gs-stage img').naturalWidth > 0")
    with Image.open(io.BytesIO(base64.b64decode(page.evaluate(_SHOWN)))) as image:
        found = number_of(image.convert("RGB").getpixel((9, 9)))  # type: ignore[arg-type]
    if found != prompt:
        raise Fell(f"a browser asked for {prompt} and shows {found}")
