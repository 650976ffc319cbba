"""What a browser sees of the page: when it can be used, the frames of a scroll, the time of an edit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.errors import StudioError

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
WINDOW = {"width": 1440, "height": 950}
PATIENCE = 300_000  # ms
QUIET = 700  # ms after an edit, in which the page does what the edit leads to
STEPS = 4  # of the first picture
# Milliseconds since the navigation began, of what a person waits for.
WATCH = """
window.benchmark = {};
const look = setInterval(() => {
    const { benchmark, studio } = window;
    if (!benchmark.usable && studio?.isFilled?.()) benchmark.usable = performance.now();
    const image = document.querySelector(".gs-stage img");
    if (!benchmark.seen && image?.complete && image.naturalWidth) benchmark.seen = performance.now();
    if (benchmark.usable && benchmark.seen) clearInterval(look);
}, 5);
"""
# Between two frames, in milliseconds, while a list goes by at so many pixels a second.
SCROLL = """([speed, milliseconds]) => new Promise((done) => {
    const list = document.querySelector(".gs-virtual");
    const times = [];
    const from = list.scrollTop;
    const frame = (time) => {
        times.push(time);
        list.scrollTop = from + (speed * (time - times[0])) / 1000;
        if (time - times[0] < milliseconds) requestAnimationFrame(frame);
        else done(times.slice(1).map((one, index) => one - times[index]));
    };
    requestAnimationFrame(frame);
})"""
# From an event to the frame that shows what it did; and what of the time after it was one long task.
STAMP = """
window.benchmark.edits = [];
window.benchmark.blocks = [];
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) benchmark.blocks.push(duration);
}).observe({ type: "longtask" });
benchmark.listen = (kind) => addEventListener(kind, ({ timeStamp }) => {
    requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => benchmark.edits.push(performance.now() - timeStamp);
        port2.postMessage(0);
    });
}, { capture: true, once: true });
"""

# The whole form has taken the preset up, its plan too.
SETTLED = """(count) => JSON.parse(sessionStorage["guidance-studio-tab"] || "{}").rows?.length === count
    && !document.querySelector("#gs-plan[data-waits]")"""


def chromium() -> str | None:
    """The system's Chromium, or a browser of its kind; ``None`` where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextmanager
def browser() -> Iterator[Any]:
    """The system's Chromium.

    Raises:
        StudioError: it, or what drives it, is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise StudioError("needs a package: pip install playwright", field="--page") from error
    program = chromium()
    if program is None:
        raise StudioError("needs the browser Chromium, as the program chromium", field="--page")
    with sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield window
        finally:
            window.close()


@contextmanager
def visit(window: Any, address: str) -> Iterator[Any]:
    """The page as somebody sees it who was never there; what it waits for is in ``benchmark``."""
    context = window.new_context(viewport=WINDOW)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_function("window.benchmark?.usable")
    try:
        yield page
    finally:
        context.close()


def opened(page: Any) -> dict[str, float]:
    """Milliseconds from the navigation until the page can be used, and until a picture is seen."""
    page.wait_for_function("benchmark.seen")
    usable, seen = page.evaluate("[benchmark.usable, benchmark.seen]")
    return {"page usable": usable, "a picture in sight": seen}


def made(page: Any) -> float:
    """Milliseconds from a press of Generate until its picture is seen."""
    page.get_by_label("Steps", exact=True).first.fill(str(STEPS))
    page.wait_for_timeout(QUIET)
    return page.evaluate(
        """() => new Promise((done) => {
            const began = performance.now();
            document.querySelector(".gs-progress").setAttribute("data-earlier", "");
            document.querySelector("#gs-generate").click();
            const look = () => {
                const ended = document.querySelector('.gs-progress[data-state="done"]:not([data-earlier])');
                const image = document.querySelector('.gs-stage[data-state="done"] img');
                if (ended && image?.complete && image.naturalWidth) done(performance.now() - began);
                else setTimeout(look, 5);
            };
            look();
        })"""
    )


def history_opened(page: Any) -> float:
    """Milliseconds from a press on the tab History until its first picture is seen."""
    return page.evaluate(
        """() => new Promise((done) => {
            const began = performance.now();
            studio.showTab("history");
            const look = () => {
                const image = document.querySelector(".gs-cell img");
                if (image?.complete && image.naturalWidth) done(performance.now() - began);
                else setTimeout(look, 5);
            };
            look();
        })"""
    )


def scrolled(page: Any, seconds: float) -> dict[str, list[float]]:
    """Milliseconds between frames of the History tab, as a wheel turns it and through all of it."""
    page.wait_for_timeout(QUIET)
    height = page.evaluate("document.querySelector('.gs-virtual').scrollHeight")
    speeds = {"as a wheel turns": 3000.0, "through all of it": height / seconds}
    found = {}
    for name, speed in speeds.items():
        page.evaluate("document.querySelector('.gs-virtual').scrollTop = 0")
        page.wait_for_timeout(QUIET)
        found[name] = page.evaluate(SCROLL, [speed, 1000 * seconds])
    return found


def edited(page: Any, preset: str, folder: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each edit of a preset with many rows until it is painted, and of the longest
    task within :data:`QUIET` after it."""
    file = folder / "rows.json"
    file.write_text(preset, encoding="utf-8")
    count = len(json.loads(preset)["rows"])
    page.locator("#gs-top input[type=file]").first.set_input_files(file)
    page.wait_for_function("(n) => document.querySelectorAll('.gs-card').length === n", arg=count)
    page.wait_for_function(SETTLED, arg=count, polling=100)
    page.wait_for_timeout(2 * QUIET)
    page.evaluate(STAMP)
    return {
        name: _timed(page, kind, act, rounds)
        for name, (kind, act) in _edits(page, count // 2).items()
    }


def _timed(page: Any, kind: str, act: Callable[[], None], rounds: int) -> dict[str, list[float]]:
    painted, blocks = [], []
    for _ in range(rounds):
        page.evaluate("benchmark.edits = []; benchmark.blocks = [];")
        page.evaluate("(kind) => benchmark.listen(kind)", kind)
        act()
        page.wait_for_function("benchmark.edits.length", polling=50)
        page.wait_for_timeout(QUIET)
        painted.append(page.evaluate("benchmark.edits[0]"))
        blocks.append(page.evaluate("Math.max(0, ...benchmark.blocks)"))
    return {"painted": painted, "block": blocks}


def _edits(page: Any, row: int) -> dict[str, tuple[str, Callable[[], None]]]:
    """What is done to the row in the middle, by its name, each with the event that ends it."""
    card = page.locator(".gs-card").nth(row)

    def typed() -> None:
        card.locator(".gs-prompt").focus()
        page.keyboard.press("x")

    def weighed() -> None:
        card.locator(".gs-weight").focus()
        page.keyboard.press("ArrowUp")

    def dragged() -> None:
        above = page.locator(".gs-card").nth(row - 1)
        card.scroll_into_view_if_needed()
        card.locator(".gs-handle").drag_to(above, target_position={"x": 40, "y": 4})

    def added() -> None:
        page.locator(".gs-add").click()

    def deleted() -> None:
        card.get_by_role("button", name="Delete row").click()

    return {
        "a key in a prompt": ("keydown", typed),
        "a weight": ("keydown", weighed),
        "a row dragged": ("dragend", dragged),
        "a row muted": ("click", lambda: card.locator(".gs-eye").click()),
        "a row added": ("click", added),
        "a row deleted": ("click", deleted),
    }
