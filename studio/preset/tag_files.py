"""Tags of a person's own lists, which complete what is typed in a prompt.

A list lies in ``tags/`` below ``STUDIO_HOME``, as a1111-sd-webui-tagcomplete and SwarmUI read it
(:mod:`studio.preset.tag_lists`).
"""

from __future__ import annotations

import os
import re
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from studio.errors import shorten
from studio.files import listed, shown
from studio.home import tags_folder
from studio.preset.tag_lists import Listed, tags_in

SUFFIXES = (".csv", ".txt")
MAX_BYTES, MAX_TAGS = 64 * 2**20, 500_000
SHORT = 3  # so short a name is a sign, such as ^_^, and keeps its underscores
SIGNS = {"(o)_(o)", "<o>_<o>", "<|>_<|>", "||_||"}  # longer ones, as other tools know them
# What `studio.preset.prompts` takes a backslash from, and what it reads as a mark without one. It knows
# none for AND and BREAK, which text encoders read alike in small letters.
_ESCAPED = re.compile(r"\\([()\[\]{}_\\])")
_MARK = re.compile(r"\\(?=[()\[\]{}_\\])|[()\[\]{}]|__")
_WORD = re.compile(r"\b(?:AND|BREAK)\b")
_LAST = "\U0010ffff"  # comes after every letter
_reading = threading.Lock()
_Files = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Tag:
    """A tag as it is written in a prompt, and the other name it was found by ("": its own)."""

    text: str
    alias: str = ""


def find(typed: str, most: int = 8) -> list[Tag]:
    """Tags of which a name begins as ``typed``, then those that hold it; of each the most used first.
    One that is called just so comes before all others. Case does not matter, and an underscore is a
    blank."""
    wanted = _plain(typed)
    if not wanted:
        return []
    names = _names(_files())
    found: dict[str, Tag] = {}
    for place in names.like(wanted):
        tag = names.tag(place)
        found.setdefault(tag.text, tag)
        if len(found) == most:
            break
    return [*found.values()]


def known() -> tuple[int, str]:
    """How many tags there are, and a line for each list that cannot be read, or not as it is written
    ("": none)."""
    names = _names(_files())
    return len(names.tags), "\n".join(names.problems)


def written(name: str) -> str:
    """A tag as a prompt has it: blanks for underscores, and what would be a mark as plain text."""
    plain = _ESCAPED.sub(r"\1", name)
    if len(plain) > SHORT and plain not in SIGNS:
        plain = plain.replace("_", " ")
    return _WORD.sub(lambda word: word[0].lower(), _MARK.sub(r"\\\g<0>", plain))


def _plain(name: str) -> str:
    return " ".join(name.replace("\\", "").replace("_", " ").lower().split())


def _files() -> _Files:
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


class _Names:
    """All names of some tags, to be looked through at every key: in the order of their use, a tag's own
    before its others, in the order of their letters, and one after another as one text."""

    def __init__(self, tags: list[Listed], problems: list[str]) -> None:
        self.problems = problems
        self.tags = [tag.name for tag in tags]
        self._names: list[str] = []
        self._tags = array("L")  # of each name the place of its tag
        self._own = bytearray()
        for place, tag in enumerate(tags):
            others = [_plain(alias) for alias in tag.aliases]
            self._names += [_plain(tag.name), *others]
            self._tags.extend([place] * (1 + len(others)))
            self._own += b"\1" + bytes(len(others))
        order = sorted(range(len(self._names)), key=self._names.__getitem__)
        self._sorted = [self._names[place] for place in order]
        self._order = np.array(order, np.int64)
        self._text = "\n".join(self._names)
        self._starts = array("Q", accumulate((len(name) + 1 for name in self._names), initial=0))

    def tag(self, place: int) -> Tag:
        """The tag of a name."""
        alias = "" if self._own[place] else self._names[place]
        return Tag(written(self.tags[self._tags[place]]), alias)

    def like(self, wanted: str) -> Iterator[int]:
        """Names that are ``wanted``, tags' own ones first; that begin so; that hold it."""
        first = bisect_left(self._sorted, wanted)
        same = np.sort(self._order[first : bisect_right(self._sorted, wanted)]).tolist()
        yield from sorted(same, key=lambda place: not self._own[place])
        begin = self._order[first : bisect_left(self._sorted, wanted + _LAST)]
        yield from map(int, np.sort(begin))
        at = self._text.find(wanted)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            yield place
            at = self._text.find(wanted, self._starts[place + 1])


def _names(files: _Files) -> _Names:
    with _reading:  # the first keys of several people read the lists once
        return _read(files)


@lru_cache(maxsize=1)
def _read(files: _Files) -> _Names:
    tags: dict[str, Listed] = {}
    problems: list[str] = []
    for path, _, _ in files:
        try:
            for tag in tags_in(Path(path), MAX_BYTES, problems):
                if len(tags) >= MAX_TAGS:
                    problems.append(f"only the first {MAX_TAGS} tags are read")
                    break
                tags.setdefault(tag.name, tag)
        except OSError as error:
            problems.append(f"tags {shorten(shown(Path(path).name))} cannot be read: {error}")
    # Each problem once: several lists may be cut.
    return _Names(sorted(tags.values(), key=lambda tag: -tag.used), [*dict.fromkeys(problems)])
