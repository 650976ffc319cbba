"""Presets on disk: those that ship, and those a person saved. One odd file hides no other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.errors import BadPreset, StudioError
from studio.files import is_text, listed, shown, slug, write_new
from studio.home import PRESETS, presets_folder
from studio.preset.document import Preset

THUMBNAIL_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")


@dataclass(frozen=True)
class SavedPreset:
    """A preset file. Where it cannot be read, ``preset`` is ``None`` and ``problem`` says why."""

    path: Path
    name: str
    shipped: bool
    thumbnail: Path | None
    preset: Preset | None
    problem: str = ""


def save_preset(preset: Preset, name: str, folder: Path | None = None) -> Path:
    """Keep a preset under ``name``; a name that is taken gets a number, nothing is overwritten."""
    name = " ".join(name.split())
    if not name:
        raise BadPreset("give the preset a name", field="name")
    if len(name) > 200:
        raise BadPreset(f"{len(name)} characters; at most 200", field="name")
    named = preset.model_copy(update={"name": name})
    data = named.to_json().encode()
    return write_new(folder or presets_folder(), slug(name) or "preset", ".json", data)


def list_presets(folder: Path | None = None) -> list[SavedPreset]:
    """The shipped presets, then the person's own, each by file name."""
    return _read_folder(PRESETS, shipped=True) + _read_folder(
        folder or presets_folder(), shipped=False
    )


def _read_folder(folder: Path, shipped: bool) -> list[SavedPreset]:
    return [_read(path, shipped) for path in sorted(listed(folder, (".json",)))]


def _read(path: Path, shipped: bool) -> SavedPreset:
    if not is_text(str(path)):
        name = shown(path.stem)
        return SavedPreset(
            path.with_name(shown(path.name)),
            name,
            shipped,
            None,
            None,
            f"{name}: the file's name is not UTF-8; give it another one",
        )
    thumbnail = find_thumbnail(path)
    try:
        preset = Preset.load(path)
    except StudioError as error:
        return SavedPreset(path, path.stem, shipped, thumbnail, None, str(error))
    return SavedPreset(path, preset.name or path.stem, shipped, thumbnail, preset)


def find_thumbnail(path: Path) -> Path | None:
    """The picture that belongs to a preset file: beside it, or in ``thumbnails/`` beside it."""
    for folder in (path.parent, path.parent / "thumbnails"):
        for suffix in THUMBNAIL_SUFFIXES:
            candidate = folder / f"{path.stem}{suffix}"
            if candidate.is_file():
                return candidate
    return None
