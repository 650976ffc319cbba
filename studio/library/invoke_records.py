"""What InvokeAI's own database says of its models: names, descriptions, words; read, never written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

MAX_RECORDS = 20_000
MAX_TEXT = 1000


def records_of(top: Path) -> tuple[dict[str, dict[str, str]], list[Path]]:
    """Fields of models by their path, and the models that lie outside InvokeAI's own folder.

    Args:
        top: InvokeAI's root. A database that cannot be read says nothing.
    """
    records: dict[str, dict[str, str]] = {}
    elsewhere: list[Path] = []
    models = top / "models"
    for config in _configs(top / "databases/invokeai.db"):
        given = config.get("path")
        if not isinstance(given, str) or not given or "\0" in given:
            continue
        path = models / given
        records[str(path)] = {
            field: text[:MAX_TEXT]
            for field, text in (
                ("title", config.get("name")),
                ("description", config.get("description")),
                ("trigger", _words(config.get("trigger_phrases"))),
            )
            if isinstance(text, str) and text
        }
        if not path.is_relative_to(models):
            elsewhere.append(path)
    return records, elsewhere


def _words(phrases: Any) -> str:
    return ", ".join(str(one) for one in phrases) if isinstance(phrases, list) else ""


def _configs(database: Path) -> list[dict[str, Any]]:
    if not database.is_file():
        return []
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=1.0)
        ) as opened:
            rows = opened.execute("SELECT config FROM models").fetchmany(MAX_RECORDS)
        found = [json.loads(row[0]) for row in rows]
    except (sqlite3.Error, ValueError, TypeError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)]
