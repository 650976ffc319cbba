"""The database's tables, by version. A later version adds a step; none is ever changed."""

from __future__ import annotations

import sqlite3

STEPS = (
    """
    CREATE TABLE pictures (
        rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, made REAL NOT NULL,
        title TEXT NOT NULL, seed INTEGER, width INTEGER NOT NULL, height INTEGER NOT NULL,
        steps INTEGER NOT NULL, base TEXT NOT NULL, prompts TEXT NOT NULL, lora INTEGER NOT NULL,
        preset TEXT NOT NULL, forwards INTEGER, seconds REAL, shares TEXT NOT NULL,
        scores TEXT NOT NULL, parent TEXT NOT NULL, starred INTEGER NOT NULL, note TEXT NOT NULL,
        board TEXT NOT NULL, deleted REAL, problem TEXT NOT NULL, bytes INTEGER NOT NULL,
        changed INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX pictures_made ON pictures (deleted, gone, made DESC);
    CREATE TABLE tags (picture TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (name, picture));
    CREATE INDEX tags_picture ON tags (picture);
    CREATE TABLE models (picture TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (name, picture));
    CREATE INDEX models_picture ON models (picture);
    CREATE VIRTUAL TABLE words USING fts5 (
        title, prompts, models, note, tags, tokenize = "unicode61 remove_diacritics 2",
        prefix = '2 3'
    );
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest version, each step whole or not at all.

    Raises:
        sqlite3.DatabaseError: it is damaged, or of a later version than this studio knows.
    """
    connection.execute("BEGIN IMMEDIATE")  # another process may be about it too
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise sqlite3.DatabaseError(f"a later version of the history: {version}")
        for step in STEPS[version:]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
