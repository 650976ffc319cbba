"""The history's database: what it holds, what is found in it, what is said of its pictures."""

from __future__ import annotations

import filecmp
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError
from studio.history.bin import Bin
from studio.history.database import Database
from studio.history.journal import Journal
from studio.history.query import Query, names_in_use
from studio.history.record import Record, identity
from studio.history.rows import COLUMNS, after, apply, checked, forget, insert, record_from
from studio.home import studio_home
from studio.outputs import outputs_folder


@dataclass(frozen=True)
class Found:
    """A page of what was found, and how many there are in all."""

    total: int
    records: list[Record]


class History:
    """The history of a home; safe to use from several threads and processes.

    Args:
        home: the person's folder; ``None`` for a history that lives in memory alone.
        outputs: where the pictures lie.
    """

    def __init__(self, home: Path | None, outputs: Path | None = None) -> None:
        self.home, self.outputs = home, outputs or outputs_folder()
        self.journal = Journal(home / "history.jsonl" if home else None)
        self.bin = Bin(home / "bin" if home else None)
        self.database = Database(home)
        self._said = self.journal.read()

    @property
    def notice(self) -> str:
        """What a person should know, such as a database that was damaged; else ""."""
        return self.database.notice

    def close(self) -> None:
        """Let the files go."""
        self.database.close()

    # -- pictures ------------------------------------------------------------------------------
    def add(self, *records: Record) -> None:
        """Take pictures in, or anew where they are known; what was said of them stays.

        Raises:
            StudioError: the database cannot be written.
        """
        with self.database.writing() as connection:
            for record in records:
                said = self._said.get(record.id, {})
                insert(connection, record, {k: v for k, v in said.items() if k != "deleted"})

    def made(self, record: Record) -> None:
        """Take in a picture that was just made, with what its file does not hold.

        Raises:
            StudioError: the database cannot be written.
        """
        extra = {
            name: getattr(record, name)
            for name in ("forwards", "seconds", "scores", "hashes", "parent")
            if getattr(record, name)
        }
        self._say({record.id: {**extra, "path": record.path}} if extra else {})
        self.add(record)

    def known(self) -> dict[str, tuple[int, int]]:
        """Bytes and time of change of every file that is in the history, by path."""
        rows = self.database.read("SELECT path, bytes, changed FROM pictures WHERE NOT gone")
        return {path: (size, changed) for path, size, changed in rows}

    def binned(self) -> list[tuple[str, str, float]]:
        """Ids, paths and times of pictures that were put into the bin and are not known here."""
        known = {one for (one,) in self.database.read("SELECT id FROM pictures")}
        return [
            (one, str(said["path"]), float(said["deleted"]))
            for one, said in self._said.items()
            if one not in known and said.get("deleted") and said.get("path")
        ]

    def paths(self) -> list[tuple[str, str]]:
        """Ids and paths of every picture, those in the bin too."""
        return [(one, path) for one, path in self.database.read("SELECT id, path FROM pictures")]

    def lose(self, paths: Iterable[str]) -> None:
        """Files that are no longer there: their pictures are not shown, what was said stays."""
        with self.database.writing() as connection:
            connection.executemany(
                "UPDATE pictures SET gone = 1 WHERE path = ? AND deleted IS NULL",
                [(path,) for path in paths],
            )

    def holds(self, identity: str) -> bool:
        """Whether it knows a picture, were it in the bin or gone."""
        return bool(self.database.read("SELECT 1 FROM pictures WHERE id = ?", [identity]))

    def knew(self, path: str) -> bool:
        """Whether a picture has or had this path: what was said of it would be said of another there."""
        return (one := identity(path)) in self._said or self.holds(one)

    def get(self, identity: str) -> Record:
        """A picture by its id.

        Raises:
            MissingFile: there is none.
        """
        found = self._records("id = ?", [identity], "rowid", 1, 0)
        if not found:
            raise MissingFile("this picture is not in the history any more", field="history")
        return found[0]

    def same_as(self, file: Path) -> str:
        """The id of the picture whose file is byte for byte ``file``; "" where there is none."""
        size = file.stat().st_size
        for record in self._records("bytes = ? AND NOT gone", [size], "made DESC", 100, 0):
            with suppress(OSError):
                if filecmp.cmp(self.file(record), file, shallow=False):
                    return record.id
        return ""

    def file(self, record: Record) -> Path:
        """Where a picture's file lies now."""
        if record.deleted is not None:
            return self.bin.place(record.id, record.path)
        return self.outputs / record.path

    def search(self, query: Query | None = None, limit: int = 60, offset: int = 0) -> Found:
        """What the query finds.

        Raises:
            StudioError: the query names a sort, day or size that there is not.
        """
        query = query or Query()
        where, given = query.where()
        ((total,),) = self.database.read(f"SELECT count(*) FROM pictures WHERE {where}", given)
        return Found(total, self._records(where, given, query.order(), limit, offset))

    def ids(self, query: Query) -> list[str]:
        """The ids of everything that the query finds, in its order."""
        where, given = query.where()
        sql = f"SELECT id FROM pictures WHERE {where} ORDER BY {query.order()}"
        return [one for (one,) in self.database.read(sql, given)]

    def among(self, ids: Iterable[str], query: Query | None = None) -> set[str]:
        """Which of these ids the query finds; without one, which it knows, were they in the bin."""
        where, given = query.where() if query is not None else ("1", [])
        sql = f"SELECT id FROM pictures WHERE {where} AND id IN (SELECT value FROM json_each(?))"
        return {one for (one,) in self.database.read(sql, [*given, json.dumps([*ids])])}

    def names(self, of: str) -> list[tuple[str, int]]:
        """The names in use and how often, most used first: of ``models``, ``presets``, ``tags``,
        ``boards``, ``schedulers`` or ``sizes``."""
        return [(str(name), n) for name, n in self.database.read(names_in_use(of))]

    def scored(self) -> list[str]:
        """The metrics by which any picture has a score."""
        sql = "SELECT DISTINCT key FROM pictures, json_each(scores) WHERE NOT gone ORDER BY 1"
        return [str(name) for (name,) in self.database.read(sql)]

    def _records(
        self, where: str, given: Sequence[Any], order: str, limit: int, offset: int
    ) -> list[Record]:
        # Which they are first: what is skipped on the way to a page far down is not read whole.
        page = f"SELECT rowid FROM pictures WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
        rows = self.database.read(
            f"SELECT {', '.join(COLUMNS)}, "
            "(SELECT json_group_array(name) FROM tags WHERE picture = pictures.id), "
            "(SELECT json_group_array(name) FROM models WHERE picture = pictures.id) "
            f"FROM pictures WHERE rowid IN ({page}) ORDER BY {order}",
            [*given, limit, offset],
        )
        return [record_from(row) for row in rows]

    # -- what people say -----------------------------------------------------------------------
    def mark(self, ids: Iterable[str], more_tags: Sequence[str] = (), **said: Any) -> int:
        """Say something of pictures: ``starred``, ``note``, ``tags``, ``board`` or ``scores``; of all
        or, where it cannot be said of one, of none. Those that are gone are passed over.

        Args:
            more_tags: besides the tags that each picture has; ``-tag``: without it.

        Returns:
            How many pictures it was said of.

        Raises:
            StudioError: the text is too long, or the database cannot be written.
        """
        said = {name: checked(name, value) for name, value in said.items()}
        ids = list(dict.fromkeys(ids))
        known = self.among(ids)
        marks = {one: dict(said) for one in ids if one in known}
        for one, its in marks.items() if more_tags else ():
            tags = its["tags"] if "tags" in its else self._tags(one)
            its["tags"] = checked("tags", after(tags, more_tags))
        self._write(marks)
        return len(marks)

    def hashed(self, ids: Iterable[str], hashes: Mapping[str, str]) -> None:
        """Write down the hashes of what made these pictures of the history, by the models' ids.

        Raises:
            StudioError: the database cannot be written.
        """
        self._write({one: {"hashes": dict(hashes)} for one in ids})

    def _write(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        self._say(marks)
        with self.database.writing() as connection:
            for one, said in marks.items():
                apply(connection, one, said)

    def delete(self, ids: Iterable[str]) -> list[str]:
        """Put pictures into the bin; starred ones stay. Returns the ids of those that went."""
        gone = []
        for record in self._those(ids):
            if record.starred or record.deleted is not None:
                continue
            if self.bin.take(self.outputs / record.path, record.id, record.path):
                self._moved(record, time.time())
                gone.append(record.id)
        return gone

    def restore(self, ids: Iterable[str]) -> list[str]:
        """Bring pictures back from the bin. Returns the ids of those that came."""
        back = []
        for record in self._those(ids):
            if record.deleted is not None and self.bin.give(
                record.id, record.path, self.outputs / record.path
            ):
                self._moved(record, None)
                back.append(record.id)
        return back

    def empty_bin(self) -> int:
        """Remove what is in the bin for good; starred ones stay there. Returns how many pictures."""
        starred = set(self.ids(Query(bin=True, starred=True)))
        ids = [one for one in self.ids(Query(bin=True)) if one not in starred]
        for record in self._those(ids):
            self.bin.remove(record.id, record.path)
        with self.database.writing() as connection:
            for one in ids:
                forget(connection, one)
        return len(ids)

    def _those(self, ids: Iterable[str]) -> list[Record]:
        found = []
        for one in ids:
            with suppress(MissingFile):
                found.append(self.get(one))
        return found

    def _tags(self, identity: str) -> list[str]:
        rows = self.database.read("SELECT name FROM tags WHERE picture = ?", [identity])
        return [str(name) for (name,) in rows]

    def _moved(self, record: Record, deleted: float | None) -> None:
        said = {"deleted": deleted, "path": record.path}
        self._say({record.id: said})
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE pictures SET deleted = ?, gone = 0 WHERE id = ?", [deleted, record.id]
            )

    def _say(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            self.journal.add(marks)
        except OSError as error:
            raise StudioError(
                f"cannot be written ({error.strerror})", field="history.jsonl"
            ) from error
        for one, said in marks.items():
            self._said.setdefault(one, {}).update(said)


@lru_cache(maxsize=4)
def _at(home: Path, outputs: Path) -> History:
    return History(home, outputs)


def history() -> History:
    """The history of this process's home."""
    return _at(studio_home(), outputs_folder())
