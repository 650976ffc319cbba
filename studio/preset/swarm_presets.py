"""SwarmUI's presets, as it exports them, as entries of styles: texts, LoRAs as tags, and what else each sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from studio.files import read_regular
from studio.preset.styles import TEXTS

_THERE, _HERE = "{value}", "{prompt}"  # where a prompt's own text stands
_SIDES = {"prompt": "prompt", "negativeprompt": "negative_prompt"}
# Of a style's own entry.
_OURS = ("name", "rows", *(key for keys in TEXTS.values() for key in keys))
_READ = (*_SIDES, "loras", "loraweights")


def swarm_entries(path: Path, most: int) -> list[dict[str, Any]]:
    """The entries of an export, each with the other settings of its preset by their names there; none
    for any other file, and for one that cannot be read.

    Args:
        most: bytes that are read.
    """
    if path.suffix.lower() != ".json":
        return []
    try:
        data = json.loads(read_regular(path, most).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(data, dict) or not all(map(_is_preset, data.values())):
        return []
    return [_entry(title, one) for title, one in data.items()]


def _is_preset(given: Any) -> bool:
    return isinstance(given, dict) and isinstance(given.get("param_map"), dict)


def _entry(title: str, preset: Mapping[str, Any]) -> dict[str, Any]:
    settings = preset["param_map"]
    texts = {
        ours: text.replace(_THERE, _HERE) if isinstance(text, str) else text
        for theirs, ours in _SIDES.items()
        if (text := settings.get(theirs)) is not None
    }
    tags = _tags(settings)
    if tags and isinstance(texts.get("prompt", ""), str):
        texts["prompt"] = " ".join(filter(None, [texts.get("prompt", ""), *tags]))
    beside = {"description": preset["description"]} if preset.get("description") else {}
    others = {name: value for name, value in settings.items() if name not in _READ}
    named = {f"{name} (SwarmUI)" if name in _OURS else name: one for name, one in others.items()}
    return {**beside, **named, **texts, "name": title}


def _tags(settings: Mapping[str, Any]) -> list[str]:
    names, weights = (
        [part.strip() for part in str(settings.get(key) or "").split(",")]
        for key in ("loras", "loraweights")
    )
    pairs = zip_longest(names, weights[: len(names)], fillvalue="")
    return [f"<lora:{name}:{weight or 1}>" for name, weight in pairs if name]
