"""No browser test asks in one instant what a page may say a moment later: that fails when it is busy."""

from __future__ import annotations

import re
from pathlib import Path

INSTANT = re.compile(
    r"assert .*\.(is_visible|is_hidden|is_enabled|is_disabled|is_checked|count|input_value"
    r"|inner_text|text_content|all_inner_texts|get_attribute)\((\)|\"[a-z-]+\"\))"
)


def test_what_a_page_shows_is_waited_for() -> None:
    assert INSTANT.search('    assert page.locator(".gs-card").count() == 2')
    assert INSTANT.search('assert box.get_attribute("aria-busy") == "true"')
    files = sorted(Path(__file__).parent.rglob("test_*browser.py"))
    assert len(files) > 20
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert not INSTANT.search(line), f"{file.name}:{number} waits for nothing; use expect"
