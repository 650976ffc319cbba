"""The preset's JSON Schema as the page uses it: one record a field, with bounds and choices.

Whatever the schema gains appears on the page by itself; no control repeats a bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from studio.extensions import TABLES
from studio.preset import Init, Preset, Row
from studio.preset.rows import MODELS, MOST_CONTROLS, control_field
from studio.ui import help as words

STRUCTURED = ("rows", "init")  # have editors of their own
META = ("schema_version",)
ROW_EDITORS = (
    "prompt",
    "model",
    "control",
    "controls",
    "image",
    "image_prompt",
    "weight",
    "enabled",
    "solo",
    "range",
    "curve",
    "mask",
    "reference",
)
INIT_EDITORS = ("image", "mask")
KINDS = {"number": "number", "integer": "integer", "boolean": "boolean", "string": "text"}
BOUNDS = {
    "minimum": "low",
    "maximum": "high",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
    "maxLength": "longest",
}
Leaf = dict[str, Any]
_REMARK = re.compile(r" \([^)]*:[^)]*\)$")  # such as "(−1: new each time)"


def preset_schema() -> Mapping[str, Any]:
    """The JSON Schema of a preset, as the page's scripts get it. One for all until a table changes:
    nobody may change it."""
    return _schema(_version())


def _version() -> int:
    """It grows when a table changes."""
    return max(table.version for table in list(TABLES.values()))  # a thread may add one


@lru_cache(maxsize=2)
def _schema(_: int) -> Mapping[str, Any]:
    return Preset.model_json_schema()


def leaves() -> dict[str, Leaf]:
    """Every field of a preset, by its name on the page.

    A record holds ``path`` (dotted), ``kind`` (number, integer, boolean, text, choice, json, or
    structured for what has an editor of its own), ``default``, bounds (``low``, ``high``,
    ``above``, ``below``, ``longest``), ``nullable``, ``choices`` (lists of value, title and help),
    ``models`` (kinds of the library's models whose id the text is),
    ``title`` and ``help``.
    """
    return _leaves(_version())


@lru_cache(maxsize=2)
def _leaves(_: int) -> dict[str, Leaf]:
    """Made anew only when a table has changed: every keystroke on the page asks for them."""
    return _leaves_of(preset_schema(), Preset().model_dump(mode="json"), STRUCTURED, META)


def leaves_of(model: type[BaseModel]) -> dict[str, Leaf]:
    """The fields of another document, such as the settings of a training."""
    schema = model.model_json_schema()
    defaults = {name: given.get("default") for name, given in schema["properties"].items()}
    return _leaves_of(schema, defaults, (), ())


def row_leaves() -> dict[str, Leaf]:
    """The fields of a row that no editor of the page's own shows."""
    return _leaves_of(_definition("Row"), Row().model_dump(mode="json"), (), ROW_EDITORS)


def init_leaves() -> dict[str, Leaf]:
    """The fields of a picture to start from, besides its images."""
    blank = Init(image="-").model_dump(mode="json")
    return _leaves_of(_definition("Init"), blank, (), INIT_EDITORS)


def start_leaves() -> dict[str, Leaf]:
    """The same as fields of a preset, by their dotted paths."""
    found = {f"init.{name}": leaf for name, leaf in init_leaves().items()}
    return {path: {**leaf, "path": path} for path, leaf in found.items()}


def labels() -> dict[str, str]:
    """What the page calls each field of a preset besides those of its rows, by its dotted path; a
    remark in brackets is left out."""
    return _labels(_version())


@lru_cache(maxsize=2)
def _labels(_: int) -> dict[str, str]:
    plain = {leaf["path"]: _REMARK.sub("", leaf["title"]) for leaf in leaves().values()}
    start = plain["init"]
    inner = _definition("Init")["properties"]
    return plain | {f"init.{name}": f"{start}, {name.replace('_', ' ')}" for name in inner}


def titles() -> dict[str, dict[str, str]]:
    """What the values of each field with a list of them are called, by the field's dotted path; of a
    field of a row by its path without the row's number, ``rows.control.type``."""
    return _titles(_version())


@lru_cache(maxsize=2)
def _titles(_: int) -> dict[str, dict[str, str]]:
    fields = [*leaves().values(), *start_leaves().values()]
    lists = {leaf["path"]: leaf["choices"] for leaf in fields if "choices" in leaf}
    kinds = choices_of("Control", "type")
    lists |= {f"rows.{control_field(at)}.type": kinds for at in range(MOST_CONTROLS)}
    found = {path: {value: title for value, title, _ in of} for path, of in lists.items()}
    return found | {f"rows.{field}": of for field, of in words.ROW_VALUES.items()}


def choices_of(definition: str, field: str) -> list[list[str]]:
    """Value, title and help of everything that a field of a definition such as Control takes."""
    return _choices(_definition(definition)["properties"][field])


def _definition(name: str) -> dict[str, Any]:
    schema = preset_schema()
    return {**schema["$defs"][name], "$defs": schema["$defs"]}


def _leaves_of(
    schema: Mapping[str, Any], defaults: Any, structured: Sequence[str], skipped: Sequence[str]
) -> dict[str, Leaf]:
    found: dict[str, Leaf] = {}
    defs = schema.get("$defs", {})

    def walk(shape: Mapping[str, Any], prefix: str, values: Any) -> None:
        for key, given in shape["properties"].items():
            path = f"{prefix}{key}"
            if path in skipped:
                continue
            if path in structured:
                title = words.LABELS.get(path, path)
                found[path] = {"name": path, "path": path, "kind": "structured", "title": title}
                continue
            inner, nullable = _shape(given, defs)
            if inner.get("type") == "object" and "properties" in inner and not nullable:
                walk(inner, f"{path}.", values[key])
                continue
            name = name_of(path)
            said = given.get("description") or _said_of(key, shape.get("description", ""))
            whole = {**inner, **_own(given), "description": said}
            found[name] = _leaf(name, path, whole, nullable, values[key])

    walk(schema, "", defaults)
    return found


def _said_of(name: str, docstring: str) -> str:
    """What a document's docstring says of one of its fields: the clause that begins with it."""
    text = " ".join(docstring.split())
    match = re.search(rf"``{re.escape(name)}``:\s+(.+?)(?=[.;]\s+``|\.\s|\.?$)", text)
    return match[1].replace("``", "") if match else ""


def name_of(path: str) -> str:
    """A field's name on the page and in the API: ``sampler.steps`` is ``steps``."""
    return path.removeprefix("sampler.").replace(".", "_")


def _own(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("title", "json_schema_extra") if key in given}


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
    listed = [part for part in real if "enum" in part]
    numbers = [part for part in real if part.get("type") == "number"]
    if len(real) == 2 and listed and numbers:  # a name of a table, or a number besides
        return {**numbers[0], **listed[0]}, nullable
    return {}, nullable


def _leaf(name: str, path: str, shape: dict[str, Any], nullable: bool, default: Any) -> Leaf:
    choices = [
        [value, words.VALUES.get(name, {}).get(value, said), what]
        for value, said, what in _choices(shape)
    ]
    kind = "choice" if choices else KINDS.get(str(shape.get("type")), "json")
    auto = path.rsplit(".", 1)[-1].replace("_", " ")
    title = shape.get("title") or auto
    if title == auto.title():  # pydantic's own: a name, not a title
        title = auto.capitalize()
    leaf: Leaf = {
        "name": name,
        "path": path,
        "kind": kind,
        "default": default,
        "nullable": nullable,
        "title": words.LABELS.get(name) or title,
        "help": words.FIELDS.get(name, " ".join(str(shape.get("description", "")).split())),
    }
    leaf |= {ours: shape[theirs] for theirs, ours in BOUNDS.items() if theirs in shape}
    if choices:
        leaf["choices"] = choices
    if MODELS in shape:
        leaf["models"] = list(shape[MODELS])
    return leaf


def _choices(shape: Mapping[str, Any]) -> list[list[str]]:
    """The values of a field with a list, each with the title and help of its table's entry."""
    values = shape.get("enum") or []
    table: Mapping[str, Any] = next(
        (t for t in TABLES.values() if values and set(t) == set(values)), {}
    )

    def said(value: str, what: str) -> str:
        return str(getattr(table.get(value), what, "") or "")

    return [[value, said(value, "title") or value, said(value, "help")] for value in values]


def reach(leaf: Leaf) -> tuple[float, float, float] | None:
    """A slider for a number with near bounds on both sides."""
    low, high = leaf.get("low", leaf.get("above")), leaf.get("high", leaf.get("below"))
    if leaf["kind"] != "number" or low is None or high is None or high - low > 20:
        return None
    return low, high, 0.05 if high - low > 1 else 0.01
