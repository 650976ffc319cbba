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
    "ALTER TABLE pictures ADD COLUMN hashes TEXT NOT NULL DEFAULT '{}'",
    """
    CREATE INDEX pictures_title ON pictures (title, gone, deleted, path);
    CREATE INDEX pictures_board ON pictures (board, gone, deleted);
    CREATE INDEX pictures_size ON pictures (width, height, gone, deleted);
    """,
    # A preset leaves out what is as by default, which was dpm++ when this step was written.
    """
    ALTER TABLE pictures ADD COLUMN scheduler TEXT NOT NULL DEFAULT '';
    UPDATE pictures SET scheduler = coalesce(json_extract(preset, '$.sampler.scheduler'), 'dpm++')
        WHERE json_valid(preset) AND problem = '';
    CREATE INDEX pictures_scheduler ON pictures (scheduler, gone, deleted);
    """,
    # Other tools' pictures were said to be of the default base; what was not made here is read anew.
    "UPDATE pictures SET changed = 0 WHERE forwards IS NULL AND problem = ''",
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


def check_columns(connection: sqlite3.Connection) -> None:
    """Compare a database's tables with new ones.

    Raises:
        sqlite3.DatabaseError: a table or a column of one is missing.
    """
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(fresh)
        wanted = _columns(fresh)
    finally:
        fresh.close()
    missing = wanted - _columns(connection)
    if missing:
        table, column = min(missing)
        raise sqlite3.DatabaseError(f"table {table} has no {column}")


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    sql = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    return set(connection.execute(f"{sql} WHERE m.type = 'table'").fetchall())
