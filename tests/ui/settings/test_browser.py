"""The settings in a real browser: opened, changed, put back; what the page does by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def opened(studio: Studio) -> Any:
    """The settings of the page as it is."""
    studio.page.get_by_role("button", name="Settings").first.click()
    return studio.page.get_by_role("dialog", name="Settings")


def fill(dialog: Any, name: str, label: str, text: str) -> tuple[Any, Any]:
    """Write a setting and leave it: its row, and its field."""
    row = dialog.locator(f"[data-setting='{name}']")
    field = row.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")
    return row, field


def test_settings_are_kept_say_where_they_come_from_and_act(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    dialog = opened(studio)
    # Gradio's own, at the foot of the page, know nothing of the page's theme and language.
    expect(page.locator("footer").get_by_role("button", name="Settings")).to_have_count(0)
    row = dialog.locator("[data-setting='theme']")
    row.get_by_text("default", exact=True).wait_for()
    dialog.get_by_label("Theme").focus()
    dialog.get_by_label("Theme").select_option("dark")
    page.wait_for_selector("body.dark")
    row.get_by_text("set here").wait_for()
    assert json.loads(settings_file.read_text()) == {"theme": "dark"}
    page.wait_for_function("document.activeElement?.dataset.name === 'theme'")
    dialog.get_by_label("Precision").select_option("bfloat16")
    dialog.get_by_text("Restart the studio to use it").wait_for()
    dialog.get_by_role("button", name="Put Precision back").click()
    dialog.get_by_text("Restart the studio to use it").wait_for(state="detached")
    assert json.loads(settings_file.read_text()) == {"theme": "dark"}
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.reload()
    page.wait_for_selector("body.dark .gs-card")
    page.click("#gs-theme")  # what is pressed in this browser goes before the setting
    page.reload()
    page.wait_for_selector("body:not(.dark) .gs-card")


def test_what_is_refused_is_said_at_its_field_and_stands_as_typed(
    studio: Studio, settings_file: Path
) -> None:
    """A toast would lie behind the dialog, and the field go back without a word."""
    dialog = opened(studio.open())
    for label, name, bad, said in (
        ("A long run", "long_run", "-5", "got -5"),
        ("A long run", "long_run", "soon", "got 'soon'"),
        ("Pictures", "outputs", "here/there", "must be the full path of a folder"),
        ("File names", "file_names", "[nobody]", "there is no '[nobody]' for a file's name"),
    ):
        row, field = fill(dialog, name, label, bad)
        row.locator(".gs-settings-fault", has_text=said).wait_for()
        expect(field).to_have_value(bad)
    assert not settings_file.exists() or json.loads(settings_file.read_text()) == {}
    studio.page.keyboard.press("Escape")
    studio.says("stays as it was.", ".gs-toast")
    dialog = opened(studio)
    row, field = fill(dialog, "long_run", "A long run", "30")
    row.get_by_text("set here").wait_for()
    expect(dialog.locator(".gs-settings-fault")).to_have_count(0)


def test_what_is_refused_stands_with_its_reason_beside_what_is_changed_after_it(
    studio: Studio, settings_file: Path
) -> None:
    studio.open()
    dialog = opened(studio)
    run, field = fill(dialog, "long_run", "A long run", "99999999")
    run.locator(".gs-settings-fault").wait_for()
    names, _ = fill(dialog, "file_names", "File names", "[seed]")
    names.get_by_text("set here").wait_for()
    expect(field).to_have_value("99999999")
    expect(run.locator(".gs-settings-fault")).to_contain_text("86400")
    studio.page.keyboard.press("Escape")
    studio.says("A long run stays as it was.", ".gs-toast")
    opened(studio)
    expect(field).to_have_value("20")


def test_an_answer_does_not_take_the_field_that_one_types_in(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    dialog = opened(studio)
    dialog.locator("[data-setting='long_run'] input").wait_for()
    page.keyboard.press("Escape")
    held, free = [], []
    page.route("**/queue/join*", lambda route: route.continue_() if free else held.append(route))
    opened(studio)  # what was told last time stands there while the new answer is on its way
    field = dialog.locator("[data-setting='long_run'] input")
    field.fill("3")
    while not held:
        studio.rest(100)
    free.append(True)
    with page.expect_response("**/queue/data*"):
        held[0].continue_()
    page.keyboard.type("0")
    studio.rest(300)
    expect(field).to_have_value("30")
    expect(field).to_be_focused()
    assert not settings_file.exists(), "kept before it was typed to its end"
    field.press("Tab")
    dialog.locator("[data-setting='long_run']").get_by_text("set here").wait_for()
    assert json.loads(settings_file.read_text()) == {"long_run": 30}


def test_a_form_that_is_not_to_be_kept_goes_with_its_tab(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    kept = "localStorage.getItem('guidance-studio-last')"
    studio.use(["kept in this browser"])
    page.wait_for_function(f"{kept}?.includes('kept in this browser')")
    opened(studio).get_by_label("Keep the form", exact=True).uncheck()
    page.wait_for_function(f"{kept} === null")
    page.keyboard.press("Escape")
    studio.prompt(0).fill("and not after this")
    page.wait_for_function(
        "sessionStorage.getItem('guidance-studio-tab')?.includes('not after this')"
    )
    assert page.evaluate(kept) is None


def test_a_bad_file_is_named_and_a_long_run_ends_with_a_sound(
    studio: Studio, settings_file: Path
) -> None:
    settings_file.write_text('{"sounds": true, "long_run": 0, "precision": "half"}')
    page = studio.open().page
    page.evaluate("void (studio.playEnd = (failed) => { window.heard = failed; })")
    opened(studio)
    studio.says("precision: must be one of auto", ".gs-settings-note")
    page.keyboard.press("Escape")
    studio.use(["a cat in noto style on a blue background"], steps=2)
    studio.generate()
    page.wait_for_function("window.heard === false")


def test_switches_pressed_before_the_last_is_answered_are_all_kept(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    dialog = opened(studio)
    held, free = [], []
    page.route("**/queue/join*", lambda route: route.continue_() if free else held.append(route))
    boxes = [dialog.get_by_role("checkbox").nth(number) for number in range(3)]
    for box in boxes:
        box.click()
    for _ in range(100):
        if len(held) == len(boxes):
            break
        studio.rest(200)
    free.append(True)
    for route in held:
        route.continue_()
    rows = dialog.locator("[data-setting]", has=page.get_by_role("checkbox"))
    for number in range(len(boxes)):
        rows.nth(number).get_by_text("set here").wait_for()
    assert len(json.loads(settings_file.read_text())) == len(boxes)


def test_an_answer_that_was_overtaken_on_the_way_draws_nothing_old(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    dialog = opened(studio)
    rows = [
        dialog.locator(f"[data-setting='{name}']") for name in ("compile", "sounds", "autosave")
    ]
    boxes = [row.get_by_role("checkbox") for row in rows]
    boxes[0].wait_for()
    held: list[Any] = []
    page.route("**/queue/join*", lambda route: held.append(route))
    for number, box in enumerate(boxes, 1):
        box.click()
        for _ in range(100):
            if len(held) == number:
                break
            studio.rest(100)
    answers = [route.fetch() for route in held]
    for route, answer in reversed(list(zip(held, answers, strict=True))):
        with page.expect_response("**/queue/join*"):
            route.fulfill(response=answer)
        studio.rest(500)
    for row in rows:
        row.get_by_text("set here").wait_for()
    assert json.loads(settings_file.read_text()) == {
        "compile": True,
        "sounds": True,
        "autosave": False,
    }
    heard = page.evaluate("studio.preferences()")  # what the page's scripts go by
    assert (heard["sounds"], heard["autosave"]) == (True, False)


def test_whoever_comes_back_to_them_sees_how_they_stand_now(
    studio: Studio, settings_file: Path
) -> None:
    """As after a restart, for which they ask, in another window."""
    page = studio.open().page
    dialog = opened(studio)
    expect(dialog.get_by_label("Theme")).to_have_value("system")
    settings_file.write_text(json.dumps({"theme": "dark"}))
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(dialog.get_by_label("Theme", exact=True)).to_have_value("dark")
    settings_file.unlink()
    dialog.get_by_role("button", name="Close the settings").click()
