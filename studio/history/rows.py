"""Pictures as rows of the tables, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

from studio.errors import StudioError
from studio.history.journal import FIELDS
from studio.history.record import Record

MAX_NOTE, MAX_TAGS, MAX_NAME = 10_000, 50, 100
COLUMNS = tuple(f.name for f in fields(Record) if f.name not in ("tags", "models"))
_JSON = ("shares", "scores", "hashes")


def insert(connection: sqlite3.Connection, record: Record, said: Mapping[str, Any]) -> None:
    """Put a picture in, in place of an earlier record of it, with what was said of it."""
    values = [_stored(name, getattr(record, name)) for name in COLUMNS]
    known = connection.execute("SELECT rowid FROM pictures WHERE id = ?", [record.id]).fetchone()
    if known:
        forget(connection, record.id)
    row = connection.execute(
        f"INSERT INTO pictures ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(values))})",
        values,
    ).lastrowid
    connection.executemany(
        "INSERT INTO models (picture, name) VALUES (?, ?)", [(record.id, m) for m in record.models]
    )
    connection.execute(
        "INSERT INTO words (rowid, title, prompts, models, note, tags) VALUES (?, ?, ?, ?, ?, '')",
        [row, record.title, record.prompts, " ".join(record.models), record.note],
    )
    # Another tool's picture may have been taken for one of other models.
    known = {name: one for name, one in said.get("hashes", {}).items() if name in record.models}
    hashes = {"hashes": {**known, **record.hashes}}
    apply(connection, record.id, {"tags": record.tags, **said, **hashes})


def apply(connection: sqlite3.Connection, identity: str, said: Mapping[str, Any]) -> None:
    """Change what is said of a picture; fields that are none are passed over."""
    for name, value in said.items():
        if name == "tags":
            connection.execute("DELETE FROM tags WHERE picture = ?", [identity])
            connection.executemany(
                "INSERT OR IGNORE INTO tags (picture, name) VALUES (?, ?)",
                [(identity, _stored(name, str(tag))) for tag in value],
            )
        elif name in FIELDS and name != "path":
            connection.execute(
                f"UPDATE pictures SET {name} = ? WHERE id = ?", [_stored(name, value), identity]
            )
    if {"note", "tags"} & set(said):
        connection.execute(
            "UPDATE words SET note = p.note, tags = "
            "(SELECT coalesce(group_concat(name, ' '), '') FROM tags WHERE picture = p.id) "
            "FROM pictures AS p WHERE p.id = ? AND words.rowid = p.rowid",
            [identity],
        )


def forget(connection: sqlite3.Connection, identity: str) -> None:
    """Remove a picture from every table."""
    connection.execute(
        "DELETE FROM words WHERE rowid = (SELECT rowid FROM pictures WHERE id = ?)", [identity]
    )
    connection.execute("DELETE FROM pictures WHERE id = ?", [identity])
    for table in ("tags", "models"):
        connection.execute(f"DELETE FROM {table} WHERE picture = ?", [identity])


def _stored(name: str, value: Any) -> Any:
    if name in _JSON:
        return json.dumps(list(value) if name == "shares" else dict(value))
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value


def record_from(row: Sequence[Any]) -> Record:
    """A record from its columns, followed by its tags and models as JSON."""
    values = dict(zip(COLUMNS, row, strict=False))
    values = {name: _sound(name, value) for name, value in values.items()}
    values |= {name: bool(values[name]) for name in ("starred", "lora")}
    values |= {name: parsed(values[name], dict) for name in ("scores", "hashes")}
    lists = (parsed(one, list) for one in (values["shares"], *row[-2:]))
    values["shares"], tags, models = map(tuple, lists)
    return Record(**values, tags=tags, models=models)


# SQLite gives back whatever stands in a column, and a bit of a damaged file may be another one.
_WORDS = {f.name for f in fields(Record) if f.type == "str"} | set(_JSON)
_MAYBE = {f.name for f in fields(Record) if str(f.type).endswith("| None")}


def _sound(name: str, value: Any) -> Any:
    """A column's value, or nothing where it is of another type."""
    if isinstance(value, str if name in _WORDS else int | float):
        return value
    return "" if name in _WORDS else None if name in _MAYBE else 0


def parsed(text: Any, kind: type[Any]) -> Any:
    """A JSON column, or an empty value where it is none."""
    with suppress(ValueError, TypeError, RecursionError):
        value = json.loads(text)
        if isinstance(value, kind):
            return value
    return kind()


def after(tags: Sequence[str], more: Sequence[str]) -> list[str]:
    """A picture's tags with ``more`` of them; what has a minus before it is taken off."""
    off = {one.strip()[1:].strip().lower() for one in more if one.strip()[:1] in ("-", "\u2212")}
    added = [one for one in more if one.strip()[:1] not in ("-", "\u2212")]
    return [one for one in (*tags, *added) if one.strip().lower() not in off]


def checked(name: str, value: Any) -> Any:
    """What a person says of a picture, within its bounds.

    Raises:
        StudioError: the field is none, or too long.
    """
    if name == "starred":
        return bool(value)
    if name == "scores":
        return {str(k): float(v) for k, v in dict(value).items()}
    if name == "tags":
        tags = dict.fromkeys(str(tag).strip() for tag in value)
        kept = [tag for tag in tags if tag]
        if len(kept) > MAX_TAGS or any(len(tag) > MAX_NAME for tag in kept):
            raise StudioError(f"at most {MAX_TAGS} tags of {MAX_NAME} characters", field="tags")
        return kept
    limit = {"note": MAX_NOTE, "board": MAX_NAME}.get(name)
    if limit is None:
        raise StudioError(f"starred, note, tags, board or scores, got {name!r}", field="history")
    if len(str(value)) > limit:
        raise StudioError(f"at most {limit} characters, got {len(str(value))}", field=name)
    return str(value)
