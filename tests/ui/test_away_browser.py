"""The server is away for a moment: files on their way, and what an open dialog holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
FIELD = "#gs-train-files"
UPLOAD, JOIN = re.compile(r"/upload\?|/upload$"), re.compile("/queue/join")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "mine.png"
    Image.new("RGB", (64, 64), "teal").save(path)
    return path


def cut_off(page: Any, what: re.Pattern[str]) -> None:
    page.route(what, lambda route: route.abort("internetdisconnected"))


def test_a_picture_that_does_not_arrive_is_told_of_in_the_pages_words(
    studio: Studio, picture: Path
) -> None:
    page = studio.open().page
    studio.speak("de")
    page.get_by_role("tab", name="Trainieren").click()
    cut_off(page, UPLOAD)
    page.locator(f"{FIELD} input[type=file]").set_input_files(picture)
    expect(page.get_by_text("Das Studio hat nicht geantwortet").first).to_be_visible()
    expect(page.get_by_text("errored out")).to_have_count(0)
    expect(page.locator(f"{FIELD} .error")).not_to_be_visible()  # it would lie over the field
    page.locator(".gs-card .gs-file[type=file], .gs-card .gs-file input").first.set_input_files(
        picture
    )
    said = page.get_by_text("Das Bild konnte nicht hochgeladen werden (das Studio hat nicht")
    expect(said.first).to_be_visible()
    page.unroute(UPLOAD)
    page.locator(f"{FIELD} input[type=file]").set_input_files(picture)
    expect(page.locator(".gs-pic")).to_have_count(1)


def test_pictures_the_studio_never_looked_at_are_said_to_be_gone(
    studio: Studio, picture: Path
) -> None:
    page = studio.open().page
    studio.speak("en")
    studio.tab("Train")
    page.evaluate("window.before = true")
    page.route(JOIN, lambda route: route.abort("internetdisconnected"), times=1)
    page.locator(f"{FIELD} input[type=file]").set_input_files(picture)
    # Gradio loads the page anew, once it has found its server again.
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)
    studio.says("the files that were brought last are not here", "#gs-queue *, #gs-progress *")
    expect(page.locator(".gs-pic")).to_have_count(0)


def stroke(page: Any, frame: Any) -> None:
    """Paint a line on a painter's canvas."""
    box = frame.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 60, steps=4)
    page.mouse.up()


def test_a_reload_asks_before_it_takes_what_is_painted(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face", "a dog face"])
    page.get_by_role("button", name="Masks", exact=True).click()
    frame = page.locator("dialog.gs-painter .gs-canvas")
    expect(frame).to_be_visible()
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("window.before = true")
    stroke(page, frame)
    page.evaluate("setTimeout(() => location.reload())")  # as Gradio does, once it is back
    studio.rest(1000)
    assert asked == ["beforeunload"]
    assert page.evaluate("window.before")
    page.locator("dialog.gs-painter").get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[0]?.row.mask.startsWith('inputs/')")
    studio.rest(6500)  # a page that asks its server still is not loaded anew by itself
    assert page.evaluate("window.before")
    page.evaluate("setTimeout(() => location.reload())")  # nothing is held any more
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)
    assert asked == ["beforeunload"]
    # One that Gradio has given up asks for nothing: it is, once the painter has closed.
    page.get_by_role("button", name="Masks", exact=True).click()
    expect(frame).to_be_visible()
    stroke(page, frame)
    page.evaluate("""() => {
        window.before = true;
        const emit = studio.emit;
        studio.emit = (name, ...said) => name === "ask-models" || emit(name, ...said);
        setTimeout(() => location.reload());
    }""")
    studio.rest(1000)
    assert len(asked) == 2
    page.locator("dialog.gs-painter").get_by_role("button", name="Use masks").click()
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)
    page.wait_for_function("studio.stack.cards[0]?.row.mask.startsWith('inputs/')")


def test_a_press_that_needs_a_picture_of_the_studios_says_why_nothing_comes(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face"])
    studio.generate()
    studio.speak("de")
    cut_off(page, re.compile("/file="))
    page.get_by_role("button", name="Dieses Bild erklären").click()
    told = page.get_by_text("Das Studio hat nicht geantwortet")
    expect(told.first).to_be_visible()
    expect(told).to_have_count(0)  # it goes by itself
    cut_off(page, re.compile("/component_server"))
    page.evaluate("studio.editWildcard('colours')")  # as a press on its name does
    expect(told.first).to_be_visible()
    expect(page.locator("dialog.gs-wildcard[open]")).to_have_count(0)
    studio.speak("en")


def test_a_star_that_the_studio_never_heard_of_is_said_to_be_lost(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face"])
    studio.generate()
    said = "what was pressed or changed since was not kept"
    page.context.set_offline(True)
    star = page.locator(".gs-stage").get_by_role("button", name="Star", exact=True)
    star.click()
    studio.says(said, "#gs-queue *, #gs-progress *")
    page.evaluate("window.before = true")
    page.context.set_offline(False)
    # Gradio loads the page anew, once it has found its server again.
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)
    studio.says(said, "#gs-queue *, #gs-progress *")


def test_any_press_that_the_studio_never_heard_of_is_said_to_be_lost(studio: Studio) -> None:
    page = studio.open().page
    said = "what was pressed or changed since was not kept"
    studio.tab("Models")
    page.context.set_offline(True)
    page.locator("#gs-rescan").click()
    studio.says(said, "#gs-queue *, #gs-progress *")
    page.evaluate("window.before = true")
    page.context.set_offline(False)
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)


def test_a_sweep_whose_start_was_not_heard_is_not_said_to_start(studio: Studio) -> None:
    page = studio.open().page
    page.evaluate("studio.axes.add('omega', '0,1')")
    studio.tab("Sweep")
    start = page.locator(".gs-sweep-start")
    expect(start).to_be_enabled()
    page.context.set_offline(True)
    start.click()
    studio.says("what was pressed last was not started", "#gs-queue *, #gs-progress *")
    expect(page.get_by_text("Starting …")).to_have_count(0)
    page.evaluate("window.before = true; studio.axes.replace([])")
    page.context.set_offline(False)
    page.wait_for_function("!window.before && document.querySelector('.gs-card')", polling=100)


def test_a_reload_asks_before_it_takes_a_crop(studio: Studio) -> None:
    page = studio.open().page
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    source = "document.querySelector('.gs-thumbnail img')?.src"
    page.evaluate(f"void studio.crop({source}, null, 'Crop')")
    dialog = page.locator("dialog.gs-cropper")
    dialog.get_by_role("spinbutton").or_(dialog.get_by_role("textbox")).first.fill("20")
    page.evaluate("window.before = true; setTimeout(() => location.reload())")
    studio.rest(1000)
    assert asked == ["beforeunload"]
    assert page.evaluate("window.before")
    dialog.get_by_role("button", name="Cancel").click()


def test_a_reload_asks_before_it_takes_numbers_that_were_typed(studio: Studio) -> None:
    page = studio.open().page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    field = "{ name: 'count', label: 'Pictures', value: 4, low: 1, high: 16, kind: 'integer' }"
    page.evaluate(f"void studio.askNumbers({{ title: 'How many', act: 'Go', fields: [{field}] }})")
    dialog = page.locator("dialog.gs-work")
    page.evaluate("window.before = true")
    dialog.locator("[name=count]").fill("5")
    page.evaluate("setTimeout(() => location.reload())")
    studio.rest(1000)
    assert asked == ["beforeunload"]
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert page.evaluate("window.before")
