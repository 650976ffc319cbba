"""What a person reads on Gradio's own page of the API: parameters under their own names."""

from __future__ import annotations

import re

import pytest

from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser


def test_every_parameter_is_named(studio: Studio) -> None:
    page = studio.open().page
    page.get_by_role("button", name="Use via API").click()
    page.get_by_text("/generate_preset").first.wait_for()
    text = page.locator(".api-docs").inner_text()
    for name in ("rows", "omega", "steps", "preset", "image", "text", "limit"):
        assert re.search(rf"^\s*{name}=", text, re.MULTILINE), name
    assert not re.search(r"\bparam_\d", text)
