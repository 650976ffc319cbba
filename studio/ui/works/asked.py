"""What a person asks to have made of pictures: the parts that every kind of it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from studio.errors import StudioError, shorten
from studio.preset import Preset


class Labelled(NamedTuple):
    """A run's preset, what sets it apart from the others, and the picture that it is made of: its id
    in the history, "" for one that is not there."""

    preset: Preset
    label: str = ""
    parent: str = ""


class Form:
    """What the page's form holds, read where it is first asked for: what needs none of it is not
    refused for it. ``taken``: whether it was."""

    def __init__(self, read: Callable[[], Preset]) -> None:
        self._read = cache(read)
        self.taken = False

    def __call__(self) -> Preset:
        """The preset.

        Raises:
            StudioError: the form holds something that cannot be.
        """
        found = self._read()
        self.taken = True
        return found


def number(asked: Mapping[str, Any], name: str, field: str = "") -> float:
    """A number that the page sent.

    Args:
        field: what it is of a preset, where that has another name.

    Raises:
        StudioError: it is none; names ``field``.
    """
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudioError(f"expected a number, got {shorten(value)}", field=field or name)
    return value


def given(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The pictures that come in turn, as the page names them."""
    return [one for one in asked.get("images") or () if isinstance(one, dict)]
