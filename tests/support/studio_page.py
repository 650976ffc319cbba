"""A person at the page: what the browser tests do with it, and the server they do it on."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.witness import Witness

needs_starter = pytest.mark.skipif(
    not (REPOSITORY / "assets" / "starter" / "model_index.json").is_file(),
    reason="the starter model is not in assets/starter",
)

PATIENCE = 60_000  # ms: a machine may be busy with other work
MOMENTS = "[...document.querySelectorAll('.gs-moment')].map((moment) => moment.dataset.id)"
BRAKE = "STUDIO_TEST_HOLD"  # names the file that lets a run of the tests' server stand still
# A still page draws no frames, and a browser that draws none is slow to say that it has time.
REST = """(time) => new Promise((done) => setTimeout(() => {
    let idle = false;
    const draw = () => idle || requestAnimationFrame(draw);
    requestIdleCallback(() => done(idle = true));
    draw();
}, time))"""
STANDS = "-stands"  # at the end of that file's name: the one that says that a run does


def unavailable(reason: str) -> None:
    if os.environ.get("STUDIO_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Not one of those that a system gives to whoever connects to something meanwhile."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", 20_000 + secrets.randbelow(12_000)))
            return probe.getsockname()[1]


def wait_until_served(address: str, process: subprocess.Popen[Any], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "app.py ended"
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no page on {address} after {seconds} s")


def expect(found: Any) -> Any:
    """Playwright's ``expect`` of a place or a page, with the patience of the other waits: what is
    asked in one instant (``is_visible``, ``count``) is asked too soon on a busy machine."""
    from playwright import sync_api

    sync_api.expect.set_options(timeout=PATIENCE)
    return sync_api.expect(found)


def eventually(holds: Callable[[], object]) -> None:
    """Ask again until ``holds`` raises no ``AssertionError`` any more, for half a minute."""
    end = time.monotonic() + PATIENCE / 2000
    while time.monotonic() < end:
        try:
            holds()
            return
        except AssertionError:
            time.sleep(0.1)
    holds()


class Studio:
    """The page as a person sees it."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.witness = Witness(page)
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.complaints: list[str] = []  # what the browser's console calls errors
        page.on("request", self._requested)
        page.on("console", lambda one: one.type == "error" and self.complaints.append(one.text))
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def assert_clean(self) -> None:
        """Nothing went out and no script failed."""
        assert not self.outside, f"asked outside hosts: {self.outside}"
        assert not self.errors, f"scripts failed: {self.errors}"

    def open(self, query: str = "") -> Studio:
        self.page.goto(f"{self.address}/{query}")
        self.page.wait_for_selector(".gs-card")
        self.page.wait_for_function("document.querySelector('.gs-cost') !== null")
        self.page.wait_for_selector("body:not([inert])")  # it is filled
        return self

    def rows(self) -> list[dict[str, Any]]:
        return self.page.evaluate("studio.stack.cards.map((card) => card.row)")

    def prompt(self, index: int) -> Any:
        return self.page.locator(".gs-prompt").nth(index)

    def card(self, index: int) -> Any:
        return self.page.locator(".gs-card").nth(index)

    def press(self, index: int, label: str) -> None:
        self.card(index).get_by_role("button", name=label).click()

    def weigh(self, index: int, weight: float) -> None:
        box = self.page.locator(".gs-weight").nth(index)
        box.fill(str(weight))
        box.blur()

    def set(self, label: str, value: str) -> None:
        box = self.page.get_by_label(label, exact=True).first
        box.fill(value)
        box.blur()

    def tab(self, name: str) -> Any:
        """Turn to a tab. Where Gradio lays its tabs out anew in that moment, a press is
        swallowed: a hand presses again, and so does this."""
        tab = self.page.get_by_role("tab", name=name, exact=True)
        for _ in range(20):
            tab.click()
            self.rest(200)
            if tab.get_attribute("aria-selected") == "true":
                return self.page
        raise AssertionError(f"the tab {name} does not open")

    def unfold(self, title: str) -> None:
        """Open a part, where it is folded. Gradio mounts its fields then, and fills them a moment
        later: sooner than a hand can type, and not sooner than a script can."""
        part = self.page.get_by_role("button", name=title).first
        if "open" not in (part.get_attribute("class") or "").split():
            part.click()
        self.rest()

    def rest(self, milliseconds: int = 500) -> None:
        """Let the page do what it has begun: by its own clock, which a busy machine slows too."""
        self.page.evaluate(REST, milliseconds)

    def use(self, prompts: list[str], steps: int = 4) -> None:
        """Start afresh with rows of these prompts."""
        while self.page.locator(".gs-card").count():
            self.press(0, "Delete row")
        for index, prompt in enumerate(prompts):
            self.page.click(".gs-add")
            self.prompt(index).fill(prompt)
        self.set("Steps", str(steps))

    def generate(self, keys: str = "") -> None:
        """Press Generate, or ``keys``, and wait for the picture."""
        self.page.evaluate(
            "document.querySelector('.gs-progress').setAttribute('data-earlier', '')"
        )  # every update replaces the bar; a short run may come and go between two looks
        self.page.keyboard.press(keys) if keys else self.page.click("#gs-generate")
        self.page.wait_for_selector('.gs-progress[data-state="done"]:not([data-earlier])')
        self.page.wait_for_selector('.gs-stage[data-state="done"] img')

    def has_rows(self, prompts: list[str]) -> None:
        """Wait until the rows are those of these prompts, and the other fields have come too."""
        self.page.wait_for_function(
            "(prompts) => JSON.stringify(studio.stack.cards.map((card) => card.row.prompt)) === prompts",
            arg=json.dumps(prompts, ensure_ascii=False, separators=(",", ":")),
            polling=100,
        )
        self.rest(1000)

    def moments(self) -> list[str]:
        """What the strip shows, newest first; not all that was made: it ends with the 48th."""
        return self.page.evaluate(MOMENTS)

    def made_since(self, before: list[str], least: int) -> None:
        """Wait until the strip shows ``least`` pictures that were not among ``before``."""
        self.page.wait_for_function(
            f"([before, least]) => {MOMENTS}.filter((id) => !before.includes(id)).length >= least",
            arg=[before, least],
        )

    def says(self, text: str, where: str = "#gs-progress .gs-progress") -> None:
        """Wait until the page says ``text`` at ``where``."""
        self.page.wait_for_function(
            "([where, text]) => [...document.querySelectorAll(where)]"
            ".some((node) => node.getClientRects().length && node.innerText.includes(text))",
            arg=[where, text],
            polling=100,  # a page behind another one may draw no frames
        )

    def speak(self, tag: str) -> None:
        """Set the page's language among the settings, as a person does; the page is in it at once."""
        self.page.click("#gs-open-settings")
        self.page.locator("[data-name=language]").select_option(tag)
        self.page.wait_for_function("(tag) => document.documentElement.lang === tag", arg=tag)
        self.page.keyboard.press("Escape")

    def load(self, path: Path) -> None:
        """Choose a file; what it brings comes later."""
        self.page.locator("#gs-top input[type=file]").first.set_input_files(path)
