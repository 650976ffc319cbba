"""The policy that browsers are given: the page works under it and breaks none of its rules."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_the_page_keeps_to_its_policy(studio: Studio) -> None:
    said: list[str] = []
    studio.page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    studio.open()
    answer = studio.page.request.get(studio.address)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    studio.use(["a rocket"], steps=2)
    studio.generate()
    for tab in studio.page.get_by_role("tab").all():
        if tab.is_visible():
            tab.click()
    studio.page.wait_for_timeout(500)  # in which a rule would have been broken
    assert not [line for line in said if "Content Security" in line or "Refused" in line]
    assert not [line for line in said if line.startswith("error")]


def test_another_page_cannot_show_it_in_a_frame(studio: Studio) -> None:
    studio.page.set_content(f'<iframe src="{studio.address}/"></iframe>')
    studio.page.wait_for_timeout(1500)  # in which it would have come
    frame = studio.page.frames[-1]
    expect(frame.locator(".gs-card")).to_have_count(0)
