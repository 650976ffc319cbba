"""FreeU as other tools write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from studio.preset.freeu import MOST, NAMES
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number

NEUTRAL = 1.0  # a stage's factor that is not written
# Of a stage of the web UI's extension: what changes nothing, which it leaves out.
_PLAIN_STAGE = {
    "backbone_factor": NEUTRAL,
    "skip_factor": NEUTRAL,
    "backbone_offset": 0,
    "backbone_width": 0.5,
    "skip_cutoff": 0,
    "skip_high_end_factor": 1,
}
_SWARM: dict[str, float] = {  # and what it has where they are left out
    "freeublockone": 1.1,
    "freeublocktwo": 1.2,
    "freeuskipone": 0.9,
    "freeuskiptwo": 0.2,
}
_NUMBER = r"\s*([-+.\deE]{1,20})\s*"
_FOUR = re.compile(rf"\({_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\)")
_NAMED = re.compile(rf"b1={_NUMBER}b2={_NUMBER}s1={_NUMBER}s2={_NUMBER}")


def freeu_of(values: Sequence[Any], version: int, notes: list[str]) -> dict[str, Any]:
    """The preset's fields by b1, b2, s1 and s2; none where one of them is no factor of the studio's.

    Args:
        version: the tool's; that it is another way to place or scale is noted.
    """
    read = (number(value) for value in values)
    factors = [float(one) for one in read if one is not None and 0 < one <= MOST]
    if len(factors) != len(NAMES):
        return {}
    notes.append(
        f"freeu.on: version {version} there, by the channels of the levels; version 1 by their order "
        "here, as diffusers has it"
    )
    return {"on": True, **dict(zip(NAMES, factors, strict=True))}


def in_settings(fields: Fields, notes: list[str]) -> dict[str, Any]:
    """Of the web UI's extension, of Forge and of SD.Next; what cannot be carried over stays."""
    return _of_stages(fields, notes) or _of_forge(fields, notes) or _of_text(fields, notes)


def _of_stages(fields: Fields, notes: list[str]) -> dict[str, Any]:
    given = fields.take("FreeU Stages")
    stages = _stages(given)
    if not any(name in stage for stage in stages for name in ("backbone_factor", "skip_factor")):
        if given is not None:
            fields.put("FreeU Stages", given)
        return {}
    first = [{**_PLAIN_STAGE, **stage} for stage in (*stages, {}, {})[:2]]
    values = [stage[name] for name in ("backbone_factor", "skip_factor") for stage in first]
    found = freeu_of(values, _version(fields, "FreeU Version", 1), notes)
    if not found:
        fields.put("FreeU Stages", given)
        return {}
    read = ("backbone_factor", "skip_factor")
    for place, stage in enumerate(stages, 1):
        for name, value in stage.items():
            if value != _PLAIN_STAGE.get(name) and (place > 2 or name not in read):
                fields.put(f"FreeU Stages, {place}, {name[:40]}", value)
    schedule = fields.take("FreeU Schedule")
    if schedule is not None and [number(x) for x in str(schedule).split(",")] != [0, 1, 0]:
        fields.put("FreeU Schedule", schedule)
    return found


def _stages(given: Any) -> list[dict[str, Any]]:
    """The stages, of text too; none where they are no list of objects."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return []
    listed = given if isinstance(given, list) else []
    return listed[:10] if all(isinstance(one, dict) for one in listed) else []


def _version(fields: Fields, name: str, usual: int) -> int:
    """The version that a tool names; one that is not known stays to be noted."""
    given = fields.take(name)
    known = next((one for one in (1, 2) if number(given) == one), None)
    if given is not None and known is None:
        fields.put(name, given)
    return known or usual


def _of_forge(fields: Fields, notes: list[str]) -> dict[str, Any]:
    if not fields.among("freeu_enabled", {"true": "on"}):
        return {}
    given = {f"freeu_{name}": fields.take(f"freeu_{name}") for name in NAMES}
    version = _version(fields, "freeu_version", 2)
    # The studio's own text leaves out what is the base's own, where nobody knows the base.
    stated = {name: value for name, value in given.items() if value is not None}
    filled = [1.0 if value is None else value for value in given.values()]
    found = freeu_of(filled, version, notes)
    if found:
        found = {"on": True} | {name: found[name] for name in NAMES if f"freeu_{name}" in stated}
    if not found:
        _put_back(fields, {"freeu_enabled": "True", **given})
        return {}
    for name, plain in (("freeu_start", 0), ("freeu_end", 1)):
        value = fields.take(name)
        if value is not None and number(value) != plain:
            fields.put(name, value)
    return found


def _of_text(fields: Fields, notes: list[str]) -> dict[str, Any]:
    """SD.Next's text, or Fooocus' four numbers in A1111's grammar."""
    return _matched(fields, "FreeU", _NAMED, 1, notes) or _matched(fields, "FreeU", _FOUR, 2, notes)


def in_tuple(fields: Fields, notes: list[str]) -> dict[str, Any]:
    """Of Fooocus: four numbers in brackets."""
    return _matched(fields, "freeu", _FOUR, 2, notes)


def _matched(
    fields: Fields, name: str, pattern: re.Pattern[str], version: int, notes: list[str]
) -> dict[str, Any]:
    given = fields.take(name)
    text = str(list(given)).replace("[", "(").replace("]", ")") if _is_list(given) else str(given)
    match = pattern.fullmatch(text.strip()[:120])
    found = freeu_of(match.groups(), version, notes) if match else {}
    if not found and given is not None:
        fields.put(name, given)
    return found


def _is_list(given: Any) -> bool:
    return isinstance(given, list | tuple) and len(given) == len(NAMES)


def in_swarm(fields: Fields, notes: list[str]) -> dict[str, Any]:
    """Of SwarmUI, whose switch is to what it applies; what it leaves out has its default."""
    given = {name: fields.take(name) for name in _SWARM}
    on = fields.among("freeuapplyto", {"both": "on", "base": "on"})
    values = [_SWARM[name] if value is None else value for name, value in given.items()]
    found = freeu_of(values, _version(fields, "freeuversion", 1), notes) if on else {}
    if not found:
        _put_back(fields, {"freeuapplyto": "Both", **given} if on else given)
    return found


def _put_back(fields: Fields, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            fields.put(name, value)
