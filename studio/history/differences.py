"""What two presets differ in, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from studio.errors import cut, shorten
from studio.preset import Preset

_ABSENT = object()
_EMPTY_REFERENCE = {"": "another prompt"}
_MOST = 120  # characters of a value
_UNSHOWN = ("schema_version",)
# What is said of a row where a field of it is off now, and where it is on; the page's undo says the same.
_PARTS = {"enabled": ("muted", "takes part again"), "solo": ("not solo any more", "solo")}
_PICTURES = ("image", "mask")  # named by their files, whose names nobody gave


def differences(
    first: Preset,
    second: Preset,
    labels: Mapping[str, str] | None = None,
    titles: Mapping[str, Mapping[str, str]] | None = None,
) -> list[str]:
    """Each field that differs, first → second, in the document's order.

    A field of a row is named by the row's number, from 1: ``weight of row 2: 3 → 4``.

    Args:
        labels: what other fields are called, by their dotted path; by default as in the document.
        titles: what values of fields are called, by the same path; of a row's field without the
            row's number.
    """
    one, two = (dict(_flat(p.model_dump(mode="json"))) for p in (first, second))
    # A row that only one of them has is named by what is not as usual in it.
    unusual = [name for p in (first, second) for name, _ in _flat(json.loads(p.to_json()))]
    names = [name for name in {**one, **two} if name in unusual]
    return [
        _difference(
            name, one.get(name, _ABSENT), two.get(name, _ABSENT), labels or {}, titles or {}
        )
        for name in names
        if name[-1] not in _UNSHOWN and one.get(name, _ABSENT) != two.get(name, _ABSENT)
    ]


def _difference(
    name: tuple[str, ...],
    before: Any,
    after: Any,
    labels: Mapping[str, str],
    titles: Mapping[str, Mapping[str, str]],
) -> str:
    if name[0] == "rows" and name[-1] in _PARTS and isinstance(after, bool):
        return f"row {int(name[1]) + 1} {_PARTS[name[-1]][after]}"
    path = ".".join(("rows", *name[2:]) if name[0] == "rows" else name)
    known = _EMPTY_REFERENCE if path == "rows.reference.prompt" else titles.get(path, {})
    return f"{_words(name, labels)}: {_change(name[-1], before, after, known)}"


def _flat(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Leaves of a document by their place; the numbers of a list that holds no objects stay one."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, (*place, str(name)))
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield from _flat(inner, (*place, str(index)))
    else:
        yield place, value


def _change(field: str, before: Any, after: Any, titles: Mapping[str, str]) -> str:
    if field not in _PICTURES:
        both = (before, after), (after, before)
        return " → ".join(_called(value, other, titles) for value, other in both)
    old, new = (bool(value) and value is not _ABSENT for value in (before, after))
    return f"{'a picture' if old else 'none'} → {('another' if old else 'a') + ' picture' if new else 'none'}"


def _called(value: Any, other: Any, titles: Mapping[str, str]) -> str:
    title = titles.get(value) if isinstance(value, str) else None
    return title or _shown(value, other)


def _words(name: tuple[str, ...], labels: Mapping[str, str]) -> str:
    if name[0] == "rows" and len(name) > 2:
        return f"{_row_words(name[2:])} of row {int(name[1]) + 1}"
    plain = " ".join(part for part in name if part not in ("sampler",))
    return labels.get(".".join(name), plain)


def _row_words(place: tuple[str, ...]) -> str:
    if place == ("image_prompt", "image"):
        return "picture of the image prompt"
    if place == ("controls",):
        return "further control images"
    if place[:1] == ("controls",):
        return f"control {int(place[1]) + 2}, {' '.join(place[2:])}".replace("_", " ")
    if place[:2] == ("model", "loras") and len(place) > 2:
        place = ("LoRA", str(int(place[2]) + 1), *place[3:])
    return " ".join(place).replace("_", " ")


def _shown(value: Any, other: Any = None) -> str:
    if value is _ABSENT or value is None or value == "":
        return "none"
    if isinstance(value, str):
        return f"“{_part(_plain(value), _plain(other) if isinstance(other, str) else '')}”"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return cut(", ".join(map(_of_list, value)), _MOST) or "none"
    return f"{value:g}" if isinstance(value, float) else shorten(value, _MOST)


def _plain(text: str) -> str:
    """A text in one line, its line breaks and the like as Python writes them."""
    return repr(text)[1:-1]


def _part(text: str, other: str) -> str:
    """Of a long text what is around the place at which it begins to differ from the other."""
    if len(text) <= _MOST:
        return text
    pairs = enumerate(zip(text, other, strict=False))
    alike = next((place for place, (one, two) in pairs if one != two), min(len(text), len(other)))
    start = max(0, min(alike - _MOST // 3, len(text) - _MOST))
    end = start + _MOST
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


def _of_list(value: Any) -> str:
    """A number of a list, or a point of a curve."""
    return ":".join(map(_of_list, value)) if isinstance(value, list) else _shown(value)
