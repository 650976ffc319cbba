"""What another tool wrote, by name: what a reader takes counts as read, and what it leaves is noted."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from studio.errors import cut, shorten
from studio.share.tools.prompts import number

MAX_FIELDS = 400
MAX_ITEMS = 60
MAX_SHOWN = 500  # characters of a note's list
_NOTHING = ("", "none", "null", "false", "off")


class Fields:
    """What a tool wrote, by name. Fields that nobody takes are noted, and so are values that nobody can read.

    Args:
        values: names and values as the tool wrote them.
    """

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._left = {str(key): value for key, value in list(values.items())[:MAX_FIELDS]}
        self._cut = len(values) - len(self._left)
        self._inner: list[tuple[str, Fields]] = []
        self._said: list[str] = []

    def take(self, *names: str) -> Any:
        """The first value of these names; ``None`` for none. Those that say the same count as read."""
        return self._first(names)[1]

    def text(self, *names: str) -> str:
        """The same where it is text; "" for anything else, which stays to be noted."""
        name, value = self._first(names)
        if isinstance(value, str):
            return value
        self._back(name, value)
        return ""

    def number(self, *names: str, plain: float | None = None) -> float | int | None:
        """The same where it is a finite number; what is none, and not nothing, stays to be noted."""
        name, value = self._first(names)
        found = number(value)
        if found is None:
            self._back(name, value)
        return plain if found is None else found

    def among(self, name: str, values: Mapping[str, str]) -> str:
        """What a field says by these words, in small letters; "" for none. Any other is noted."""
        value = self._left.pop(name, None)
        found = values.get(str(value).lower(), "")
        if not found:
            self._back(name, value)
        return found

    def size(self, width: str = "width", height: str = "height") -> tuple[int, int] | None:
        """Two whole edges in pixels; ``None`` where one is missing, and the other is noted."""
        edges = self.number(width), self.number(height)
        wide, high = (int(edge) if edge is not None and edge >= 1 else 0 for edge in edges)
        if wide and high:
            return wide, high
        for name, edge in zip((width, height), edges, strict=True):
            self._back(name, edge)
        return None

    def items(self, name: str) -> list[Fields]:
        """The objects of a list; what is left in each of them is noted as well."""
        value = self._left.pop(name, None)
        if not isinstance(value, list):
            self._back(name, value)
            return []
        found = [Fields(one) for one in value[:MAX_ITEMS] if isinstance(one, Mapping)]
        for one in found:
            self.within(name, one)
        self._back(name, [one for one in value[:MAX_ITEMS] if not isinstance(one, Mapping)])
        if len(value) > MAX_ITEMS:
            self._said.append(f"{name}: only the first {MAX_ITEMS} of {len(value)} are read")
        return found

    def inner(self, name: str) -> Fields:
        """One object, empty where there is none; what is left in it is noted as well."""
        value = self._left.pop(name, None)
        if not isinstance(value, Mapping):
            self._back(name, value)
            return Fields({})
        found = Fields(value)
        self.within(name, found)
        return found

    def within(self, name: str, inner: Fields) -> None:
        """Further fields under a name: what is left in them is noted as well."""
        self._inner.append((name, inner))

    def put(self, name: str, value: object) -> None:
        """A field that is to be noted after all."""
        self._left[name] = value

    def drop(self, *names: str) -> None:
        """Fields that say nothing about how the picture was made (versions, dates, counts)."""
        for name in names:
            self._left.pop(name, None)

    def drop_if(self, name: str, *plain: object) -> None:
        """A field that changes nothing at these values."""
        if name in self._left and any(_same(self._left[name], one) for one in plain):
            del self._left[name]

    def off(self, *names: str) -> None:
        """Switches that are on unless they are switched off, which is noted."""
        for name in names:
            if self._left.pop(name, None) is False:
                self._said.append(f"{name} False is not carried over")

    def clear(self) -> None:
        """All of them, as what was switched off."""
        self._left.clear()
        self._inner.clear()

    def starting(self, start: str) -> dict[str, Any]:
        """The fields whose names start so, taken."""
        names = [name for name in self._left if name.startswith(start)]
        return {name: self._left.pop(name) for name in names}

    def notes(self) -> list[str]:
        """A note for what nobody took; fields of one family (``ADetailer …``) in one note."""
        families: dict[str, list[str]] = {}
        for name, value in self._left.items():
            if not _is_nothing(value):
                shown = f"{name[:60]} {shorten(value)}"
                families.setdefault(name.split(" ")[0].split("_")[0].lower(), []).append(shown)
        notes = [
            f"{cut(', '.join(shown), MAX_SHOWN)} are not carried over"
            if len(shown) > 1
            else f"{shown[0]} is not carried over"
            for shown in families.values()
        ]
        notes += [f"{name[:60]}: {note}" for name, inner in self._inner for note in inner.notes()]
        return notes + self._said + ([f"{self._cut} further fields are not read"] * bool(self._cut))

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        """The first name that has a value; further names keep theirs where it says something else."""
        chosen, value = names[0], None
        for name in names:
            given = self._left.get(name)
            if given is not None and value is None:
                chosen, value = name, given
                del self._left[name]
            elif given is None or given == value:
                self._left.pop(name, None)
        return chosen, value

    def _back(self, name: str, value: object) -> None:
        """What could not be read, unless it stands for nothing."""
        if not _is_nothing(value):
            self._left[name] = value


def _same(value: object, plain: object) -> bool:
    """Equal, up to what a float32 loses; a switch is no number."""
    if isinstance(value, bool) or isinstance(plain, bool):
        return value is plain
    if isinstance(value, int | float) and isinstance(plain, int | float):
        return isclose(value, plain, rel_tol=1e-6)
    return value == plain


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return value is None or value is False or (isinstance(value, list | dict) and not value)
