"""Tags of a person's own lists, which complete what is typed in a prompt.

A list lies in ``tags/`` below ``STUDIO_HOME``: a ``.csv`` as a1111-sd-webui-tagcomplete and SwarmUI read
it (``name,category,count,"alias,alias"``; all but the name may lack), or a ``.txt`` with a tag a line.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from studio.errors import shorten
from studio.files import listed, read_regular, shown
from studio.home import tags_folder

SUFFIXES = (".csv", ".txt")
MAX_BYTES, MAX_TAGS, MAX_NAME, MAX_ALIASES = 64 * 2**20, 500_000, 200, 100
SIGNS = 3  # so short a name is a sign, such as ^_^, and keeps its underscores


@dataclass(frozen=True)
class Tag:
    """A tag as it is written in a prompt, and the other name it was found by ("": its own)."""

    text: str
    alias: str = ""


def find(typed: str, most: int = 8) -> list[Tag]:
    """Tags of which a name begins as ``typed``, then those that hold it; of each the most used first.
    Case does not matter, and an underscore is a blank."""
    wanted = _plain(typed)
    if not wanted:
        return []
    names = _names(_files())[0]
    found: dict[str, Tag] = {}
    for fits in (lambda name: name.startswith(wanted), lambda name: wanted in name):
        for name, text, own in names:
            if fits(name) and text not in found:
                found[text] = Tag(text, "" if own else name)
                if len(found) == most:
                    return [*found.values()]
    return [*found.values()]


def known() -> tuple[int, str]:
    """How many tags there are, and in one line which lists cannot be read or are cut ("": none)."""
    files = _files()
    _, count, problem = _names(files)
    return count, problem


def written(name: str) -> str:
    """A tag as a prompt has it: blanks for underscores, its brackets as plain text."""
    spaced = name.replace("_", " ") if len(name) > SIGNS else name
    return spaced.replace("(", r"\(").replace(")", r"\)")


def _plain(name: str) -> str:
    return " ".join(name.replace("\\", "").replace("_", " ").lower().split())


def _files() -> tuple[tuple[str, int, int], ...]:
    """The lists, each with its time and size: a change is seen at the next key."""
    folder = tags_folder()
    found = []
    for path in sorted(listed(folder, SUFFIXES)) if folder.is_dir() else ():
        try:
            at = os.stat(path)
        except OSError:
            continue
        found.append((str(path), at.st_mtime_ns, at.st_size))
    return tuple(found)


@lru_cache(maxsize=1)
def _names(
    files: tuple[tuple[str, int, int], ...],
) -> tuple[list[tuple[str, str, bool]], int, str]:
    """Every name as ``(plain, text, whether it is the tag's own)``, the most used first; how many tags."""
    tags: dict[str, tuple[int, list[str]]] = {}
    problem = ""
    for path, _, _ in files:
        try:
            for name, count, aliases in _lines(Path(path)):
                if len(tags) >= MAX_TAGS:
                    problem = f"only the first {MAX_TAGS} tags are read"
                    break
                tags.setdefault(name, (count, aliases))
        except (OSError, csv.Error) as error:
            problem = f"tags {shorten(shown(Path(path).name))} cannot be read: {error}"
    order = sorted(tags.items(), key=lambda item: -item[1][0])
    names = []
    for name, (_, aliases) in order:
        text = written(name)
        names.append((_plain(name), text, True))
        names += [(_plain(alias), text, False) for alias in aliases]
    return names, len(tags), problem


def _lines(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    text = read_regular(path, MAX_BYTES).decode("utf-8-sig", "replace")
    if path.suffix.lower() == ".txt":
        for line in text.splitlines():
            if 0 < len(line.strip()) <= MAX_NAME:
                yield line.strip(), 0, []
        return
    for cells in csv.reader(io.StringIO(text, newline="")):
        name = cells[0].strip() if cells else ""
        if not 0 < len(name) <= MAX_NAME:
            continue
        counts = [cell.strip() for cell in cells[1:3]]
        used = int(counts[-1]) if counts and counts[-1].isdecimal() and len(counts[-1]) < 12 else 0
        aliases = cells[3].split(",")[:MAX_ALIASES] if len(cells) > 3 else []
        yield name, used, [alias.strip() for alias in aliases if alias.strip()]
