"""Real browsers on a page: they generate, look at the picture's colour, reload and close."""

from __future__ import annotations

import base64
import io
import shutil
import time
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


def visit(address: str, count: int, end: float) -> dict[str, int]:
    """So many browsers, until ``time.monotonic()`` is ``end``; how often each thing was done.

    Raises:
        Fell: a picture is not of the colour that was asked for, or there is no browser.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Fell("Chromium is not installed")
    done: Counter[str] = Counter()
    with sync_playwright() as driver:
        windows = [
            driver.chromium.launch(executable_path=chromium, args=FLAGS) for _ in range(count)
        ]
        pages = [_opened(window, number, address) for number, window in enumerate(windows)]
        turn = 0
        while time.monotonic() < end:
            number = turn % count
            page, prompt = pages[number], 2000 + (37 * turn) % 900
            page.locator(".gs-prompt").first.fill(str(prompt))
            page.evaluate("document.querySelector('.gs-progress').dataset.earlier = ''")
            page.click("#gs-generate")
            if turn % 7 == 3:  # closed in the middle of a run
                page.context.close()
                pages[number] = _opened(windows[number], number, address)
                done["tabs closed"] += 1
            else:
                _picture(page, prompt)
                done["pictures in browsers"] += 1
            if turn % 5 == 4:
                page = pages[number]
                page.reload()
                page.wait_for_selector(".gs-card", timeout=_PATIENCE)
                done["browsers reloaded"] += 1
            turn += 1
        for window in windows:
            window.close()
    return dict(done)


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
