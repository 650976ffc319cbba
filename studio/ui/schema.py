"""The preset's JSON Schema as the page uses it: one record a field, with bounds and choices.

Whatever the schema gains appears on the page by itself; no control repeats a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from studio.extensions import TABLES
from studio.preset import Preset
from studio.ui import help as words

STRUCTURED = ("rows", "init")  # have editors of their own
META = ("schema_version",)
KINDS = {"number": "number", "integer": "integer", "boolean": "boolean", "string": "text"}
BOUNDS = {
    "minimum": "low",
    "maximum": "high",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
    "maxLength": "longest",
}
Leaf = dict[str, Any]


def preset_schema() -> dict[str, Any]:
    """The JSON Schema of a preset, as the page's scripts get it."""
    return Preset.model_json_schema()


def leaves() -> dict[str, Leaf]:
    """Every field of a preset that is one value, by its name on the page.

    A record holds ``path`` (dotted), ``kind`` (number, integer, boolean, text, choice or json),
    ``default``, bounds (``low``, ``high``, ``above``, ``below``, ``longest``), ``nullable``,
    ``choices`` (pairs of value and title), ``title`` and ``help``.
    """
    schema = preset_schema()
    found: dict[str, Leaf] = {}
    _walk(schema, schema.get("$defs", {}), "", Preset().model_dump(mode="json"), found)
    return found


def _walk(
    schema: Mapping[str, Any],
    defs: Mapping[str, Any],
    prefix: str,
    defaults: Any,
    found: dict[str, Leaf],
) -> None:
    for key, given in schema["properties"].items():
        path = f"{prefix}{key}"
        if path in META:
            continue
        if path in STRUCTURED:
            found[path] = {"name": path, "path": path, "kind": "structured", "title": path}
            continue
        shape, nullable = _shape(given, defs)
        if shape.get("type") == "object" and "properties" in shape and not nullable:
            _walk(shape, defs, f"{path}.", defaults[key], found)
            continue
        name = name_of(path)
        found[name] = _leaf(name, path, {**shape, **_own(given)}, nullable, defaults[key])


def name_of(path: str) -> str:
    """A field's name on the page and in the API: ``sampler.steps`` is ``steps``."""
    return path.removeprefix("sampler.").replace(".", "_")


def _own(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("title", "description") if key in given}


def _shape(given: Mapping[str, Any], defs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """What a property is once references are followed, and whether it may be null."""
    if "$ref" in given:
        return dict(defs[given["$ref"].rsplit("/", 1)[-1]]), False
    parts = given.get("anyOf")
    if not parts:
        return dict(given), False
    real = [part for part in parts if part.get("type") != "null"]
    nullable = len(real) < len(parts)
    if len(real) == 1:
        return _shape(real[0], defs)[0], nullable
    return {}, nullable


def _leaf(name: str, path: str, shape: dict[str, Any], nullable: bool, default: Any) -> Leaf:
    choices = _choices(name, shape)
    kind = "choice" if choices else KINDS.get(str(shape.get("type")), "json")
    leaf: Leaf = {
        "name": name,
        "path": path,
        "kind": kind,
        "default": default,
        "nullable": nullable,
        "title": words.LABELS.get(name) or shape.get("title") or name.replace("_", " "),
        "help": words.FIELDS.get(name) or " ".join(str(shape.get("description", "")).split()),
    }
    leaf |= {ours: shape[theirs] for theirs, ours in BOUNDS.items() if theirs in shape}
    if choices:
        leaf["choices"] = choices
    return leaf


def _choices(name: str, shape: Mapping[str, Any]) -> list[list[str]]:
    """Values and titles of a field with a list: the schema's, else the table of that name."""
    table = TABLES.get(name, {})
    values = shape.get("enum") or (list(table) if shape.get("type") == "string" else [])
    titled = ((value, getattr(table.get(value), "title", "")) for value in values)
    return [[value, title or words.TITLES.get(value, value)] for value, title in titled]


@lru_cache(maxsize=1)
def row_schema() -> dict[str, Any]:
    """What the row editor's scripts need: the schema of a row, and the parts it refers to."""
    schema = preset_schema()
    return {"row": schema["$defs"]["Row"], "init": schema["$defs"]["Init"], "defs": schema["$defs"]}
