"""Scores on the page: under the picture once it is shown, in the strip's order, off by a switch."""

from __future__ import annotations

import re

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_scores_come_under_the_picture_and_order_the_strip(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face on a red background"], steps=1)
    studio.generate()
    page.wait_for_function(
        "document.querySelector('.gs-stage .gs-scores')?.textContent.includes('clip-t')"
    )
    studio.generate()
    page.wait_for_function(
        "[...document.querySelectorAll('.gs-moment .gs-scores')].filter("
        "(one) => one.textContent.includes('clip-t')).length >= 2"
    )
    page.get_by_label("Order of the pictures").select_option("clip-t")
    read = (
        "[...document.querySelectorAll('.gs-moment .gs-scores')].map((one) => "
        "Number(one.textContent.match(/clip-t (-?[0-9.]+)/)?.[1] ?? -9))"
    )
    page.wait_for_function(
        f"(() => {{ const all = {read}; return all.length >= 2 && all.every("
        "(value, i) => i === 0 || all[i - 1] >= value) })()"
    )
    page.get_by_role("checkbox", name="Scores").uncheck()
    page.wait_for_selector(".gs-stage .gs-scores", state="hidden")
    page.reload()
    page.wait_for_selector(".gs-card")
    page.wait_for_selector(".gs-moment")
    expect(page.get_by_role("checkbox", name="Scores")).not_to_be_checked()
    expect(page.locator(".gs-moment .gs-scores:visible")).to_have_count(0)
    page.get_by_role("checkbox", name="Scores").check()  # kept with the pictures
    page.wait_for_function(f"{read}.filter((value) => value > -9).length >= 2")
    assert not studio.errors


def test_scores_have_the_decimals_of_the_page_s_language(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face on a red background"], steps=1)
    studio.generate()
    scores = page.locator(".gs-stage .gs-scores").first
    expect(scores).to_contain_text(re.compile(r"clip-t -?\d\.\d{3}"))
    studio.speak("de")
    expect(scores).to_contain_text(re.compile(r"clip-t -?\d,\d{3} · judge-attributes \d,\d{3}"))
    studio.speak("en")
    expect(scores).to_contain_text(re.compile(r"clip-t -?\d\.\d{3}"))
