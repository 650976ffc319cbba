"""The presets of a gallery's folder, and one of them kept among one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from studio.errors import BadPreset, MissingFile, StudioError
from studio.files import is_text, listed, read_regular, shown, write_atomically
from studio.library import Library
from studio.library.missing import missing
from studio.preset import MAX_JSON_BYTES, Preset
from studio.preset.saved import THUMBNAIL_SUFFIXES, find_thumbnail, list_presets, save_preset
from studio.share.embed import extract
from studio.share.gallery.thumbnails import small_webp

DEPTH = 3  # folders deep
MOST = 1000


@dataclass(frozen=True)
class Item:
    """A preset of a gallery. ``id``: its path there; ``problem``: why it cannot be used."""

    id: str
    name: str
    preset: Preset | None
    thumbnail: Path | None
    problem: str = ""

    def lacks(self, library: Library) -> list[str]:
        """Ids of the models that it needs and that are not here."""
        if self.preset is None:
            return []
        return list(dict.fromkeys(one.id for one in missing(self.preset, library)))


def items_of(folder: Path) -> tuple[list[Item], list[str]]:
    """The presets below a folder in the order of their paths, and notes on what is left out.

    JSON files that do not look like a preset are no items; one that does and cannot be read is,
    with its reason.
    """
    files = sorted(listed(folder, (".json",), DEPTH))
    notes = [f"only the first {MOST} files of {len(files)} are read"] if len(files) > MOST else []
    found = [_item(folder, path) for path in files[:MOST]]
    others = found.count(None)
    if others:
        one = "1 JSON file is no preset"
        notes.append(one if others == 1 else f"{others} JSON files are no preset")
    return [one for one in found if one is not None], notes


def _item(folder: Path, path: Path) -> Item | None:
    name = shown(path.relative_to(folder).as_posix())
    if not is_text(str(path)):
        return Item(name, shown(path.stem), None, None, "its file's name is not UTF-8")
    picture = find_thumbnail(path)
    try:
        if not _looks_like_one(path):
            return None
        preset = Preset.load(path)
    except StudioError as error:
        return Item(name, path.stem, None, picture, str(error))
    return Item(name, preset.name or path.stem, preset, picture)


def _looks_like_one(path: Path) -> bool:
    """Whether a JSON file has rows at its top; so does what cannot be read, to be named."""
    try:
        data = json.loads(read_regular(path, MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError):
        return True
    return isinstance(data, dict) and "rows" in data


def find(items: list[Item], identity: str) -> Item:
    """The item of that id, or of that name where only one has it.

    Raises:
        MissingFile: there is none.
        BadPreset: it cannot be used; several have the name.
    """
    found = [one for one in items if one.id == identity] or [
        one for one in items if one.name.casefold() == identity.strip().casefold()
    ]
    if not found:
        raise MissingFile("this gallery has no such preset", field=identity)
    if len(found) > 1:
        ids = ", ".join(one.id for one in found[:8])
        raise BadPreset(f"several have this name: {ids}", field=identity)
    if found[0].preset is None:
        raise BadPreset(found[0].problem, field=found[0].id)
    return found[0]


def taken(item: Item) -> tuple[Path, bool]:
    """Keep a gallery's preset among one's own, with its picture; nothing of one's own is changed.

    Returns:
        its file, and whether it is new: the same preset is not kept twice.

    Raises:
        StudioError: it cannot be used, or the folder cannot be written to.
    """
    if item.preset is None:
        raise BadPreset(item.problem, field=item.id)
    preset = extract(item.preset.model_copy(update={"name": item.name}))
    for own in list_presets():
        if not own.shipped and own.preset == preset:
            return own.path, False
    path = save_preset(preset, item.name)
    if item.thumbnail is not None:
        _keep_picture(item.thumbnail, path)
    return path, True


def _keep_picture(picture: Path, preset: Path) -> None:
    """The picture beside a new preset; none where it is damaged, or one of that name lies there."""
    if any(preset.with_suffix(suffix).exists() for suffix in THUMBNAIL_SUFFIXES):
        return
    try:
        data = small_webp(picture)
    except StudioError:
        return
    write_atomically(preset.with_suffix(".webp"), data)
