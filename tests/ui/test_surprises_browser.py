"""What must not surprise: what scrolls, waits, is reloaded, cancelled, mistyped, missing or unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from studio.preset import validate
from studio.share import encode_link, read_image
from tests.support.studio_page import Studio, needs_starter

pytestmark = pytest.mark.browser
BAR = "#gs-progress .gs-progress"


@pytest.fixture
def another(browser: Any, address: str) -> Iterator[Callable[[], Studio]]:
    """Further visitors, each with a browser of their own."""
    contexts = []

    def come() -> Studio:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 950}))
        contexts[-1].set_default_timeout(60000)
        return Studio(contexts[-1].new_page(), address)

    yield come
    for context in contexts:
        context.close()


def box(studio: Studio, selector: str) -> dict[str, float]:
    found = studio.page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return found


def says(studio: Studio, text: str, where: str = BAR) -> None:
    studio.page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.innerText.includes(text)",
        arg=[where, text],
        polling=100,  # a page behind another one may draw no frames
    )


# -- what scrolls -------------------------------------------------------------------------------
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_generate_and_the_picture_stay_in_sight_on_twelve_rows(studio: Studio, theme: str) -> None:
    studio.open(f"?__theme={theme}").use([f"a star {i}" for i in range(12)])
    studio.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    studio.page.wait_for_timeout(200)
    for selector in ("#gs-generate", "#gs-tabs [role=tab]", ".gs-stage"):
        seen = box(studio, selector)
        assert seen["y"] >= 0 and seen["y"] + seen["height"] <= 950, selector
    dock, tabs = box(studio, "#gs-dock"), box(studio, "#gs-tabs [role=tab]")
    assert tabs["y"] >= dock["y"] + dock["height"] - 1


def test_at_twice_the_size_the_bar_takes_less_than_a_quarter(studio: Studio) -> None:
    studio.page.set_viewport_size({"width": 720, "height": 450})
    studio.open().use(["a star"] * 4)
    dock = box(studio, "#gs-dock")
    assert dock["height"] < 450 / 4 and dock["y"] + dock["height"] <= 451
    cancel = box(studio, "#gs-cancel")
    assert cancel["x"] + cancel["width"] <= 720
    assert studio.page.evaluate("document.documentElement.scrollWidth") <= 720
    assert box(studio, ".gs-stage")["height"] + dock["height"] <= 450


# -- notes --------------------------------------------------------------------------------------
def test_every_note_is_shown_until_the_list_is_closed(studio: Studio, tmp_path: Path) -> None:
    text = (
        "a cat <lora:absent:0.8>\nNegative prompt: blurry\nSteps: 20, Sampler: Whatever 3000, "
        "CFG scale: 7, Seed: 5, Size: 999x513, Model: nothing-here, Denoising strength: 0.5, "
        "Clip skip: 2, Hires upscale: 2, Hires upscaler: Latent, ENSD: 31337"
    )
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", text)
    picture = tmp_path / "theirs.png"
    Image.new("RGB", (64, 64)).save(picture, pnginfo=info)
    notes = read_image(picture)[1]
    assert len(notes) > 3
    studio.open().load(picture)
    shown = studio.page.locator(".gs-notices li")
    shown.nth(3).wait_for()
    assert shown.count() >= 4
    assert "absent" in studio.page.locator(".gs-notices").inner_text()
    studio.page.get_by_role("button", name="Close the notes").click()
    assert studio.page.locator(".gs-notices").count() == 0


# -- the queue ----------------------------------------------------------------------------------
@needs_starter
def test_the_second_visitor_sees_place_and_a_reload_finds_the_run(
    studio: Studio, another: Callable[[], Studio], hold: Callable[..., None]
) -> None:
    hold("a cat face")
    studio.open().use(["a cat face"])
    second = another().open()
    second.use(["a dog face"])
    studio.page.click("#gs-generate")
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')
    second.page.click("#gs-generate")
    says(second, "In the queue: 1 before this one")
    studio.page.click("#gs-generate")  # one more of the same is no press lost
    says(studio, "1 more of yours waits")
    studio.page.reload()
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')  # it went on meanwhile
    says(studio, "Step")
    studio.page.keyboard.press("Escape")  # the one that runs
    second.page.wait_for_selector(f'{BAR}[data-state="done"]')
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')
    studio.page.keyboard.press("Escape")
    studio.page.wait_for_selector(f'{BAR}[data-state="idle"]')
    second.page.reload()
    second.page.wait_for_selector('.gs-stage[data-state="done"] img')  # results are kept too
    assert second.page.locator(".gs-moment").count() >= 1


@needs_starter
def test_after_cancel_what_did_not_finish_is_marked_and_kept_only_if_asked(
    studio: Studio, home: Path, hold: Callable[..., None]
) -> None:
    def made() -> int:
        return len(list((home / "outputs").rglob("*.png")))

    hold("a cat face", images=8)
    studio.open().use(["a cat face"])
    studio.set("Images", "10")  # eight at once, then two
    before = made()
    studio.page.click("#gs-generate")
    studio.page.wait_for_function(
        "document.querySelectorAll('.gs-stage[data-state=\"running\"] figure').length === 10"
    )
    studio.page.keyboard.press("Escape")
    says(studio, "Cancelled · 8 of 10 finished")
    unfinished = studio.page.locator(".gs-unfinished")
    unfinished.nth(1).wait_for()
    assert unfinished.count() == 2 and studio.page.locator(".gs-stage figure").count() == 10
    assert "unfinished, step" in unfinished.first.inner_text()
    assert made() == before + 8
    unfinished.first.get_by_role("button", name="Keep").click()
    studio.page.wait_for_function("document.querySelector('.gs-moment [title*=unfinished]')")
    assert made() == before + 9


# -- what is kept -------------------------------------------------------------------------------
def test_edits_of_a_linked_preset_survive_a_reload(studio: Studio) -> None:
    code, _ = encode_link(validate({"name": "Linked", "rows": [{"prompt": "a linked cat"}]}))
    studio.open(f"?p={code}")
    assert studio.prompt(0).input_value() == "a linked cat"
    studio.prompt(0).fill("an edited cat")
    studio.page.wait_for_selector(".gs-edited")  # the name stands for something else now
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'an edited cat'")
    other = encode_link(validate({"rows": [{"prompt": "another link"}]}))[0]
    studio.open(f"?p={other}")
    assert studio.prompt(0).input_value() == "another link"


def test_two_tabs_do_not_share_one_form(studio: Studio) -> None:
    studio.open().use(["first tab"])
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.use(["second tab"])
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'first tab'")
    beside.page.reload()
    beside.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'second tab'")
    assert not beside.errors


def test_what_is_half_typed_survives_a_reload(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.set("Steps", "5000")
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a cat'")
    studio.page.wait_for_function(
        "document.querySelector('#gs-field-steps .gs-number').value === '5000'"
    )
    assert studio.page.locator("#gs-field-steps .gs-error:not([hidden])").first.is_visible()


# -- numbers ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("label", "typed", "error", "field"),
    [
        ("Width", "99999", "from 16 to 4096", "sampler.width"),
        ("Seed (−1: new each time)", "-5", "a whole number from −1", "sampler.seed"),
        ("Steps", "500", "from 1 to 200", "sampler.steps"),
        ("Images", "2,5", "a whole number", "sampler.count"),
        ("Weight", "1e9", "from −1000 to 1000", "rows.0.weight"),
        ("Weight", "abc", "is no number", "rows.0.weight"),
    ],
)
def test_numbers_out_of_range_are_red_at_the_field_and_stop_the_plan(
    studio: Studio, label: str, typed: str, error: str, field: str
) -> None:
    failures = []
    studio.page.on(
        "response", lambda answer: failures.append(answer.url) if answer.status >= 500 else None
    )
    studio.open().use(["a cat"])
    shown = studio.page.get_by_label(label, exact=True).first
    shown.press_sequentially("")
    shown.fill("")
    for letter in typed:
        shown.press_sequentially(letter)
    says(studio, error, ".gs-error:not([hidden])")
    says(studio, field, ".gs-plan-bad")
    shown.blur()
    assert shown.input_value().replace("1000000000", "1e9") == typed.replace("2,5", "2.5")
    studio.page.click("#gs-generate")
    says(studio, field)
    assert not failures


def test_a_decimal_comma_is_a_decimal_point(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.weigh(0, "5,5")  # type: ignore[arg-type]
    assert studio.rows()[0]["weight"] == 5.5
    says(studio, "5.5·", "#gs-plan")


# -- models -------------------------------------------------------------------------------------
def test_every_missing_model_is_named_at_once_with_what_to_do(
    studio: Studio, tmp_path: Path
) -> None:
    preset = {
        "name": "Absent",
        "rows": [
            {"prompt": "a", "model": {"lora": "someone/absent-lora", "strength": 1.0}},
            {"prompt": "b", "model": "no-such-concept"},
        ],
    }
    file = tmp_path / "absent.json"
    file.write_text(json.dumps(preset))
    studio.open().load(file)
    lines = studio.page.locator(".gs-missing li")
    lines.nth(1).wait_for()
    assert [lines.nth(i).locator("code").inner_text() for i in range(2)] == [
        "someone/absent-lora",
        "no-such-concept",
    ]
    assert lines.nth(0).get_by_role("button", name="Download").count() == 1
    assert lines.nth(1).get_by_role("button", name="Download").count() == 0  # no name of the hub
    lines.nth(1).get_by_role("button", name="Choose another").click()
    assert (
        studio.page.evaluate("document.activeElement.getAttribute('aria-label')")
        == "Model of this row"
    )
    lines.nth(0).get_by_role("button", name="Download").click()
    studio.page.wait_for_function(
        "document.querySelector('#gs-fetch-name textarea, #gs-fetch-name input')?.value === 'someone/absent-lora'"
    )
    says(studio, "HF_HUB_OFFLINE", "#gs-fetch-status")


# -- words and rows -----------------------------------------------------------------------------
@needs_starter
def test_unknown_words_are_underlined_with_the_nearest_ones_to_click(studio: Studio) -> None:
    studio.open().use(["a cat astronaut on the moon"])
    card = studio.card(0)
    assert card.locator(".gs-marks u").all_inner_texts() == ["cat"]
    card.get_by_role("button", name="Write cat face for cat").click()
    assert studio.rows()[0]["prompt"] == "a cat face astronaut on the moon"
    assert card.locator(".gs-unknown p").count() == 0
    assert "7 of 30 tokens" in card.locator(".gs-tokens").inner_text()
    card.get_by_role("button", name="Known words").click()
    card.get_by_text("Styles (4)").click()
    card.get_by_role("button", name="in flat style").click()
    assert studio.rows()[0]["prompt"].endswith("on the moon in flat style")


def test_a_negative_prompt_makes_its_pair(studio: Studio) -> None:
    studio.open().use(["a cat face"])
    studio.weigh(0, 7.5)
    studio.press(0, "More: adapters")
    studio.card(0).get_by_label("Reference of this row").select_option("pair")
    studio.page.keyboard.type("in tweet style")
    rows = [(row["prompt"], row["weight"], row["reference"]) for row in studio.rows()]
    assert rows == [
        ("a cat face", 7.5, "unconditional"),
        ("in tweet style", -6.5, "unconditional"),
    ]
    says(studio, "2 passes per step", "#gs-plan")


def test_a_new_row_begins_at_one_beside_others(studio: Studio) -> None:
    studio.open().use(["a cat", "a dog"])
    assert [row["weight"] for row in studio.rows()] == [5, 1]


def test_fields_that_change_nothing_say_so(studio: Studio) -> None:
    studio.open().use(["a cat"])
    says(studio, "no row that takes part", "#gs-field-omega")
    says(studio, "no prompt has parts", "#gs-field-decoupling")
    studio.prompt(0).fill("a cat AND in flat style")
    studio.page.wait_for_selector("#gs-field-decoupling :not(.gs-dim) .gs-idle", state="hidden")


def test_a_dropped_picture_asks_what_it_is_for(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.page.evaluate(
        """async () => {
            const canvas = document.createElement("canvas");
            const data = await new Promise((done) => canvas.toBlob(done));
            const carried = new DataTransfer();
            carried.items.add(new File([data], "pasted.png", { type: "image/png" }));
            const event = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true });
            document.body.dispatchEvent(event);
        }"""
    )
    asked = studio.page.locator("dialog.gs-uses")
    asked.get_by_role("button", name="Start from it").click()
    studio.page.wait_for_function("window.studio?.start?.init?.image.startsWith('inputs/')")


def test_esc_does_nothing_while_nothing_runs(studio: Studio) -> None:
    studio.open().use(["a cat"])
    before = studio.page.inner_text(BAR)
    studio.page.keyboard.press("Escape")
    studio.page.wait_for_timeout(700)
    assert studio.page.inner_text(BAR) == before


@needs_starter
def test_the_strip_is_one_stop_of_the_tab_key(studio: Studio) -> None:
    studio.open().use(["a cat face"], steps=1)
    for _ in range(2):
        studio.generate()
    stops = "[...document.querySelectorAll('.gs-strip .gs-picture')].filter((n) => n.tabIndex === 0).length"
    assert studio.page.evaluate(stops) == 1
    studio.page.locator(".gs-strip .gs-picture").first.focus()
    studio.page.keyboard.press("ArrowRight")
    place = "[...document.querySelectorAll('.gs-moment')].indexOf(document.activeElement.closest('.gs-moment'))"
    assert studio.page.evaluate(place) == 1 and studio.page.evaluate(stops) == 1


@needs_starter
def test_a_model_of_the_library_becomes_a_row(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.tab("Models")
    studio.page.get_by_role("button", name="Use starter/lora-hero in a row").click()
    row = studio.rows()[1]
    assert row["model"] == {"lora": "starter/lora-hero", "strength": 1} and row["weight"] == 1


def test_all_rows_are_muted_and_folded_at_once(studio: Studio) -> None:
    studio.open().use(["a cat", "a dog"])
    studio.page.get_by_role("button", name="Mute all").click()
    assert [row["enabled"] for row in studio.rows()] == [False, False]
    studio.page.get_by_role("button", name="Unmute all").click()
    studio.page.get_by_role("button", name="Collapse").click()
    assert not studio.page.locator(".gs-weight").first.is_visible()
    assert studio.prompt(0).is_visible()
