"""Where wildcards lie: the studio's own folder, then those of other tools whose folders are named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from studio.files import is_text
from studio.home import wildcards_folder
from studio.named_folders import kept

TEXT = ".txt"
SUFFIXES = (TEXT, ".yaml", ".json")
DEPTH = 5  # folders within each other
MOST_LISTED = 20_000  # files and folders of one, which are looked at with each letter that is typed
CUT = -1
# Of the web UIs' extensions, of ComfyUI's nodes, of SwarmUI, and of whoever keeps such a folder.
_BELOW = (
    "extensions/*/wildcards",
    "scripts/wildcards",
    "custom_nodes/*/wildcards",
    "Data/Wildcards",
    "wildcards",
)
File = tuple[str, Path, int, int]  # its name in a prompt, then with its size and time of change


def wildcard_folders() -> tuple[Path, ...]:
    """Those that are there, the studio's own first; the others are those of the folders of models that
    are named in its home, of which a shared page's has none."""
    found = [wildcards_folder()]
    for named in kept():
        top = named.parent if named.name.lower() == "models" else named
        for pattern in _BELOW:
            found += sorted(top.glob(pattern))
    return tuple(dict.fromkeys(one for one in found if one.is_dir()))


def wildcard_files() -> Iterator[File]:
    """Every file of them with the name that a prompt calls it by; linked folders are looked through too.
    Of one name in two folders the first has it, and is the only one given; of each folder the text
    files come first. One of size :data:`CUT` stands for all that was not looked at."""
    known: set[str] = set()
    for folder in wildcard_folders():
        found = list(_below(folder))
        for path in sorted(found, key=lambda path: path.suffix != TEXT):
            if path == folder:
                yield "", path, CUT, 0
                continue
            name = path.relative_to(folder).with_suffix("").as_posix()
            key = f"{name}{path.suffix}"
            with suppress(OSError):  # it has gone meanwhile, or its link leads nowhere
                state = path.stat()
                if key not in known and stat.S_ISREG(state.st_mode):
                    known.add(key)
                    yield name, path, state.st_size, state.st_mtime_ns


def _below(folder: Path) -> Iterator[Path]:
    """The files in and below a folder that are called as wildcards are, and last the folder itself where
    there are more than are looked at."""
    left = MOST_LISTED
    waiting: list[tuple[str, tuple[str, ...]]] = [(os.fspath(folder), ())]
    while waiting:
        place, above = waiting.pop()
        real = os.path.realpath(place)
        if real in above or len(above) > DEPTH:  # a link that leads back to where it stands
            continue
        within: list[tuple[str, tuple[str, ...]]] = []
        for item in sorted(_items(place), key=lambda item: item.name):
            left -= 1
            if left < 0:
                yield folder
                return
            if item.name.startswith(".") or not is_text(item.name):
                continue
            if _is_folder(item):
                within.append((item.path, (*above, real)))
            elif item.name.endswith(SUFFIXES):
                yield Path(item.path)
        waiting += reversed(within)


def _is_folder(item: os.DirEntry[str]) -> bool:
    with suppress(OSError):  # a link that leads to itself
        return item.is_dir()
    return False


def _items(place: str) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(place) as items:
        return list(items)
    return []
