"""What the package dynamicprompts chooses from, and how it is asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from studio.errors import shorten
from studio.preset.encodings import decoded
from studio.preset.wildcard_places import CUT, TEXT, File, wildcard_files

if TYPE_CHECKING:
    from dynamicprompts.sampling_context import SamplingContext
    from dynamicprompts.wildcards import WildcardManager

MAX_FILES, MAX_FILE_BYTES = 5000, 4 * 2**20
# All threads have one parser, whose pyparsing tries out once how its actions are called: two threads
# that do so at once leave it refusing every text.
_parsing = threading.Lock()
_reading = threading.Lock()  # one at a time: what one reads the next one knows


def context(rand: Random, combined: bool = False) -> SamplingContext:
    """What chooses by ``rand``, or all in turn, from the wildcards as they are now."""
    from dynamicprompts.enums import SamplingMethod
    from dynamicprompts.sampling_context import SamplingContext

    method = SamplingMethod.COMBINATORIAL if combined else SamplingMethod.RANDOM
    return SamplingContext(method, _wildcards(_files()).manager, rand=rand)


def sampled(among: SamplingContext, text: str, most: int) -> list[str]:
    """What a text comes to, at most so many times; raises whatever a parser says of it."""
    with _parsing:
        return [str(one) for one in islice(among.sample_prompts(text, most), most)]


def collections() -> Iterable[str]:
    """The names of the wildcards that can be chosen from."""
    files = _files()
    return _wildcards(files).manager.get_collection_names() if files else ()


def unread(name: str) -> str:
    """Why there may be no wildcard of this name, where a file is too large or cannot be read; else ""."""
    found = _wildcards(_files())
    if name in found.large:
        return f"the wildcard {shorten(name)} is larger than {MAX_FILE_BYTES // 2**20} MB"
    for file in found.damaged[:1]:
        return f"there is no wildcard {shorten(name)}, but {shorten(file)}, which cannot be read"
    if found.more:
        return f"there is no wildcard {shorten(name)} among the files that are read; there are more"
    return ""


def _files() -> tuple[File, ...]:
    """The files of wildcards as they are now; one more than are read where there are more."""
    return tuple(islice(wildcard_files(), MAX_FILES + 1))


@lru_cache(maxsize=2)  # read once, and not with every letter that is typed
def _wildcards(files: tuple[File, ...]) -> Wildcards:
    from dynamicprompts.wildcards import WildcardManager

    found: dict[str, Any] = {}
    large, damaged = [], []
    more = len(files) > MAX_FILES
    for name, path, size, when in files[:MAX_FILES]:
        if size == CUT:
            more = True
        elif size > MAX_FILE_BYTES:
            large.append(name)
        elif path.suffix == TEXT:
            found.setdefault(name, _Lines(path))
        elif size:
            above = name.rpartition("/")[0]
            with _reading:
                entries = _entries(path, size, when)
            for key, one in entries or ():
                found.setdefault(f"{above}/{key}" if above else key, one)
            if entries is None:
                damaged.append(path.name)
    manager = WildcardManager(root_map={"": [found]}) if found else WildcardManager()
    return Wildcards(manager, frozenset(large), tuple(damaged), more)


@lru_cache(maxsize=MAX_FILES)
def _entries(path: Path, size: int, when: int) -> tuple[tuple[str, Any], ...] | None:
    """What a table of several wildcards holds; ``None`` where it cannot be read. Of one that did not
    change since (``size``, ``when``) that is known, for it takes a second for each 200 KB."""
    from dynamicprompts.wildcards.collection.structured import parse_structured_file

    try:
        return tuple(parse_structured_file(path))
    except Exception:  # whatever a parser says of a stranger's file
        return None


class Wildcards(NamedTuple):
    """What the files hold. ``large``: names whose files are not read. ``damaged``: names of files that
    cannot be. ``more``: whether there are others, which are not looked at."""

    manager: WildcardManager
    large: frozenset[str]
    damaged: tuple[str, ...]
    more: bool


class _Lines:
    """A text file's choices, whatever it is written in; the package's own leaves out what is not UTF-8."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: list[str] | None = None

    def get_values(self) -> list[str]:
        if self.values is None:
            text, _ = decoded(self.path.read_bytes())
            lines = (line.strip() for line in re.split(r"\r\n|\r|\n", text))
            self.values = [line for line in lines if line and not line.startswith("#")]
        return self.values
