"""What stands in the fields of a form of the Models tab, kept by the browser's tab over a reload."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def keep(form: str) -> str:
    """The script that keeps the values of a form's fields."""
    return f"""(...values) => {{
    window.studio.noted("guidance-studio-{form}", JSON.stringify(values));
    return [];
}}"""


def ask(form: str) -> str:
    """The script that answers with what is kept of them."""
    return f"""() => [window.studio.noted("guidance-studio-{form}") || ""]"""


def read(text: str, names: Sequence[str]) -> dict[str, Any]:
    """The fields' values by name; empty where nothing is kept, or another version kept others."""
    try:
        values = json.loads(text or "[]")
    except ValueError:
        return {}
    known = isinstance(values, list) and len(values) == len(names)
    plain = known and all(one is None or isinstance(one, str | int | float) for one in values)
    return dict(zip(names, values, strict=True)) if plain else {}
