"""The Train tab in a real browser: pictures in, a few steps, the model in the lists and in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from studio_page import REPOSITORY, Studio, needs_starter

pytestmark = pytest.mark.browser


@needs_starter
@pytest.mark.timeout(300)
def test_pictures_become_a_row(studio: Studio, home: Path) -> None:
    page = studio.open().page
    page.set_default_timeout(150_000)
    page.get_by_role("tab", name="Train").click()
    folder = REPOSITORY / "assets" / "examples" / "training"
    page.locator("#gs-train-files input[type=file]").set_input_files(
        [folder / "hero-1.png", folder / "hero-2.png"])  # fmt: skip
    page.locator("#gs-train-name input").fill("my-hero")
    page.locator("#gs-train-word input").fill("hero")
    page.locator("#gs-train-superclass input").fill("person")
    page.locator("#gs-train-captions").get_by_text("hero-2.png").first.wait_for(state="attached")
    page.click("#gs-train-fill")
    page.locator("#gs-train-captions").get_by_text("a hero person").first.wait_for(state="attached")
    page.get_by_text("Steps, rates, samples").click()
    for label, value in (("Steps", "3"), ("Batch", "2"), ("Samples every … steps", "0")):
        box = page.locator("#gs-tabs").get_by_label(label, exact=True).last
        box.fill(value)
        box.blur()
    page.click("#gs-train-start")
    page.wait_for_selector('#gs-train-progress .gs-progress[data-state="done"]', timeout=120_000)
    assert "my-hero is in the library" in page.inner_text("#gs-train-progress")
    assert page.locator(".gs-curve").count() >= 1
    assert (home / "models" / "my-hero" / "pytorch_lora_weights.safetensors").is_file()
    page.click("#gs-train-use")
    page.wait_for_function(
        "studio.stack.cards.length === 1 && studio.stack.cards[0].row.prompt === 'a hero person'")  # fmt: skip
    assert studio.rows()[0]["model"]["lora"] == "my-hero"
