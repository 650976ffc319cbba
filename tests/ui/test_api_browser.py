"""What a person reads on Gradio's own page of the API: parameters under their own names."""

from __future__ import annotations

import re

import pytest

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_the_page_of_the_api_is_found_in_help_and_names_what_there_is(studio: Studio) -> None:
    page = studio.open().page
    studio.tab("Help")
    link = page.get_by_role("link", name="Every endpoint, with examples")
    page.goto(f"{studio.address}/{link.get_attribute('href')}")
    entry = page.locator("details", has_text="/call/v2/generate_preset")
    entry.locator("summary").click()
    expect(entry.locator("td code")).to_have_text("preset")
    expect(page.locator("details", has_text="/call/v2/history").locator("td code")).to_have_text(
        ["text", "limit"]
    )
    expect(page.locator("pre").first).to_contain_text(f'Client("{studio.address}"')
    studio.assert_clean()  # nothing of another host


def test_every_parameter_is_named(studio: Studio) -> None:
    page = studio.open().page
    page.get_by_role("button", name="Use via API").click()
    page.get_by_text("/generate_preset").first.wait_for()
    docs = page.locator(".api-docs")
    for name in ("rows", "omega", "steps", "preset", "image", "text", "limit"):
        expect(docs).to_have_text(re.compile(rf"^\s*{name}=", re.MULTILINE), use_inner_text=True)
    expect(docs).not_to_have_text(re.compile(r"\bparam_\d"), use_inner_text=True)
