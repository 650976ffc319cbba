"""What would be published of a preset: its JSON and one small picture, with a warning by name for
everything in it that belongs to this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from studio.errors import BadPreset, StudioError, shorten
from studio.files import slug
from studio.home import ASSETS
from studio.library import Library
from studio.library.missing import named
from studio.preset import Preset, validate
from studio.share.embed import drop_images
from studio.share.gallery.thumbnails import small_webp

# What a path looks like in a text: from a folder of a system's root or a home, with a drive, or a share.
_PATH = re.compile(
    r"(?<![\w/:.])(?:"
    r"/(?:home|Users|root|mnt|media|Volumes|var|tmp|opt|srv|data|private|workspace|content)/[^\s\"']+"
    r"|~[\\/][^\s\"']+|[A-Za-z]:[\\/][^\s\"']+|\\\\[^\s\"'\\]+\\[^\s\"']+|file:/[^\s\"']+)"
)
_WILDCARD = re.compile(r"(?<!\w)__([\w/*-]+?)__(?!\w)")
_MODELS = re.compile(r"(?:^|\.)(?:model|lora|base|vae|upscaler|embeddings\.\d+)$")


@dataclass(frozen=True)
class Draft:
    """``stem``: the name that its files get where it is free; ``picture``: a WebP, "" for none.

    ``warnings``: what is left out, and what others may not have or should not see.
    """

    name: str
    stem: str
    json: bytes
    picture: bytes
    warnings: tuple[str, ...]

    def files(self, stem: str) -> tuple[tuple[str, bytes], ...]:
        """Everything that goes out, by file name."""
        picture = ((f"{stem}.webp", self.picture),) if self.picture else ()
        return ((f"{stem}.json", self.json), *picture)


def drafted(preset: Preset, picture: Path | None, library: Library) -> Draft:
    """What would be published of a preset.

    Pictures that only this studio has are left out, and a model that is named by its path keeps
    its file's name alone.

    Args:
        picture: of what it makes; made small, and nothing that its file says goes along.

    Raises:
        BadPreset: it has no name.
        StudioError: the picture cannot be read.
    """
    name = " ".join(preset.name.split())
    if not name:
        raise BadPreset("give the preset a name", field="name")
    without, left_out = drop_images(preset.model_copy(update={"name": name}))
    plain, cut = _without_paths(without)
    warnings = (
        *left_out,
        *cut,
        *_elsewhere(plain, library),
        *_in_texts(plain),
    )
    data = f"{plain.to_json()}\n".encode()
    small = small_webp(picture) if picture is not None else b""
    return Draft(name, slug(name) or "preset", data, small, tuple(dict.fromkeys(warnings)))


def _without_paths(preset: Preset) -> tuple[Preset, list[str]]:
    """Models that are named by a path of this machine, by their file's name instead."""
    notes: list[str] = []

    def cleaned(value: Any, field: str) -> Any:
        if isinstance(value, dict):
            return {key: cleaned(one, _below(field, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [cleaned(one, _below(field, index)) for index, one in enumerate(value)]
        if isinstance(value, str) and _MODELS.search(field) and _is_path(value):
            bare = PureWindowsPath(value).name or "model"
            notes.append(f"{field}: the path of a model on this machine is cut to {shorten(bare)}")
            return bare
        return value

    data = cleaned(preset.model_dump(mode="json"), "")
    return (validate(data) if notes else preset), notes


def _is_path(name: str) -> bool:
    outside = PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
    return outside or "\\" in name or name.startswith("~") or bool(PureWindowsPath(name).drive)


def _elsewhere(preset: Preset, library: Library) -> Iterator[str]:
    """Models of this machine alone: neither shipped with the studio nor of the hub."""
    models = [*named(preset, active=False), *preset.beside_rows()]
    for field, identity in models:
        try:
            place = library[identity].path
        except StudioError:
            place = None
        if place is None:
            yield f"{field}: the model {shorten(identity)} is not known here, nor perhaps elsewhere"
        elif place and not _shipped(Path(place)) and not _of_hub(Path(place), identity):
            yield f"{field}: the model {shorten(identity)} is of this library; others may lack it"


def _shipped(place: Path) -> bool:
    return place.is_relative_to(ASSETS)


def _of_hub(place: Path, identity: str) -> bool:
    """Whether a model lies in the hub's own cache, or in the folder that a download made."""
    if any(part.startswith("models--") for part in place.parts):
        return True
    inner = [one for one in (place, *place.parents) if one.as_posix().endswith(f"/{identity}")]
    return any((one / ".cache" / "huggingface").is_dir() for one in inner)


def _in_texts(preset: Preset) -> Iterator[str]:
    """What people wrote that looks like a path, and lists of words that only this studio has."""
    home = str(Path.home())
    for field, text in _texts(json.loads(preset.to_json()), ""):
        found = _PATH.search(text)
        if found or (len(home) > 1 and home in text):
            yield f"{field}: holds what looks like a path: {shorten(found[0] if found else home)}"
        for listed in _WILDCARD.findall(text):
            yield f"{field}: takes words from the list {shorten(listed)}, which others may lack"


def _texts(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, _below(field, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, _below(field, index))
    elif isinstance(value, str):
        yield field, value


def _below(field: str, part: object) -> str:
    return f"{field}.{part}" if field else str(part)
