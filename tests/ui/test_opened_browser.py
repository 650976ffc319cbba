"""What the page says of an opened file: what could not be carried over, which models are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from studio.languages import ENGLISH
from studio.share import read_image
from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
SHIPPED = REPOSITORY / "presets" / "01-plain-guidance.json"


def restore(desk: Studio) -> None:
    """A preset without a fault, in the form."""
    desk.load(SHIPPED)
    desk.page.wait_for_function(
        "studio.stack.cards[0]?.row.prompt.startsWith('a rocket')", polling=100
    )
    desk.page.wait_for_selector("#gs-plan .gs-equation")


def test_the_line_of_a_failed_run_goes_with_the_next_file(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.set("Width", "130")
    desk.page.click("#gs-generate")
    desk.says("must be a multiple of")
    restore(desk)
    desk.page.wait_for_selector('#gs-progress .gs-progress[data-state="idle"]')


THEIRS = (  # as AUTOMATIC1111's web UI writes it
    "a cat <lora:absent:0.8>\nNegative prompt: blurry\nSteps: 20, Sampler: Whatever 3000, "
    "CFG scale: 7, Seed: 5, Size: 999x513, Model: nothing-here, Denoising strength: 0.5, "
    "Clip skip: 2, Hires upscale: 2, Hires upscaler: Latent, ENSD: 31337"
)


def theirs(folder: Path, text: str = THEIRS) -> Path:
    """A picture of that tool."""
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", text)
    picture = folder / "theirs.png"
    Image.new("RGB", (64, 64)).save(picture, pnginfo=info)
    return picture


def test_every_note_is_shown_until_the_list_is_closed(desk: Studio, tmp_path: Path) -> None:
    picture = theirs(tmp_path)
    notes = read_image(picture)[1]
    assert len(notes) > 3
    desk.load(picture)
    shown = desk.page.locator(".gs-notices li")
    shown.nth(3).wait_for()
    box = desk.page.locator(".gs-notices")
    expect(box).to_contain_text("absent")
    expect(box).to_contain_text("'Whatever 3000' became DPM-Solver++ 2M")  # as the list calls it
    desk.weigh(0, 4)
    desk.open()  # neither an edit nor a reload closes them, nor does a link without notes of its own
    desk.page.click("#gs-link")
    desk.says("Link copied", ".gs-toast")
    expect(box.locator("li")).to_have_count(len(notes))
    desk.use(["typed since"])
    expect(box).to_be_hidden()  # none of its rows is left
    desk.load(picture)
    expect(box).to_be_visible()
    desk.page.get_by_role("button", name="Close the notes").click()
    expect(box).to_have_count(0)
    expect(desk.page.locator("#gs-heading")).to_be_focused()
    restore(desk)


def test_the_notes_are_in_the_page_language(
    desk: Studio, tmp_path: Path, settings_file: Path
) -> None:
    picture = theirs(tmp_path, f'{THEIRS}, ControlNet 0: "Module: canny, Model: net, Weight: 0.5"')
    desk.load(picture)
    box = desk.page.locator(".gs-notices")
    english = box.locator("li")
    english.nth(8).wait_for()
    said = english.all_inner_texts()
    assert len(said) == len(read_image(picture)[1])
    desk.speak("de")
    for line in (
        "gemacht mit AUTOMATIC1111: Derselbe Seed gibt hier anderes Rauschen",
        "Basismodell: das Modell 'nothing-here' ist nicht in der Bibliothek; genommen wird die Standardbasis",
        "Zeile 1, Modell: die LoRA 'absent' mit Stärke 0.8 ist nicht in der Bibliothek; den Namen behält die Beschreibung",
        "ControlNet 'net' (canny, Stärke 0.5, Schritte 0-1) ist ausgelassen: nicht in der Bibliothek",
        "Scheduler: 'Whatever 3000' wurde zu DPM-Solver++ 2M",
        "gemacht in 999x513; das Bild hat 64x64 Pixel",
        "Clip skip: 2 bleibt weg, mit dem Basismodell, für das es gedacht ist",
    ):
        expect(box.locator("li").filter(has_text=line)).to_have_count(1)
    for tag in ("de", "ar"):
        desk.speak(tag)
        for line in said:
            expect(box.get_by_text(line, exact=True)).to_have_count(0)
    desk.speak(ENGLISH)
    expect(box.locator("li")).to_have_text(said)
    restore(desk)


def test_every_missing_model_is_named_at_once_with_what_to_do(desk: Studio, tmp_path: Path) -> None:
    preset = {
        "name": "Absent",
        "rows": [
            {"prompt": "a", "model": {"lora": "someone/absent-lora", "strength": 1.0}},
            {"prompt": "b", "model": "no-such-concept"},
        ],
    }
    file = tmp_path / "absent.json"
    file.write_text(json.dumps(preset))
    desk.load(file)
    lines = desk.page.locator(".gs-missing li")
    lines.nth(1).wait_for()
    expect(lines.locator("code")).to_have_text(["someone/absent-lora", "no-such-concept"])
    expect(lines.nth(0).get_by_role("button", name="Download")).to_have_count(1)
    expect(lines.nth(1).get_by_role("button", name="Download")).to_have_count(
        0
    )  # no name of the hub
    lines.nth(1).get_by_role("button", name="Choose another").click()
    focused = desk.page.locator(":focus")
    expect(focused).to_have_attribute("aria-label", "Model of this row")
    lines.nth(0).get_by_role("button", name="Download").click()
    desk.page.wait_for_function(
        "document.querySelector('#gs-fetch-name textarea, #gs-fetch-name input')?.value === 'someone/absent-lora'"
    )
    desk.says("HF_HUB_OFFLINE", "#gs-fetch-status")


@needs_starter
def test_choose_another_leads_to_the_list_that_names_the_missing_one(
    desk: Studio, tmp_path: Path
) -> None:
    canny = {"type": "canny", "image": "assets/examples/cat.png", "model": "some/net"}
    lora = {"lora": "starter/lora-hero", "loras": [{"lora": "some/second"}]}
    seen = {"image": "assets/examples/cat.png", "model": "some/adapter"}
    rows = [
        {"prompt": "a", "model": lora},
        {"prompt": "b", "control": canny},
        {"prompt": "c", "image_prompt": seen},
    ]
    file = tmp_path / "absent.json"
    file.write_text(json.dumps({"name": "Absent lists", "rows": rows}))
    desk.load(file)
    desk.says("3 models are not in the library", ".gs-missing")
    lists = (
        "Add an adapter or learned words",
        "ControlNet of the control image",
        "IP-Adapter that reads the image prompt",
    )
    for index, label in enumerate(lists):
        desk.page.get_by_role("button", name="Choose another").nth(index).click()
        expect(desk.page.locator(":focus")).to_have_attribute("aria-label", label)
        desk.page.keyboard.press("Escape")
    desk.page.click("#gs-generate")
    desk.says("in the list of what is missing", '.gs-progress[data-state="failed"]')
    expect(desk.page.locator("body")).not_to_contain_text("python -m", use_inner_text=True)


def test_what_the_page_says_and_what_the_server_says_lie_beside_each_other(
    desk: Studio, tmp_path: Path
) -> None:
    page = desk.page
    for width in (1440, 1000, 390):
        wrong = tmp_path / f"wrong-{width}.json"  # Gradio takes the same file once
        wrong.write_text('{"tune": 1}')
        page.set_viewport_size({"width": width, "height": 844})
        desk.rest()
        page.evaluate("studio.toast('A line that is longer than this page is wide. '.repeat(4))")
        desk.load(wrong)
        page.locator(".toast-body").first.wait_for()
        own, servers = (
            page.locator(place).last.bounding_box() for place in (".gs-toasts", ".toast-body")
        )
        beside = own["x"] + own["width"] <= servers["x"]
        assert beside or servers["y"] + servers["height"] <= own["y"], width
        page.evaluate("document.querySelectorAll('.toast-close').forEach((one) => one.click())")
        page.locator(".toast-body").first.wait_for(state="detached")
    page.set_viewport_size({"width": 1440, "height": 950})


def test_what_the_server_says_is_seen_over_an_open_dialog(desk: Studio, tmp_path: Path) -> None:
    page = desk.page
    wrong = tmp_path / "wrong-behind.json"
    wrong.write_text('{"tune": 1}')
    desk.use(["a cat face", "a dog face"])
    page.get_by_role("button", name="Masks", exact=True).click()
    painter = page.get_by_role("dialog", name="Where the rows act")
    expect(painter).to_be_visible()
    desk.load(wrong)
    toast = page.locator(".toast-body")
    expect(toast).to_be_visible()
    on_top = """(one) => {
        const { x, y, width, height } = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }"""
    assert toast.evaluate(on_top)
    page.keyboard.press("Escape")
    expect(painter).to_have_count(0)
    assert toast.evaluate(on_top)
    page.locator(".toast-close").click()
    expect(toast).to_have_count(0)
