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
    """Every file of them with the name that a prompt calls it by; linked folders are looked through too,
    once. Of one name in two folders the first has it, and is the only one given; of each folder the
    text files come first."""
    known: set[str] = set()
    for folder in wildcard_folders():
        for path in sorted(_below(folder), key=lambda path: path.suffix != TEXT):
            name = path.relative_to(folder).with_suffix("").as_posix()
            key = f"{name}{path.suffix}"
            with suppress(OSError):  # it has gone meanwhile, or its link leads nowhere
                state = path.stat()
                if key not in known and stat.S_ISREG(state.st_mode):
                    known.add(key)
                    yield name, path, state.st_size, state.st_mtime_ns


def _below(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()  # a link may lead back to where it stands
    left = MOST_LISTED
    for place, folders, files in os.walk(folder, followlinks=True):
        left -= len(folders) + len(files)
        real = os.path.realpath(place)
        if left < 0:
            return
        if real in seen or len(Path(place).relative_to(folder).parts) >= DEPTH:
            folders.clear()
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if real in seen:
            continue
        seen.add(real)
        for name in sorted(files):
            if name.endswith(SUFFIXES) and is_text(name):
                yield Path(place, name)
