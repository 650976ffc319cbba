"""Where wildcards lie: the studio's own folder, then those of other tools whose folders are named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from studio.files import is_text
from studio.home import wildcards_folder
from studio.named_folders import named_folders

SUFFIXES = (".txt", ".yaml", ".json")
DEPTH = 5  # folders within each other
# Of the web UIs' extensions, of ComfyUI's nodes, of SwarmUI, and of whoever keeps such a folder.
_BELOW = (
    "extensions/*/wildcards",
    "scripts/wildcards",
    "custom_nodes/*/wildcards",
    "Data/Wildcards",
    "wildcards",
)


def wildcard_folders() -> tuple[Path, ...]:
    """Those that are there, the studio's own first; the others are those of the folders of models that
    a person has named."""
    found = [wildcards_folder()]
    for named in named_folders():
        top = named.parent if named.name.lower() == "models" else named
        for pattern in _BELOW:
            found += sorted(top.glob(pattern))
    return tuple(dict.fromkeys(one for one in found if one.is_dir()))


def wildcard_files() -> Iterator[tuple[str, Path]]:
    """Every file of them with the name that a prompt calls it by; linked folders are looked through too.
    Of one name in two folders the first has it, and is the only one given."""
    known: set[str] = set()
    for folder in wildcard_folders():
        for path in _below(folder):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if (key := f"{name}{path.suffix}") not in known:
                known.add(key)
                yield name, path


def _below(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()  # a link may lead back to where it stands
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        depth = len(Path(place).relative_to(folder).parts)
        if real in seen or depth >= DEPTH:
            folders.clear()
        if real in seen:
            continue
        seen.add(real)
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(files):
            if name.endswith(SUFFIXES) and is_text(name):
                yield Path(place, name)
