"""Lines of many parts: the first of them, and how many more there are."""

from __future__ import annotations

import pytest

from studio.errors import some_of
from studio.history.archive import TOLD, said_lost
from studio.preset.styles import Style


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, "a"), (2, "a, b"), (3, "a, b and 1 more")]
)
def test_some_of_many_are_named_and_the_rest_counted(count: int, said: str) -> None:
    assert some_of(["a", "b", "c"][:count], 2) == said


def test_what_is_left_out_and_what_is_not_read_say_it_alike() -> None:
    names = [str(number) for number in range(TOLD + 2)]
    assert said_lost(names).endswith(": 0, 1, 2, 3, 4 and 2 more") and said_lost([]) == ""
    style = Style("Ink", unread=tuple(names))
    assert style.said_unread().endswith(": '0', '1', '2', '3', '4', '5' and 1 more")
    assert Style("Ink").said_unread() == ""
