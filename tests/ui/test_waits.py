"""No test asks in one instant what a page, or a thread, may say a moment later: that fails when the
machine is busy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import REPOSITORY

INSTANT = re.compile(
    r"assert .*\.(is_visible|is_hidden|is_enabled|is_disabled|is_checked|count|input_value"
    r"|inner_text|text_content|all_inner_texts|get_attribute)\((\)|\"[a-z-]+\"\))"
)
# A place that is not there yet ends the browser's wait for what it says.
FRAGILE = re.compile(r"querySelector\((?:'[^']*'|\"[^\"]*\")\)\.(?!setAttribute|dispatchEvent)")
BY_THE_CLOCK = re.compile(r"wait_for_timeout\([^)]*\)(?!  # \w)")
IMPATIENT = re.compile(r"from playwright\.sync_api import .*\bexpect\b")  # for five seconds
# A deadline for what has to come.
DEADLINE = re.compile(
    r"(?:(?<!assert )time\.monotonic\(\) \+ |\.(?:wait|join|result|communicate)\((?:timeout=)?"
    r"|\b(?:urlopen|until|Barrier)\(.*(?:timeout|seconds)=|\.monotonic\(\) - \w+ < )(\d[\d_.]*)\b"
)
LEAST = 20.0  # seconds


def lines(files: list[Path]) -> Iterator[tuple[str, str]]:
    """Every line with its place."""
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{file.name}:{number}", line


def test_what_a_page_shows_is_waited_for() -> None:
    assert INSTANT.search('    assert page.locator(".gs-card").count() == 2')
    assert INSTANT.search('assert box.get_attribute("aria-busy") == "true"')
    assert FRAGILE.search("\"document.querySelector('.gs-count').textContent === '1'\"")
    assert not FRAGILE.search("\"document.querySelector('.gs-count')?.textContent === '1'\"")
    assert BY_THE_CLOCK.search("page.wait_for_timeout(500)")
    assert not BY_THE_CLOCK.search("page.wait_for_timeout(500)  # in which it would have come")
    files = sorted(Path(__file__).parent.rglob("test_*browser.py"))
    assert len(files) > 20
    for place, line in lines(files):
        assert not INSTANT.search(line), f"{place} waits for nothing; use expect"
        assert not FRAGILE.search(line), f"{place} ends where the place is not there yet; use ?."
        assert not BY_THE_CLOCK.search(line), f"{place} says not what that time is for"
        assert not IMPATIENT.search(line), f"{place} has no patience; use tests.support's expect"


def test_whoever_waits_is_patient() -> None:
    assert float(DEADLINE.findall("end = time.monotonic() + 10")[0]) < LEAST
    assert float(DEADLINE.findall("assert time.monotonic() - began < 5 and x")[0]) < LEAST
    assert DEADLINE.findall("urlopen(request, timeout=2)") == ["2"]
    files = sorted((REPOSITORY / "tests").rglob("*.py"))
    for place, line in lines(files):
        if place.startswith(("test_waits.py", "test_no_network.py")):  # nothing is to come there
            continue
        if "  # or not" in line or "crew.wait(" in line:  # what has to come is waited for around it
            continue
        for seconds in DEADLINE.findall(line):
            assert float(seconds) >= LEAST, f"{place} waits for {seconds} s only"
