"""What is typed, pasted or chosen wrong: it stands as it is, red at its field, and stops the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
ERROR = ".gs-error:not([hidden])"
REFUSED = ".gs-plan-bad"
CAT = REPOSITORY / "assets" / "examples" / "cat.png"


def fine(desk: Studio) -> None:
    desk.page.wait_for_selector("#gs-plan .gs-equation")
    desk.page.wait_for_function(
        "![...document.querySelectorAll('.gs-error')].some((node) => node.offsetParent)"
    )


def test_nothing_that_is_pasted_is_cut(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.prompt(0).fill("cat " * 1100)
    desk.says("4400 characters: at most 4000, take away 400", ERROR)
    desk.says("row 1, prompt: ", REFUSED)
    assert len(desk.rows()[0]["prompt"]) == 4400
    desk.prompt(0).fill("a cat")
    for label, most in (("Preset", 200), ("Description", 2000)):
        box = desk.page.get_by_label(label, exact=True)
        box.fill("x" * (most + 5))
        desk.says(f"at most {most}, take away 5", ERROR)
        expect(box).to_have_value("x" * (most + 5))
        box.fill("fits")
        fine(desk)


def test_a_row_keeps_what_is_wrong_with_its_range_and_curve(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.press(0, "More: adapters")
    card = desk.card(0)
    end = card.get_by_label("End of the range", exact=True)
    end.fill("0.2")
    card.get_by_label("Start of the range", exact=True).fill("0.8")
    assert desk.rows()[0]["range"] == [0.8, 0.2]  # the other end is not pushed away
    desk.says("The start lies after the end.", ERROR)
    desk.says("row 1, range: ", REFUSED)
    end.fill("2")
    desk.says("row 1, end of the range: ", REFUSED)
    desk.press(0, "More: adapters")  # folded, the row says it itself
    desk.says("end of the range: ", ".gs-card-fault")
    desk.press(0, "More: adapters")
    end.fill("0.9")
    fine(desk)
    card.get_by_label("Weight curve of this row").select_option("points")
    points = card.get_by_label("Points of the curve")
    points.fill("0:0, 0.5:2, 0.4:1")
    desk.says("pairs progress:factor", ERROR)
    desk.says("row 1, curve: ", REFUSED)
    points.blur()
    expect(points).to_have_value("0:0, 0.5:2, 0.4:1")
    points.fill("0:0, 0.4:2")
    fine(desk)


@needs_starter
def test_another_model_takes_nothing_away_without_a_word(desk: Studio) -> None:
    desk.use(["a hero"])
    card = desk.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    card.locator(".gs-prompting .gs-thumb img").wait_for()
    model = card.get_by_label("Model of this row")
    model.select_option(label="Faces (null-text concept)")
    desk.says("“a hero” waits until the row has another model", ".gs-note")
    desk.says("takes no control image", ".gs-card-fault")
    assert desk.rows()[0]["control"]["image"].startswith("inputs/")
    desk.press(0, "Remove control image")
    fine(desk)
    model.select_option(label="The hero (LoRA)")
    desk.press(0, "More: adapters")
    card.get_by_label("Add an adapter").select_option(label="Blob style (LoRA)")
    model.select_option(index=0)
    desk.says("has lost: starter/lora-blob × 1", ".gs-toast")


@needs_starter
def test_what_only_the_base_can_refuse_is_red_at_its_field_too(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.set("Width", "130")
    desk.says("must be a multiple of", f"#gs-field-width {ERROR}")
    desk.set("Width", "99999")  # the field's own word takes its place
    desk.says("from 16 to 4096", f"#gs-field-width {ERROR}")
    desk.page.wait_for_function(
        "where => document.querySelectorAll(where).length === 1", arg=f"#gs-field-width {ERROR}"
    )
    desk.set("Width", "")
    fine(desk)


def test_files_that_are_not_taken_are_named(desk: Studio, tmp_path: Path) -> None:
    desk.use(["still here"])
    desk.page.evaluate(
        """async () => {
            const carried = new DataTransfer();
            const canvas = new OffscreenCanvas(8, 8);
            canvas.getContext("2d");
            const picture = await canvas.convertToBlob({ type: "image/png" });
            const file = (name) =>
                name.endsWith("png")
                    ? new File([picture], name, { type: "image/png" })
                    : new File(["x"], name, { type: "text/plain" });
            for (const name of ["one.png", "two.json", "three.txt"]) carried.items.add(file(name));
            const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true });
            document.querySelector("h1").dispatchEvent(event);
        }"""
    )
    desk.says("One file at a time: two.json, three.txt were not taken.", ".gs-toast")
    asked = desk.page.locator("dialog.gs-uses")
    expect(asked).to_contain_text("one.png")
    asked.get_by_role("button", name="Cancel").click()


@pytest.mark.parametrize(
    ("label", "typed", "error", "field"),
    [
        ("Width", "99999", "from 16 to 4096", "Width: "),
        ("Seed (−1: new each time)", "-5", "a whole number from −1", "Seed: "),
        ("Seed (−1: new each time)", "9007199254740993", "9007199254740993: a", "Seed: "),
        ("Steps", "500", "from 1 to 200", "Steps: "),
        ("Images", "2,5", "a whole number", "Images: "),
        ("Images", "99", "from 1 to 64", "Images: "),
        ("Weight", "1e9", "from −1000 to 1000", "row 1, weight: "),
        ("Weight", "abc", "is no number", "row 1, weight: "),
    ],
)
def test_numbers_out_of_range_are_red_at_the_field_and_stop_the_plan(
    desk: Studio, label: str, typed: str, error: str, field: str
) -> None:
    failures = []
    desk.page.on(
        "response", lambda answer: failures.append(answer.url) if answer.status >= 500 else None
    )
    desk.use(["a cat"])
    fine(desk)
    shown = desk.page.get_by_label(label, exact=True).first
    before = shown.input_value()
    shown.fill("")
    for letter in typed:
        shown.press_sequentially(letter)
    desk.says(error, ".gs-error:not([hidden])")
    desk.says(field, ".gs-plan-bad")
    shown.blur()
    expect(shown).to_have_value(typed)
    desk.page.click("#gs-generate")
    desk.says(field)
    assert not failures
    shown.fill(before)
    fine(desk)
    desk.page.wait_for_selector('#gs-progress .gs-progress[data-state="idle"]')  # over as well


def test_no_digit_of_a_number_is_lost(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.weigh(0, 1.23456789012)
    expect(desk.page.locator(".gs-weight").first).to_have_value("1.23456789012")
    assert desk.rows()[0]["weight"] == 1.23456789012


def test_a_decimal_comma_is_a_decimal_point(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.weigh(0, "5,5")  # type: ignore[arg-type]
    assert desk.rows()[0]["weight"] == 5.5
    desk.says("5.5·", "#gs-plan")


@needs_starter
def test_what_a_run_was_refused_for_is_over_once_that_field_is_another(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=3)
    desk.unfold("Advanced")
    desk.unfold("Detail pass")
    finder = page.locator('[data-path="detail.finder"] select')
    finder.select_option("words")
    page.locator('[data-path="detail.words"] input').fill("face")
    page.click("#gs-generate")
    failed = page.locator('#gs-progress .gs-progress[data-state="failed"]')
    expect(failed).to_contain_text("Detail pass, finds: the search by words needs the weights")
    expect(failed).to_contain_text("they are not fetched here; look for faces")
    desk.set("Steps", "4")
    fine(desk)
    expect(failed).to_have_count(1)  # that was another field
    finder.select_option("off")
    expect(failed).to_have_count(0)
    page.reload()
    page.wait_for_selector("body:not([inert]) .gs-card")
    fine(desk)
    expect(failed).to_have_count(0)


def test_the_same_refusal_again_is_shown_and_over_again(desk: Studio) -> None:
    """One before any run, so that no run's name tells it from the first."""
    page = desk.page
    desk.use(["a cat"])
    failed = page.locator('#gs-progress .gs-progress[data-state="failed"]')
    for _ in range(2):
        desk.set("Width", "99999")
        desk.says("from 16 to 4096", f"#gs-field-width {ERROR}")
        page.click("#gs-generate")
        expect(failed).to_contain_text("at most 4096", timeout=15_000)
        desk.set("Width", "")
        fine(desk)
        expect(failed).to_have_count(0)


@needs_starter
def test_what_was_mended_while_the_run_waited_is_over_as_its_bar_comes(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat"], steps=150)
    page.click("#gs-generate")
    page.wait_for_selector('#gs-progress .gs-progress[data-state="running"]')
    desk.set("Width", "130")
    desk.says("must be a multiple of", f"#gs-field-width {ERROR}")
    page.click("#gs-generate")
    page.wait_for_selector('.gs-queue-line [data-do="cancel"]')
    desk.set("Width", "")
    fine(desk)
    desk.says("must be a multiple of", ".gs-toast, .toast-body")
    expect(page.locator('#gs-progress .gs-progress[data-state="idle"]')).to_have_count(1)


def test_half_a_letter_is_marked_and_the_form_survives_a_reload(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat"])
    desk.prompt(0).focus()
    cut = "node => { node.value = 'a fox \\ud83d'; node.dispatchEvent(new Event('input', {bubbles: true})) }"
    desk.prompt(0).evaluate(cut)
    desk.says("Half a letter in the text became \ufffd.", ".gs-toast")
    expect(desk.prompt(0)).to_have_value("a fox \ufffd")
    # As an earlier version kept it, too.
    page.wait_for_function("sessionStorage['guidance-studio-tab'].includes('fox')")
    page.goto("about:blank")
    page.add_init_script(
        "for (const name of Object.keys(sessionStorage)) if (name.endsWith('-tab'))"
        " sessionStorage[name] = sessionStorage[name].replace('\ufffd', '\\\\ud83d')"
    )
    desk.open()
    desk.has_rows(["a fox \ufffd"])
