"""Changing one field of a preset by its dotted path, as ``--set`` and sweeps do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset, validate
from studio.preset.rows import Row
from studio.preset.sampler import Sampler
from studio.preset.scale import SCALE, with_scale

_SCALES = ("cfg_scale", "cfgscale", "scale", "guidance_scale")  # of other tools


def with_fields(preset: Preset, changes: Iterable[tuple[str, Any]]) -> Preset:
    """``preset`` with each ``(path, value)`` set, such as ``("rows.0.weight", 3)``; ``cfg`` stands for
    the weights of all rows (:func:`studio.preset.scale.with_scale`).

    A value given as text is read as JSON where it is JSON, else taken as it is.

    Raises:
        BadPreset: there is no such field or row, or the value is not valid; names the field.
    """
    data = preset.model_dump(mode="json")
    for path, value in changes:
        if path == SCALE:
            read = _read(value, None) if isinstance(value, str) else value
            data = with_scale(validate(data), read).model_dump(mode="json")
        else:
            _set(data, path, value)
    return validate(data)


def split_assignment(text: str, option: str) -> tuple[str, str]:
    """``FIELD=VALUE`` in two."""
    path, found, value = text.partition("=")
    if not found or not path:
        raise BadPreset(f"expected FIELD=VALUE, got {shorten(text)}", field=option)
    return path, value


def _set(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    holder: Any = data
    for depth, name in enumerate(parents):
        key = _key(holder, name, ".".join(parents[:depth]), path)
        if holder[key] is None:  # what is not given yet is begun; the preset says what it lacks
            holder[key] = _Begun()
        holder = holder[key]
    key = _key(holder, last, ".".join(parents), path)
    holder[key] = _read(value, holder[key]) if isinstance(value, str) else value


class _Begun(dict[str, Any]):
    """An object that the preset did not hold; validation tells its fields."""

    def __missing__(self, key: str) -> None:
        return None


def _key(holder: Any, name: str, where: str, path: str) -> str | int:
    """The key of ``name`` in ``holder``, or an error that says what there is."""
    if isinstance(holder, list):
        if name.isascii() and name.isdigit() and int(name[:9]) < len(holder):
            return int(name)
        raise BadPreset(f"there is no {name!r}; {where} has {len(holder)} entries", field=path)
    if isinstance(holder, dict):
        if name in holder or isinstance(holder, _Begun):
            return name
        known = f"unknown field {name!r}; known are {', '.join(holder)}"
        raise BadPreset(f"{known}{_meant(holder, name)}", field=path)
    raise BadPreset(f"{where} is {shorten(holder)} and has no field {name!r}", field=path)


def exact(text: str) -> int | float:
    """A number of JSON's that is not written as a whole one: 1e3 is one all the same."""
    whole = re.fullmatch(r"(-?\d{1,15})[eE]\+?(\d{1,2})", text)
    return int(whole[1]) * 10 ** int(whole[2]) if whole else float(text)


def _meant(holder: dict[str, Any], name: str) -> str:
    """Where a name that stands alone is a field, for those who write it as other tools do; else ""."""
    if "sampler" not in holder or "rows" not in holder:
        return ""
    if name in Sampler.model_fields:
        return f" · sampler.{name} is one"
    if name in _SCALES:
        return f" · {SCALE} is the scale of all rows"
    if name not in Row.model_fields:
        return ""
    whole = " · in a sweep prompts=SEARCHED,BY,… replaces a text in all" if name == "prompt" else ""
    return f" · rows.0.{name} is the first row's{whole}"


def _read(text: str, current: Any) -> Any:
    """JSON where it is JSON; a number stays text where the field holds text now."""
    try:
        value = json.loads(text, parse_float=exact)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(current, str) and isinstance(value, int | float) else value
