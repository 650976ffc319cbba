"""In a real browser: the map beside its control image."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.other_tools import a1111, png
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
CAT = REPOSITORY / "assets" / "examples" / "cat.png"


@pytest.fixture
def with_image(studio: Studio) -> Iterator[Any]:
    """A row's card with a control image."""
    studio.open().use(["a cat"])
    card = studio.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    card.locator(".gs-prompting .gs-thumb img").wait_for()
    yield card


@needs_starter
@pytest.mark.timeout(600)
def test_the_map_is_shown_beside_its_image_and_goes_with_it(
    studio: Studio, with_image: Any
) -> None:
    button = with_image.get_by_role("button", name="Preview map")
    button.click()
    shown = with_image.locator(".gs-map-image")
    shown.wait_for()
    expect(shown).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    save = with_image.locator(".gs-map-save")
    expect(save).to_have_attribute("download", "map.png")
    expect(save).to_have_attribute("href", shown.get_attribute("src"))
    kinds = with_image.get_by_label("What is read from the control image")
    others = kinds.locator("option").evaluate_all(
        "(options, now) => options.map((o) => o.value).filter((v) => v !== now)",
        kinds.input_value(),
    )
    kinds.select_option(others[0])  # another reading of the image: the map is no longer its own
    expect(shown).to_be_hidden()
    kinds.select_option('"map"')  # which no ControlNet reads by itself: the one in use stays
    control = studio.rows()[0]["control"]
    assert control["type"] == "map" and control["model"].startswith("starter/")
    net = with_image.get_by_label("ControlNet of the control image")
    expect(net).to_have_value(json.dumps(control["model"]))
    with_image.get_by_role("button", name="Crop the control image").click()
    dialog = studio.page.locator("dialog.gs-cropper")
    dialog.get_by_role("button", name="The face").click()
    expect(dialog.get_by_role("status")).to_contain_text("no face")  # of a cat
    dialog.get_by_label("Right (%)").fill("50")
    dialog.get_by_role("button", name="Use crop").click()
    studio.page.wait_for_function(
        "(whole) => studio.stack.cards[0]?.row.control.image !== whole", arg=control["image"]
    )
    with_image.get_by_role("button", name="Remove control image").click()
    expect(button).to_be_hidden()


@needs_starter
def test_a_picture_with_settings_that_is_dropped_on_a_row_can_be_opened_instead(
    studio: Studio, tmp_path: Path
) -> None:
    """As other tools read it where it is dropped on a prompt; one without is the control image."""
    studio.open().use(["a moon"])
    page = studio.page

    def drop(file: Path) -> None:
        page.evaluate(
            """([name, data]) => {
                const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
                const how = { dataTransfer, bubbles: true, cancelable: true };
                document.querySelector(".gs-prompt").dispatchEvent(new DragEvent("drop", how));
            }""",
            [file.name, b64encode(file.read_bytes()).decode()],
        )

    image = studio.card(0).locator(".gs-prompting .gs-thumb img")
    opens = page.get_by_role("button", name="Open them")
    drop(CAT)
    image.wait_for()
    drop(png(tmp_path, parameters=a1111("a star", negative="")))
    opens.click()
    studio.has_rows(["a star"])
    expect(image).to_have_count(0)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    studio.has_rows(["a moon"])
