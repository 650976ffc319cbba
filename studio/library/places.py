"""Where models lie: places that are looked through, and what folders of other tools are made of.

A folder that a person names may be another tool's: its models then lie below it in folders of that
tool's choosing, some of them elsewhere on the disk. A layout recognises such a folder and says
which places there are; a folder that no layout knows is one place. A tool that is missing is one
function that registers itself in :data:`LAYOUTS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.extensions import Table
from studio.files import shown


@dataclass(frozen=True)
class Place:
    """A folder to look through.

    ``prefix``: what precedes the ids of what lies in it. ``whole``: whether the folder itself may
    be a model. ``follows``: whether links that lead out of it are followed. ``only``: names in it
    that are looked at, all where it is empty. ``records``: what a tool's own catalogue says of
    files, by path. ``problem``: why there is nothing to look through.
    """

    folder: Path
    prefix: str = ""
    whole: bool = False
    follows: bool = False
    only: frozenset[str] = frozenset()
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problem: str = ""

    def identity(self, path: str | Path) -> str:
        """The id of a path in this place, without the suffix of a file."""
        text, top = os.fspath(path), f"{self.folder}{os.sep}"
        if text.startswith(top):  # every file of a large library comes by here
            below = text[len(top) :].replace(os.sep, "/")
        else:
            below = Path(path).relative_to(self.folder).as_posix()
        parts = (self.prefix, "" if below == "." else shown(below))
        return "/".join(filter(None, parts)) or self.folder.name


@dataclass(frozen=True)
class Layout:
    """How one tool lays its models out.

    ``title``: the tool's name. ``places``: of a folder (or of a tool's file that names folders);
    none where it is not the tool's.
    """

    title: str
    places: Callable[[Path], list[Place]]


LAYOUTS: Table[Layout] = Table("layout of models")


def layout_of(folder: Path) -> tuple[str, list[Place]]:
    """The tool whose folder it is, "" for none, and the places to look through."""
    if not folder.exists():
        return "", [Place(folder, problem="is not there; name a folder that holds models")]
    for layout in LAYOUTS.values():
        try:
            places = layout.places(folder)
        except Exception:  # anything can stand in a stranger's files; the folder is still one
            continue
        if places:
            return layout.title, places
    if not folder.is_dir():
        return "", [Place(folder, problem="is a file, not a folder of models")]
    return "", [Place(folder, follows=True)]
