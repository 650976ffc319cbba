"""The form: which component holds which field of a preset, and the way there and back, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.errors import BadPreset
from studio.preset import Preset, Row, validate
from studio.preset.unfinished import without_mark
from studio.ui.schema import leaves
from studio.ui.space import Limits

Form = dict[str, Any]  # the component of each field, see paths()


def paths() -> dict[str, str]:
    """The dotted path of each field of the form, by its name."""
    return {name: leaf["path"] for name, leaf in leaves().items()}


def to_preset(values: Mapping[str, Any], limits: Limits | None = None) -> Preset:
    """The preset that the form shows; a field that is not given has its default.

    Args:
        limits: of the page, so that a number is refused by the bound that its field states there.

    Raises:
        BadPreset: names the field at fault.
        StudioError: a number that is too large on this page and anywhere.
    """
    data: dict[str, Any] = {}
    for name, path in paths().items():
        if name in values:
            _put(data, path, None if _emptied(name, values[name]) else values[name])
    try:
        return validate(_tidied(data))
    except BadPreset as error:
        given = {path: values.get(name) for name, path in paths().items()}
        if limits is not None and error.field in given:
            limits.check_number(error.field, given[error.field])
        raise


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    data[last] = value


def _tidied(data: dict[str, Any]) -> dict[str, Any]:
    """Empty boxes as what they stand for: no name, a new seed."""
    for name in ("name", "description"):
        if name in data:
            data[name] = data[name] or ""
    sampler = data.get("sampler", {})
    for name in ("seed", "variation_seed"):
        if sampler.get(name, 0) is None:
            sampler[name] = -1
    return data


def _emptied(name: str, value: Any) -> bool:
    """Whether it is the empty box of a field that may be left out: Gradio writes no null."""
    return value == "" and bool(leaves()[name].get("nullable"))


def to_values(preset: Preset) -> dict[str, Any]:
    """What the form's components show for ``preset``, by name; what the form makes is finished."""
    plain = without_mark(preset).model_dump(mode="json")
    values = {name: _at(plain, path) for name, path in paths().items()}
    return values | {"rows": preset.rows, "init": preset.init}


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data[key]
    return data


def kept(text: str | None) -> Any:
    """What a browser kept as JSON, with � for halves of letters, which could not be sent back.

    Raises:
        ValueError: it is no JSON.
    """
    shown = json.dumps(json.loads(text or "null"), ensure_ascii=False)
    return json.loads(shown.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def restored(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser kept of a form, in whatever state: a number half typed is still there.

    Raises:
        BadPreset: it is no form.
    """
    rows, init = saved.get("rows"), saved.get("init")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPreset("holds no rows", field="form")
    known = {name: saved[name] for name in paths() if name in saved}
    blank = Row().model_dump(mode="json")  # a row kept before it had all of its fields
    known["rows"] = [blank | row for row in rows]
    return to_values(Preset()) | known | {"init": init if isinstance(init, dict) else None}


def filled(form: Form, values: Mapping[str, Any]) -> dict[Any, Any]:
    """The update of every component of the form."""
    return {component: values[name] for name, component in form.items()}
