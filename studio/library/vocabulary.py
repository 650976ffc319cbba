"""What a base says that it knows, and how much text it reads: for the prompts of the row editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.files import read_regular
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES, family_of

FILE = "vocabulary.json"
MOST_BYTES = 2**20
UNTOLD = 10**6  # tokenizers without a limit name an enormous one


def of(entry: ModelEntry) -> dict[str, Any] | None:
    """The vocabulary beside a base: groups of phrases, other words for them, words between, near ones.

    ``None`` where there is none that can be read; then nothing is underlined.
    """
    found = _json(Path(entry.path) / FILE) if entry.path else None
    groups = found.get("groups") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(groups, list):
        return None
    kept = [
        {"title": str(group.get("title", "")), "phrases": _texts(group.get("phrases"))}
        for group in groups
        if isinstance(group, dict)
    ]
    near = found.get("near")
    pairs = near.items() if isinstance(near, dict) else ()
    also = found.get("also")
    others = also.items() if isinstance(also, dict) else ()
    return {
        "groups": kept,
        "phrases": [phrase for group in kept for phrase in group["phrases"]],
        "also": {str(word): name for word, name in others if isinstance(name, str)},
        "words": _texts(found.get("words")),
        "quiet": _texts(found.get("quiet")),
        "near": {str(word): _texts(phrases) for word, phrases in pairs},
        "alone": _alone(found.get("alone")),
    }


def _alone(given: Any) -> dict[str, list[str]] | None:
    """Of which groups a picture has one phrase, or two that ``joined`` ones stand between."""
    if not isinstance(given, dict):
        return None
    return {name: _texts(given.get(name)) for name in ("groups", "joined")}


def tokens(entry: ModelEntry) -> int:
    """The most tokens of text that one window of a base's encoder reads: its own, or its family's."""
    folder = Path(entry.path) if entry.path else None
    config = _json(folder / "tokenizer" / "tokenizer_config.json") if folder else None
    longest = config.get("model_max_length") if isinstance(config, dict) else None
    if not isinstance(longest, int | float) or not 2 < longest < UNTOLD:
        return family_of(entry.family).window if entry.family in FAMILIES else 0
    return int(longest) - 2  # a beginning and an end


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _json(path: Path) -> Any:
    try:
        return json.loads(read_regular(path, MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
