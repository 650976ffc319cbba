"""The Train tab in a real browser: pictures in, a few steps, the model in the lists and in use."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, eventually, expect, needs_starter

pytestmark = pytest.mark.browser
BAR = "#gs-train-progress .gs-progress"
BOX = [0.25, 0.125, 0.75, 0.875]
CROPPED = "(box) => `${studio.pictures.pictures.find(({ crop }) => crop)?.crop}` === `${box}`"


def drop(page: Any, files: list[Path], place: str = "#gs-train-files button") -> None:
    """Drop files onto the tab's own place, as from a file manager."""
    sent = [(file.name, base64.b64encode(file.read_bytes()).decode()) for file in files]
    transfer = page.evaluate_handle(
        """(files) => { const t = new DataTransfer();
          for (const [name, data] of files) t.items.add(new File(
            [Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, {type: 'image/png'}));
          return t; }""",
        sent,
    )
    page.dispatch_event(place, "drop", {"dataTransfer": transfer})


def crop(page: Any, name: str) -> None:
    """Draw ``BOX`` over a picture with the mouse, its last side by number."""
    page.get_by_role("button", name=f"Crop {name}").click()
    dialog = page.locator("dialog.gs-cropper")
    dialog.get_by_role("button", name="Square").click()
    frame = dialog.locator(".gs-canvas").bounding_box()
    mouse, (left, top, right, bottom) = page.mouse, BOX

    def at(x: float, y: float) -> tuple[float, float]:
        return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]

    mouse.move(*at(left, top))
    mouse.down()
    mouse.move(*at(right, bottom - 0.2), steps=4)
    mouse.up()
    for label, value in zip(("Left", "Top", "Right", "Bottom"), BOX, strict=True):
        box = dialog.get_by_label(f"{label} (%)")
        if label != "Bottom":
            drawn = float(box.input_value())
            assert abs(drawn - 100 * value) < 1
        box.fill(str(100 * value))
    dialog.get_by_role("button", name="Use crop").click()
    page.wait_for_function(CROPPED, arg=BOX)


def four_times_as_many(steps: Any, every: Any) -> None:
    of, samples = steps.input_value(), every.input_value()
    assert int(samples or 0) * 4 == int(of or -1)


@needs_starter
@pytest.mark.timeout(600)
def test_pictures_become_a_row(studio: Studio, home: Path, hold: Callable[..., None]) -> None:
    page = studio.open().page
    page.set_default_timeout(150_000)
    studio.tab("Train")
    folder = REPOSITORY / "assets" / "examples" / "training"
    held: list[Any] = []
    free: list[bool] = []
    page.route("**/upload?*", lambda route: route.continue_() if free else held.append(route))
    drop(page, [folder / "hero-1.png"])
    page.wait_for_selector("#gs-train-files button", state="detached")  # it uploads
    drop(page, [folder / "hero-2.png"], "#gs-train-files")
    free.append(True)
    held[0].continue_()
    cards = page.locator(".gs-pic")
    cards.nth(1).wait_for()
    drop(page, [folder / "hero-3.png"])  # more come to those that are there
    cards.nth(2).wait_for()
    page.get_by_role("button", name="Remove hero-3.png").click()
    expect(cards).to_have_count(2)
    crop(page, "hero-2.png")
    expect(page.locator("dialog.gs-uses")).to_have_count(0)  # none of them was asked about
    page.locator("#gs-train-name input").fill("our-hero")
    page.locator("#gs-train-word input").fill("hero")
    page.locator("#gs-train-superclass input").fill("person")
    page.get_by_label("Caption of hero-2.png").fill("a hero person at sea")
    page.click("#gs-train-fill")
    page.wait_for_function("studio.pictures.pictures[0]?.caption === 'a hero person'")
    expect(page.get_by_label("General text of hero-2.png")).to_have_value("at sea")
    page.wait_for_function(CROPPED, arg=BOX)  # kept on its way
    studio.unfold("Steps, rates, samples")
    rate = page.locator("#gs-train-field-rate .gs-number")
    small = rate.input_value()

    def choose(method: str, own: str) -> None:
        page.get_by_label("Method", exact=True).click()  # by mouse, which Gradio tells twice
        page.get_by_role("option", name=method, exact=True).click()
        expect(rate).to_have_value(own)

    for method, own in (("DreamBooth (the whole network)", "0.0002"), ("LoRA", small)):
        choose(method, own)
    expect(page.locator(".toast-body")).to_have_count(0)  # nobody typed what would be kept

    def field(label: str) -> Any:
        return page.locator("#gs-tabs").get_by_label(label, exact=True).last

    every = field("Samples every … steps")
    eventually(lambda: four_times_as_many(field("Steps"), every))  # by default
    for label, value in (("Steps", "3"), ("Batch", "2"), ("Samples every … steps", "3")):
        field(label).fill(value)
        field(label).blur()
    choose("DreamBooth (the whole network)", "0.0002")
    studio.says("Kept as you typed them: Steps, Batch", ".toast-body")
    studio.rest(500)  # in which the second would come
    expect(page.get_by_text("Kept as you typed them")).to_have_count(1)
    choose("LoRA", small)
    page.click("#gs-train-start")
    page.wait_for_selector(f'{BAR}[data-state="done"]', timeout=120_000)
    expect(page.locator("#gs-train-progress")).to_contain_text("our-hero is in the library")
    expect(page.locator(".gs-samples figure").first).to_contain_text("step 3", ignore_case=True)
    curve = page.locator(".gs-curve").first
    for part in (".gs-axis", ".gs-mean"):
        expect(curve.locator(part)).to_have_count(1)
    page.locator("#gs-train-template").scroll_into_view_if_needed()  # the curve stays beside it
    expect(curve).to_be_in_viewport()
    name = page.locator("#gs-train-name input")
    name.fill("our hero?")
    studio.says("type its name above again", BAR)  # the buttons are of the name in the form
    page.click("#gs-train-start")
    studio.says("cannot be a model's name", "#gs-train-refused")
    expect(page.locator(f"{BAR}[data-state=done]")).to_be_hidden()  # no answer to this press
    name.fill("our-hero")
    expect(page.locator(BAR)).not_to_contain_text("type its name above again")
    weights = home / "models" / "our-hero" / "pytorch_lora_weights.safetensors"
    os.utime(weights, (1, 1))
    expect(page.locator("#gs-train-resume")).to_be_disabled()  # no step is left
    page.evaluate(f"document.querySelector('{BAR}').setAttribute('data-earlier', '')")
    page.click("#gs-train-restart")  # from the beginning, over the one that is there
    studio.says("what this training has learned is gone", "#gs-train-asking")
    page.click("#gs-train-refuse")
    expect(page.locator("#gs-train-asking")).to_be_hidden()
    assert weights.stat().st_mtime == 1
    page.click("#gs-train-restart")
    page.click("#gs-train-agree")
    page.wait_for_selector(f'{BAR}[data-state="done"]:not([data-earlier])', timeout=120_000)
    assert weights.stat().st_mtime > 1
    kept = home / "training" / "our-hero" / "pictures"
    assert sorted(path.name for path in kept.iterdir()) == ["hero-1.png", "hero-2.png"]
    assert (kept / "hero-1.png").read_bytes() == (folder / "hero-1.png").read_bytes()
    with Image.open(folder / "hero-2.png") as whole, Image.open(kept / "hero-2.png") as cropped:
        left, top, right, bottom = (round(p * n) for p, n in zip(BOX, whole.size * 2, strict=True))
        expected = np.asarray(whole.convert("RGB"))[top:bottom, left:right]
        assert np.array_equal(np.asarray(cropped), expected)
    captions = json.loads((kept.parent / "captions.json").read_text())
    assert captions["hero-2.png"]["caption"] == "a hero person at sea"
    page.click("#gs-train-use")
    page.wait_for_function(
        "studio.stack.cards.length === 1 && studio.stack.cards[0]?.row.prompt === 'a hero person'"
    )
    assert studio.rows()[0]["model"]["lora"] == "our-hero"
    page.wait_for_selector("#gs-heading:not(.gs-edited)")  # as it was loaded
    hold("a hero person", images=1)
    page.click("#gs-train-sweep")  # one press: the same seed at several ω
    page.locator(".gs-strip .gs-picture[title*='ω 0']").first.wait_for()
    page.wait_for_function(  # its pictures have come into sight
        """() => {
            const box = document.querySelector(".gs-stage")?.getBoundingClientRect();
            const { top, height = 0 } = box ?? {};
            return height > 0 && top >= 0 && top + height / 2 <= innerHeight;
        }""",
        polling=100,
    )
    page.keyboard.press("Escape")
    studio.says("Cancelled")
