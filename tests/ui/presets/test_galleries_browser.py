"""Galleries in a real browser: opened, used, imported, and a preset published after a look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser
SAID = "#gs-galleries .gs-gallery-said"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("kite", "boat"):
        preset = {"name": name.title(), "rows": [{"prompt": f"a {name} of theirs"}]}
        (folder / f"{name}.json").write_text(json.dumps(preset))
    Image.new("RGB", (64, 64), "orange").save(folder / "kite.png")
    return folder


def test_a_gallery_is_opened_searched_used_and_imported(
    desk: Studio, theirs: Path, home: Path
) -> None:
    page = desk.page
    desk.use(["mine"])
    desk.tab("Presets")
    page.locator("#gs-galleries summary").click()
    page.get_by_label("Gallery: a folder").fill("/nowhere/at/all")
    page.keyboard.press("Enter")
    desk.says("Gallery: '/nowhere/at/all' is no folder here", SAID)
    page.get_by_label("Gallery: a folder").fill(str(theirs))
    page.locator("#gs-galleries").get_by_role("button", name="Open", exact=True).click()
    desk.says("2 presets", SAID)
    page.wait_for_selector("#gs-galleries [data-id='kite.json'] img[src^='data:image/webp']")
    page.get_by_role("searchbox", name="Search this gallery").fill("kite")
    shown = page.locator("#gs-galleries .gs-gallery-card").filter(visible=True)
    expect(shown).to_have_count(1)
    keep = page.get_by_role("button", name="Import Kite into my presets")
    keep.focus()
    page.keyboard.press("Enter")
    desk.says("Kite is kept as kite.json", SAID)
    expect(keep).to_be_focused()  # the cards stand still
    assert [row["prompt"] for row in desk.rows()] == ["mine"]  # the page is left as it was
    page.wait_for_selector("#gs-shelf [data-id='saved:kite']")
    assert json.loads((home / "presets/kite.json").read_text())["name"] == "Kite"
    assert (home / "presets/kite.webp").is_file()
    page.get_by_role("button", name="Use Kite on the page").click()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a kite of theirs'")
    page.get_by_role("button", name=f"Forget {theirs}").click()
    page.wait_for_function("!document.querySelector('.gs-gallery-chip')")


def test_a_preset_is_published_after_a_look(desk: Studio, tmp_path: Path) -> None:
    page, target = desk.page, tmp_path / "out"
    target.mkdir()
    desk.use(["see /home/anna/cat.png"])
    desk.tab("Presets")
    page.locator("#gs-publishing summary").click()
    page.get_by_label("Preset", exact=True).fill("")
    to = page.get_by_label("Publish to: a folder")
    to.fill(str(target))
    said = "#gs-publishing .gs-gallery-said"
    page.get_by_role("button", name="Show what would go out").click()
    desk.says("give the preset a name", said)
    expect(page.locator(".gs-publish-go")).to_have_count(0)
    page.get_by_label("Preset", exact=True).fill("For all")
    to.fill("here")
    page.get_by_role("button", name="Show what would go out").click()
    desk.says("Publish to: 'here' is no folder here", said)
    to.fill(str(target))
    page.get_by_role("button", name="Show what would go out").click()
    desk.says("row 1, prompt: holds what looks like a path", ".gs-publish-warnings")
    text = page.locator(".gs-publish pre").inner_text()
    assert not list(target.iterdir())
    page.get_by_role("button", name="Publish this file").click()
    desk.says("Published for-all.json", said)
    (made,) = target.iterdir()
    assert json.loads(made.read_text()) == json.loads(text)
    assert json.loads(text)["rows"][0]["prompt"] == "see /home/anna/cat.png"
    page.reload()
    page.wait_for_selector(".gs-card")
    desk.tab("Presets")
    page.locator("#gs-publishing summary").click()
    expect(to).to_have_value(str(target))  # where this tab published last
