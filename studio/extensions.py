"""Tables of what can be added to the studio, and the packages that add to them.

A table holds entries of one kind by name: families, refinements, schedulers, methods … Its own
entries register themselves when its room is imported; those of installed packages come through
Python entry points of the group ``guidance_studio``, whose objects are modules or functions that
register theirs. A package that fails is named once and skipped; it never stops the studio.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from studio.errors import StudioError, shorten

GROUP = "guidance_studio"

Entry = TypeVar("Entry")
_changes = itertools.count(1)
TABLES: dict[str, Table] = {}


class Table(Mapping[str, Entry], Generic[Entry]):
    """Entries of one kind by name, in the order in which they were registered.

    ``version`` grows with every change, so that what is made from a table can be made anew.

    Args:
        kind: what an entry is called in messages, such as ``scheduler``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.version = next(_changes)
        self._entries: dict[str, Entry] = {}
        TABLES[kind] = self

    def register(self, name: str, entry: Entry) -> Entry:
        """Add an entry; returns it.

        Raises:
            StudioError: the name is taken, or empty.
        """
        if not name:
            raise StudioError(f"a {self.kind} needs a name", field=self.kind)
        if name in self._entries:
            raise StudioError(f"{shorten(name)} is registered already", field=self.kind)
        self._entries[name] = entry
        self.version = next(_changes)
        return entry

    def remove(self, name: str) -> None:
        """Take an entry out again; one that is not there is no mistake."""
        self._entries.pop(name, None)
        self.version = next(_changes)

    def require(self, name: str, field: str) -> Entry:
        """The entry of that name.

        Raises:
            StudioError: there is none; names ``field`` and what is allowed.
        """
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            article = "an" if self.kind[0] in "aeio" else "a"
            raise StudioError(
                f"got {shorten(name)}; {article} {self.kind} is one of {known}", field=field
            ) from None

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True)
class Plugin:
    """An installed package's addition. ``adds``: (kind, name) pairs; ``problem``: why it is not in use."""

    name: str
    package: str
    version: str
    adds: tuple[tuple[str, str], ...] = ()
    problem: str = ""


_loaded: list[Plugin] | None = None


def plugins(again: bool = False) -> list[Plugin]:
    """Load what installed packages add, once in a process; what failed has its ``problem``.

    Args:
        again: look again, for packages that came since. What is registered stays registered.
    """
    global _loaded
    if _loaded is None or again:
        known = (
            {} if _loaded is None else {(p.package, p.name): p for p in _loaded if not p.problem}
        )
        found = importlib.metadata.entry_points(group=GROUP)
        _loaded = [known.get(_key(point)) or _load(point) for point in sorted(found, key=_key)]
    return _loaded


def name_broken_plugins() -> None:
    """Load what installed packages add; a line on stderr for each that is not in use."""
    for plugin in plugins():
        if plugin.problem:
            where = f" of {plugin.package}" if plugin.package else ""
            print(f"plugin {plugin.name}{where} is not in use: {plugin.problem}", file=sys.stderr)


def placed(place: str) -> Any:
    """What a record names as ``module:name``; the module is imported now."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


@lru_cache(maxsize=256)  # asked for at every step of a run
def resolved(run: str | Callable[..., Any]) -> Callable[..., Any]:
    """The function that a record holds, or names as ``module:name``."""
    return placed(run) if isinstance(run, str) else run


def _key(point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.name if point.dist else "", point.name)


def _load(point: importlib.metadata.EntryPoint) -> Plugin:
    package, name = _key(point)
    version = point.dist.version if point.dist else ""
    before = _names()
    try:
        _run(point.load())
    except BaseException as error:  # a package of somebody else: anything can be wrong in it
        if isinstance(error, (KeyboardInterrupt, MemoryError)):
            raise
        for kind, entry in _names() - before:  # half of a package is none of it
            TABLES[kind].remove(entry)
        reason = " ".join(str(error).split()) or "no reason given"
        problem = f"{type(error).__name__}: {shorten(reason)}"
        return Plugin(name, package, version, problem=problem)
    return Plugin(name, package, version, tuple(sorted(_names() - before)))


def _run(found: object) -> None:
    """An entry point is a module, which has registered on import, or a function to call."""
    if isinstance(found, Callable):
        found()


def _names() -> set[tuple[str, str]]:
    return {(kind, name) for kind, table in TABLES.items() for name in table}
