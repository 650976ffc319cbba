"""What a picture of the page is good for next: its seed, a start, a control image, by press or drag."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.other_tools import png
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CAT = REPOSITORY / "assets" / "examples" / "cat.png"
SEED = "Seed (−1: new each time)"


@pytest.fixture
def made(desk: Studio) -> Studio:
    """A picture of seed 41 on the stage and first in the strip, below a form of seed 7."""
    desk.use(["a cat face"], steps=1)
    desk.set(SEED, "41")
    desk.tab("Result")
    desk.generate()
    desk.set(SEED, "7")
    return desk


def test_a_result_gives_its_seed_and_is_a_start_or_a_control_image(made: Studio) -> None:
    page = made.page

    def use(label: str) -> None:
        page.locator(".gs-stage").get_by_role("button", name="Use this picture").first.click()
        page.locator("dialog.gs-uses").get_by_role("button", name=label, exact=True).click()

    use("Reuse its seed")
    page.wait_for_function(
        "document.querySelector('#gs-field-seed .gs-number')?.value === '41'", polling=100
    )
    use("Control image of row 1: a cat face")
    page.wait_for_function(
        "studio.stack.cards[0]?.row.control?.image.startsWith('inputs/')", polling=100
    )
    made.press(0, "Remove control image")
    page.evaluate(  # as where the library has an IP-Adapter for this base
        """() => {
            studio.stack.models.all.push({ id: "face-reader", kind: "ip-adapter", title: "Face reader" });
            studio.stack.cards.forEach((card) => card.refresh());
        }"""
    )
    use("Image prompt of row 1: a cat face")
    page.wait_for_function(
        "studio.stack.cards[0]?.row.image_prompt?.image.startsWith('inputs/')", polling=100
    )
    assert made.rows()[0]["image_prompt"]["model"] == "face-reader"
    made.press(0, "More: adapters")
    made.press(0, "Remove the image prompt")
    page.evaluate("void studio.stack.models.all.pop()")
    use("Start from it")
    page.wait_for_function("studio.start?.init?.image.startsWith('inputs/')", polling=100)
    use("Paint parts of it anew")
    page.locator("dialog.gs-painter:not(.gs-uses) canvas").first.wait_for()
    page.keyboard.press("Escape")
    head = page.get_by_role("button", name=re.compile("Advanced.*Start from a picture"))
    expect(head).to_be_visible()
    page.get_by_role("button", name="Start from noise").click()
    page.wait_for_function("studio.start?.init === null", polling=100)
    expect(head).to_have_count(0)


def test_a_result_is_a_start_with_all_that_it_was_made_with(made: Studio) -> None:
    page = made.page
    made.set("Steps", "2")  # of which a start runs one at least
    made.set(SEED, "41")
    made.generate()
    made.use(["a fox"], steps=3)
    made.set(SEED, "7")
    page.locator(".gs-stage").get_by_role("button", name="Use this picture").first.click()
    page.locator("dialog.gs-uses").get_by_role("button", name="Start from it, with its").click()
    page.get_by_role("button", name=re.compile("Advanced.*Start from a picture")).wait_for()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a cat face'", polling=100)
    expect(page.locator("#gs-field-seed .gs-number")).to_have_value("41")
    expect(page.locator(".gs-side input").first).to_have_value("256")
    page.get_by_role("button", name="Start from noise").click()


def test_a_picture_of_the_strip_is_dragged_onto_a_row(made: Studio) -> None:
    page = made.page
    first = page.locator(".gs-strip .gs-picture").first
    first.scroll_into_view_if_needed()
    first.drag_to(made.card(0))
    page.wait_for_function(
        "studio.stack.cards[0]?.row.control?.image.startsWith('inputs/')", polling=100
    )
    made.press(0, "Remove control image")


def test_a_result_becomes_the_picture_that_a_row_edits(made: Studio) -> None:
    page = made.page
    example = REPOSITORY / "assets" / "examples" / "training" / "hero-1.png"
    first = "studio.stack.cards[0]"
    page.evaluate(f"{first}.more.click()")
    page.locator("input[aria-label='Picture to edit']").first.set_input_files(str(example))
    page.wait_for_function(f"{first}.row.image.startsWith('inputs/')", polling=100)
    before = page.evaluate(f"{first}.row.image")
    page.get_by_role("button", name="Use this picture").click()
    uses = page.locator("dialog.gs-uses")
    uses.get_by_role("button", name="Picture to edit of row 1").click()
    page.wait_for_function(
        f"(before) => {first}.row.image.startsWith('inputs/') && {first}.row.image !== before",
        arg=before,
        polling=100,
    )
    made.press(0, "Remove the picture to edit")


def test_the_native_size_is_the_size_that_comes(made: Studio) -> None:
    picture = made.page.locator(".gs-stage img").first
    width, height = picture.evaluate(
        "(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
    )
    for index, length in enumerate((width, height)):
        side = made.page.locator(".gs-side input").nth(index)
        expect(side).to_have_attribute("placeholder", f"{length} (native)")


def test_an_own_preset_has_the_last_picture(made: Studio, home: Path) -> None:
    page = made.page
    page.get_by_label("Preset", exact=True).fill("Gnu of mine")
    made.tab("Presets")
    page.click("#gs-save")
    own = page.locator(".gs-own").filter(has_text="Gnu of mine")
    own.locator("img").wait_for()
    page.once("dialog", lambda dialog: dialog.accept())
    own.get_by_role("button", name="Delete Gnu of mine").click()
    own.wait_for(state="detached")
    assert not list((home / "presets").glob("gnu*"))
    made.tab("Result")


def test_a_dropped_picture_asks_what_it_is_for(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.page.evaluate(
        """async () => {
            const canvas = document.createElement("canvas");
            const data = await new Promise((done) => canvas.toBlob(done));
            const carried = new DataTransfer();
            carried.items.add(new File([data], "pasted.png", { type: "image/png" }));
            const event = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true });
            document.body.dispatchEvent(event);
        }"""
    )
    asked = desk.page.locator("dialog.gs-uses")
    for label in ("Open the preset it carries", "Variations of it …", "Reuse its seed"):
        of_preset = asked.get_by_role("button", name=label)
        expect(of_preset).to_be_disabled()
        expect(of_preset).to_have_attribute("title", re.compile("preset"))
    asked.get_by_role("button", name="Start from it", exact=True).click()
    desk.page.wait_for_function("window.studio?.start?.init?.image.startsWith('inputs/')")
    desk.page.get_by_role("button", name="Start from noise").click()


def test_the_strip_is_one_stop_of_the_tab_key(desk: Studio) -> None:
    desk.use(["a cat face"], steps=1)
    for _ in range(2):
        desk.generate()
    stop = desk.page.locator(
        ".gs-strip .gs-picture[tabindex='0'], .gs-strip .gs-picture:not([tabindex])"
    )
    expect(stop).to_have_count(1)
    desk.page.locator(".gs-strip .gs-picture").first.focus()
    desk.page.keyboard.press("ArrowRight")
    second = desk.page.locator(".gs-strip .gs-moment").nth(1)
    expect(second.locator(":focus")).to_have_count(1)
    expect(stop).to_have_count(1)


def test_a_field_that_no_network_of_the_base_reads_is_hidden(desk: Studio) -> None:
    """And comes back with a base that may read it, of which nothing is known yet."""
    desk.use(["a cat face"])
    desk.unfold("Advanced")
    field, base = desk.page.get_by_text("Distilled guidance"), desk.page.locator("#gs-base input")
    field.wait_for(state="hidden")
    desk.page.get_by_title("Vary Guidance rescale in a sweep").wait_for(state="visible")
    for name, state in (("owner/unknown", "visible"), ("starter", "hidden")):
        base.fill(name)
        base.press("Enter")
        field.wait_for(state=state)


def test_a_damaged_picture_is_refused_by_its_name_before_anything_is_asked(desk: Studio) -> None:
    page = desk.page
    page.evaluate(
        """async () => {
            const file = new File(['no picture'], 'broken.png', { type: 'image/png' });
            await studio.askFile(file);
            window.asked = document.querySelectorAll('dialog').length;
            studio.askUse('What for?', '', () => file);
        }"""
    )
    page.get_by_text("broken.png: ").first.wait_for()
    assert page.evaluate("window.asked") == 0
    # One that is damaged since it was asked about: nothing is painted.
    page.locator("dialog.gs-uses").get_by_role("button", name="Paint parts of it anew").click()
    page.wait_for_function("document.body.innerText.match(/broken.png: /g)?.length > 1")
    assert page.evaluate("studio.start.init") is None
    expect(page.locator("dialog.gs-painter:not(.gs-uses)")).to_have_count(0)


def test_a_picture_in_words_becomes_a_row_s_prompt(desk: Studio) -> None:
    said = "a cat face in flat style on a white background"
    desk.use(["a dog", "a red car"])
    page = desk.page
    data = base64.b64encode(CAT.read_bytes()).decode()
    page.evaluate(
        """async (data) => {
            const answer = await fetch(`data:image/png;base64,${data}`);
            await studio.askFiles([new File([await answer.blob()], "cat.png", { type: "image/png" })]);
        }""",
        data,
    )
    page.locator("dialog.gs-uses").get_by_role("button", name="Say it in words").click()
    words = page.get_by_role("dialog", name="The picture in words")
    expect(words).to_contain_text(said)
    words.get_by_role("button", name="Prompt of row 2: a red car").click()
    expect(words).to_have_count(0)
    assert [row["prompt"] for row in desk.rows()] == ["a dog", said]
    page.locator("body").press("Control+z")
    page.wait_for_function("studio.stack.cards[1].row.prompt === 'a red car'")


def test_what_is_written_in_a_picture_is_read_before_it_is_taken_over(
    desk: Studio, tmp_path: Path
) -> None:
    told = "a cat\nNegative prompt: bad\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 64x64"
    desk.use(["a dog"])
    page = desk.page

    def ask(path: Path, use: str) -> None:
        data = base64.b64encode(path.read_bytes()).decode()
        page.evaluate(
            """async (data) => {
                const answer = await fetch(`data:image/png;base64,${data}`);
                await studio.askFiles([new File([await answer.blob()], "them.png", { type: "image/png" })]);
            }""",
            data,
        )
        page.locator("dialog.gs-uses").get_by_role("button", name=use).click()

    ask(png(tmp_path, parameters=told), "Read what is written in it")
    shown = page.get_by_role("dialog", name="What is written in it")
    expect(shown.locator("pre")).to_have_text(told)
    assert [row["prompt"] for row in desk.rows()] == ["a dog"]
    shown.get_by_role("button", name="Open the preset it carries").click()
    desk.has_rows(["a cat", "bad"])


def test_a_picture_that_is_not_painted_on_stays_the_start_and_so_does_one_with_room(
    made: Studio,
) -> None:
    page = made.page

    def use(label: str) -> None:
        page.locator(".gs-stage").get_by_role("button", name="Use this picture").first.click()
        page.locator("dialog.gs-uses").get_by_role("button", name=label, exact=True).click()

    for label in ("Paint parts of it anew", "Paint on it in colours"):
        use(label)
        page.locator("dialog.gs-painter").get_by_role("button", name="Cancel").click()
        stays = page.get_by_text("The picture stays as the one to start from")
        expect(stays).to_be_visible()
        expect(stays).to_be_hidden()
    made.set("Steps", "4")
    use("Paint more around it …")
    page.get_by_role("button", name="Fill the form").click()
    expect(page.get_by_text("The form starts from the picture with its room")).to_be_visible()
