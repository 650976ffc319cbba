"""What is said and left once the server was started anew: of a stopped training, of runs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.page_fixtures import Profile, served
from tests.support.studio_page import Studio, expect, free_port, needs_starter
from tests.ui.train.test_form_browser import bring

pytestmark = [pytest.mark.browser, needs_starter]
BAR = "#gs-train-progress .gs-progress"
STEPS = 4000


@pytest.mark.timeout(600)
def test_runs_are_said_to_be_lost_and_a_stopped_training_is_used_and_goes_on(
    browser: Any, tmp_path: Path
) -> None:
    log, port = tmp_path / "app.log", free_port()
    with closing(Profile.of(browser).context) as profile:
        with served(tmp_path, log, port) as address:
            studio = Studio(profile.new_page(), address).open()
            studio.tab("Train")
            page = studio.page
            bring(page)
            page.locator("#gs-train-name input").fill("mine")
            studio.unfold("Steps, rates, samples")
            for field, value in (("steps", str(STEPS)), ("batch", "1"), ("sample_every", "0")):
                box = page.locator(f"#gs-train-field-{field} .gs-number")
                box.fill(value)
                box.blur()
            page.wait_for_function("localStorage['guidance-studio-training']?.includes('4000')")
            page.click("#gs-train-start")
            studio.says("Step 2", BAR)
            page.wait_for_function("sessionStorage['guidance-studio-trained'] === 'mine'")
            page.click("#gs-train-stop")
            page.wait_for_selector(f'{BAR}[data-state="done"]')
            expect(page.locator(BAR)).to_contain_text(f"of {STEPS}: mine is in the library")
            words = page.locator(BAR).inner_text().split()
            assert words[:3] == ["Stopped", "after", "step"]
            step = int(words[3])
            assert 2 <= step < STEPS
            expect(page.locator("#gs-train-pause")).to_be_disabled()
            expect(page.locator("#gs-train-stop")).to_be_disabled()
            studio.set("Steps", "200")
            studio.set("Images", "16")
            page.click("#gs-generate")
            studio.says("Step")
            page.click("#gs-generate")
            page.wait_for_function("sessionStorage['guidance-studio-unended'] === '2'")
            page.get_by_role("button", name="Vary the weight of this row in a sweep").first.click()
            page.get_by_label("Across: values of weight of row 1").fill("2, 4")
            studio.says("2 pictures", ".gs-sweep-cost")
            page.click(".gs-sweep-start")
            page.wait_for_function("sessionStorage['guidance-studio-sweeping'] === 'running'")
        unheard = "The studio did not answer: what was pressed last was not started"
        page.click("#gs-generate")
        studio.says(unheard, ".gs-around")
        red = page.evaluate(
            """() => {
              const probe = document.createElement("p");
              probe.style.color = "var(--gs-bad)";
              document.body.append(probe);
              return [getComputedStyle(probe).color, probe.remove()][0];
            }"""
        )
        expect(page.locator(".gs-around .gs-error")).to_have_css("color", red)
        page.evaluate("studio.noted('guidance-studio-trained', 'mine')")  # as if in mid-training
        page.goto("about:blank")  # before Gradio loads the page anew by itself
        with served(tmp_path, log, port):
            studio.open()
            lost = "The studio was started anew: what was being made is lost"
            cut = "mine was being trained, and Resume in the Train tab goes on with it"
            studio.says(f"{lost} · 1 more that waited too · {cut}")
            studio.says(unheard, ".gs-around")  # over the reload as well
            studio.tab("Sweep")
            studio.says("The studio was started anew, and the sweep has", ".gs-sweep-status")
            studio.tab("Train")
            studio.says("mine is in the library, and has steps left: Resume goes on with them", BAR)
            page.reload()
            expect(page.locator("#gs-train-name input")).to_have_value("mine")
            train = page.get_by_role("tab", name="Train", exact=True)
            expect(train).to_have_attribute("aria-selected", "true")
            page.click("#gs-train-use")
            page.wait_for_function("studio.stack.cards[0]?.row.model?.lora === 'mine'")
            assert studio.rows()[0]["prompt"] == "a hero man"
            studio.set("Steps", "2")
            studio.set("Images", "1")
            studio.tab("Result")
            studio.generate()
            studio.tab("Train")
            studio.unfold("Steps, rates, samples")
            page.locator("#gs-train-field-steps .gs-number").fill("4001")
            page.wait_for_function("localStorage['guidance-studio-training']?.includes('4001')")
            page.click("#gs-train-resume")
            studio.says("It goes on as it was begun. Other in the form", ".toast-body")
            page.wait_for_function(
                f"(step) => Number(/Step (\\d+) of/.exec(document.querySelector('{BAR}')?.innerText)"
                "?.[1]) > step",
                arg=step,
            )
            page.click("#gs-train-pause")
            studio.says("Paused after step", BAR)
            expect(page.locator("#gs-train-resume")).to_be_enabled()
        assert not studio.outside
