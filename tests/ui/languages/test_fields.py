"""What a refusal calls the fields of rows and of the start, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.languages import Language
from studio.ui import schema
from studio.ui.errors import on_page
from tests.ui.languages.test_messages import PLACE, shape


def paths_of(part: Mapping[str, Any], defs: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """The dotted paths of the fields of a schema, each list by its first entry."""
    inner = defs[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part
    for one in (*inner.get("anyOf", ()), *inner.get("oneOf", ())):
        yield from paths_of(one, defs, place)
    if "items" in inner:
        yield f"{place}.0"
        yield from paths_of(inner["items"], defs, f"{place}.0")
    for name, field in inner.get("properties", {}).items():
        path = f"{place}.{name}" if place else name
        yield path
        yield from paths_of(field, defs, path)


def test_what_a_refusal_calls_a_field_is_a_message(language: Language) -> None:
    whole = schema.preset_schema()
    every = paths_of(whole, whole["$defs"])
    places = sorted({path for path in every if path.startswith(("rows.0.", "init."))})
    assert {"rows.0.model.loras.0.text_strength", "init.feather", "rows.0.range"} <= set(places)
    called = {on_page(place).partition(", ")[2] for place in places}
    known = dict(language.messages)
    numbered = [one for one in known if all(len(name) == 1 for name in PLACE.findall(one))]
    shapes = [re.compile(shape(one)) for one in numbered]
    assert not {name for name in called if not any(one.fullmatch(name) for one in shapes)}


def test_a_list_of_what_is_allowed_is_a_message_in_what_refuses(language: Language) -> None:
    """As pydantic writes the one: 'a', 'b' or 'c'."""
    known = dict(language.messages)
    assert "must be {the_list}, got {one_other}" in known
    assert " or " not in known["'{name}' or '{other}'"]
