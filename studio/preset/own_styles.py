"""Styles of one's own: renamed and deleted where they were kept one by one, taken in from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.errors import BadPreset, MissingFile, StudioError, shorten
from studio.files import read_regular, shown, slug, write_atomically, write_new
from studio.home import styles_folder
from studio.preset.styles import MAX_BYTES, SUFFIXES, Style, as_data, in_file, styles


def is_own(style: Style) -> bool:
    """Whether a style has a file of its own, which can be renamed and deleted without others."""
    return style.file.endswith(".json") and isinstance(_data(style), dict)


def rename_style(name: str, new: str) -> None:
    """Give a style of one's own another name; its file stays where it is.

    Raises:
        StudioError: no such style with a file of its own, no name, or one that is taken.
    """
    style, new = _own(name), " ".join(new.split())
    if not new or len(new) > 200:
        raise BadPreset(f"give the style a name of 1 to 200 letters, got {len(new)}", field="name")
    others = (one.name.lower() for one in styles() if one.name.lower() != style.name.lower())
    if new.lower() in others:
        raise BadPreset(f"there is a style {shorten(new)} already", field="name")
    text = json.dumps({**_data(style), "name": new}, ensure_ascii=False, indent=2)
    write_atomically(styles_folder() / style.file, text.encode())


def delete_style(name: str) -> str:
    """Remove a style of one's own; returns its name.

    Raises:
        MissingFile: no such style with a file of its own.
    """
    style = _own(name)
    (styles_folder() / style.file).unlink(missing_ok=True)
    return style.name


def holds_styles(path: Path) -> bool:
    """Whether a file is a table or a list of styles, rather than a preset."""
    if path.suffix.lower() != ".json":
        return path.suffix.lower() == ".csv"
    try:
        data = json.loads(read_regular(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, list) and any(isinstance(one, dict) and "name" in one for one in data)


def take_styles(path: Path) -> tuple[list[Style], list[str]]:
    """Keep a file's styles beside the others: as it is, or those of it whose names are not taken.

    Returns:
        The styles that can be used, and a line for each that cannot, or whose name is taken.

    Raises:
        StudioError: it cannot be read, or holds no style that can be used.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadPreset(f"styles lie in {' or '.join(SUFFIXES)}, got {suffix}", field="styles")
    known = {one.name.lower() for one in styles()}
    found = list(in_file(path))
    taken = [one for one in found if not one.problem and one.name.lower() in known]
    usable = [one for one in found if not one.problem and one not in taken]
    notes = [f"style {shorten(one.name)}: {one.problem}" for one in found if one.problem]
    stays = "there is one of this name already, which stays"
    notes += [f"style {shorten(one.name)}: {stays}" for one in taken]
    if not usable:
        first = f": {notes[0]}" if notes else ""
        raise BadPreset(f"holds no style that is new{first}", field=shown(path.name))
    if taken:
        data, suffix = json.dumps([as_data(one) for one in usable], indent=2).encode(), ".json"
    else:
        data = read_regular(path, MAX_BYTES)
    write_new(styles_folder(), slug(path.stem) or "styles", suffix, data)
    return usable, notes


def _own(name: str) -> Style:
    for style in styles():
        if style.name == name and is_own(style):
            return style
    raise MissingFile("this is no style with a file of its own", field="style")


def _data(style: Style) -> Any:
    try:
        return json.loads(read_regular(styles_folder() / style.file, MAX_BYTES))
    except (OSError, ValueError, RecursionError, StudioError):
        return None
