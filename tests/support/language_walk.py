"""A walk through the page that meets its texts, and which of them a language does not hold.

Everything is found by ids, classes and data attributes: the walk is the same in every language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.support import REPOSITORY
from tests.support.studio_page import Studio

TABS = ("result", "history", "sweep", "train", "presets", "models", "help")
PRESET = REPOSITORY / "presets" / "12-masks.json"
PICTURE = REPOSITORY / "assets" / "examples" / "training" / "hero-1.png"
# Every text and attribute of the page that may be turned, as it stands.
TEXTS = """() => {
    const found = new Set();
    const kept = '[translate="no"], script, style, textarea, code, pre, kbd';
    const marks = { STRONG: "strong", B: "strong", EM: "em", CODE: "code" };
    const pieces = (block) => {
        const nodes = [...block.childNodes];
        const plain = (node) => node.nodeType === 3
            || (marks[node.nodeName] && !node.childElementCount && !node.attributes.length);
        if (!nodes.some((node) => marks[node.nodeName]) || !nodes.every(plain)) return null;
        return nodes.map((node) => ({ kind: marks[node.nodeName] ?? "", text: node.textContent }));
    };
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = words.nextNode(); node; node = words.nextNode()) {
        const block = node.parentElement.closest("p, li, td, th, div, h3");
        const whole = block && pieces(block);
        if (node.parentElement.closest('[data-own~="text"]')) continue;
        if (node.parentElement.closest(whole ? kept.replace(", code", "") : kept)) continue;
        found.add(whole ? studio.markedText(whole) : node.data);
    }
    for (const node of document.body.querySelectorAll("*")) {
        if (node.closest('[translate="no"]')) continue;
        for (const name of ["title", "placeholder", "aria-label", "alt", "label"])
            if (!node.dataset.own?.split(" ").includes(name)) found.add(node.getAttribute(name) ?? "");
    }
    const { get } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
    for (const node of document.querySelectorAll("input[role=combobox][readonly]"))
        found.add(get.call(node));
    return [...found].map((text) => text.replace(/\\s+/g, " ").trim())
        .filter((text) => /\\p{L}/u.test(text));
}"""
# Which of some English texts, or which parts of them, a language's messages do not hold.
GAPS = """([texts, messages]) => {
    const gaps = [];
    const say = studio.translator(messages, (piece) => gaps.push(piece));
    return [...texts.filter((text) => say(text) === null), ...gaps];
}"""
STILL_ENGLISH = f"() => ({TEXTS})().filter((text) => studio.say(text) !== text)"


def tabs(studio: Studio) -> Iterator[str]:
    """Every tab of the page, by its id."""
    for tab in TABS:
        studio.page.evaluate("(tab) => studio.showTab(tab)", tab)
        studio.page.wait_for_selector(f'[role=tab][data-tab-id="{tab}"][aria-selected=true]')
        studio.rest(100)
        yield tab


def walk(studio: Studio, look: Callable[[], None]) -> None:
    """Go through the page; ``look`` is called wherever there is something new to read."""
    page = studio.page
    for part in (_form, _picture, _dialogs):
        part(studio, look)
    for _ in tabs(studio):
        look()
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    look()


def _form(studio: Studio, look: Callable[[], None]) -> None:
    """A preset with masks, its rows unfolded, a text that is not known, a field that is wrong."""
    page = studio.page
    look()
    studio.load(PRESET)
    page.wait_for_function("studio.stack.cards.length === 3")
    page.click("#gs-advanced button")
    page.evaluate("studio.stack.cards.forEach((card) => card.more.click())")
    studio.prompt(0).fill("a zeppelinish kat, --ar 3")
    page.locator(".gs-weight").nth(1).fill("much")
    page.evaluate("studio.stack.bulk.bar.hidden = false")
    page.wait_for_selector(".gs-unknown b")
    look()
    page.locator(".gs-weight").nth(1).fill("2")
    studio.prompt(0).fill("a cat")
    page.keyboard.press("Escape")


def _shown(studio: Studio, look: Callable[[], None], selector: str) -> None:
    """Look at what has just been opened, once ``selector`` is there, and close it."""
    studio.page.wait_for_selector(selector)
    look()
    studio.page.keyboard.press("Escape")


def _picture(studio: Studio, look: Callable[[], None]) -> None:
    """A picture made, what it is used for, and what its rows did."""
    page = studio.page
    shown = partial(_shown, studio, look)
    page.evaluate("studio.setField('steps', 2)")
    studio.generate()
    look()
    page.click(".gs-result-tools > button:nth-of-type(2)")
    shown("dialog.gs-uses")
    page.click(".gs-result-tools > button:nth-of-type(1)")
    shown(".gs-explain-row .gs-explain-strip img")
    page.evaluate("studio.showTab('history')")
    page.click(".gs-cell-open")
    shown(".gs-history-dialog")
    page.evaluate("studio.axes.add('rows.0.weight', '1, 2'); studio.axes.add('omega', '0, 1')")
    page.evaluate("studio.showTab('sweep')")
    page.wait_for_function("document.querySelector('.gs-sweep-cost')?.textContent")
    look()


def _dialogs(studio: Studio, look: Callable[[], None]) -> None:
    """The settings, painting, numbers to ask for, the gallery, the tour, a word at the foot."""
    page = studio.page
    shown = partial(_shown, studio, look)
    page.click("#gs-open-settings")
    shown(".gs-settings-row")
    page.evaluate("studio.paintMasks(studio.stack.cards); undefined")
    shown("dialog.gs-painter .gs-inks")
    page.evaluate("studio.between(['a', 'b']); studio.toast('Nothing to undo.')")
    shown("dialog.gs-work")
    page.click(".gs-tour-open")
    page.wait_for_selector(".gs-tour-title")
    look()
    page.click(".gs-tour .gs-tool")
    page.evaluate("studio.showTab('train')")
    page.set_input_files("#gs-train-files input[type=file]", str(PICTURE))
    page.wait_for_selector(".gs-pic")
    look()
