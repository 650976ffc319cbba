"""Many rows at once in a real browser: chosen, moved, muted, copied, deleted."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_rows_are_chosen_and_changed_together(desk: Studio) -> None:
    names = ["one", "two", "three", "four", "five"]
    desk.use(names)
    page = desk.page

    def prompts() -> list[str]:
        return [row["prompt"] for row in desk.rows()]

    page.get_by_role("button", name="Select", exact=True).click()
    bar = page.get_by_role("toolbar", name="Chosen rows")
    expect(bar.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_label("Choose row 3").click()
    page.get_by_label("Choose row 4").click(modifiers=["Shift"])
    expect(bar).to_contain_text("2 of 5 chosen")
    bar.get_by_role("button", name="Move up").click()
    assert prompts() == ["one", "three", "four", "two", "five"]
    for _ in range(3):  # at the end they stay, in their order
        bar.get_by_role("button", name="Move down").click()
    assert prompts() == ["one", "two", "five", "three", "four"]
    bar.get_by_role("button", name="Mute", exact=True).click()
    assert [row["enabled"] for row in desk.rows()] == [True, True, True, False, False]
    bar.get_by_role("button", name="Duplicate").click()
    assert prompts()[-4:] == ["three", "four", "three", "four"]
    bar.get_by_role("button", name="Delete").click()
    assert prompts() == ["one", "two", "five", "three", "four"]
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.get_by_label("Choose row 1")).to_be_hidden()
