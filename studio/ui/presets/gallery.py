"""Presets on the shelf: the starter ones with their pictures, and those that were saved."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from studio.errors import BadPreset, MissingFile
from studio.files import slug, write_atomically
from studio.preset import Preset
from studio.preset.saved import SavedPreset, list_presets, save_preset
from studio.share import embed_images, extract, read_any
from studio.ui.library.models import library
from studio.ui.space import Limits
from studio.ui.widgets import picture

PICTURE_EDGE = 256


def _slots(limits: Limits) -> Iterator[tuple[str, SavedPreset]]:
    """Id and preset: starter ones, then saved ones (which a shared page does not have)."""
    for saved in list_presets():
        if saved.preset is not None and (saved.shipped or not limits.shared):
            yield f"{'starter' if saved.shipped else 'saved'}:{saved.path.stem}", saved


def cards(limits: Limits) -> dict[str, Any]:
    """The value of the shelf's cards. The browser gets ids, never paths of presets."""
    return {
        "items": [
            {
                "id": identity,
                "title": saved.name,
                "text": saved.preset.description if saved.preset else "",
                "tag": "" if saved.shipped else "saved",
                "image": picture(saved.thumbnail) if saved.thumbnail else None,
            }
            for identity, saved in _slots(limits)
        ]
    }


def pick(limits: Limits, identity: str) -> Preset:
    """The preset in the slot of this id.

    Raises:
        MissingFile: there is no such slot.
    """
    for name, saved in _slots(limits):
        if name == identity and saved.preset is not None:
            return extract(saved.preset)
    raise MissingFile("this preset is not there any more", field="preset")


def first(limits: Limits) -> Preset:
    """What a newcomer sees: the first preset on the shelf."""
    for identity, _ in _slots(limits):
        return pick(limits, identity)
    return Preset()


def load_file(path: Path) -> tuple[Preset, list[str]]:
    """A preset from a JSON file or an image that a person gave, and what could not be kept."""
    return read_any(path, library())


def save(preset: Preset, limits: Limits, image: Path | None = None) -> Path:
    """Keep ``preset`` under its name in the person's own folder, with ``image`` as its picture.

    Raises:
        BadPreset: it has no name, or this page is shared.
    """
    if limits.shared:
        raise BadPreset("this page is shared; download the JSON instead", field="save")
    path = save_preset(preset, preset.name)
    if image is not None and image.is_file():
        write_atomically(path.with_suffix(".webp"), _small_webp(image))
    return path


def _small_webp(path: Path) -> bytes:
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((PICTURE_EDGE, PICTURE_EDGE))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()


def download(preset: Preset) -> dict[str, str]:
    """File name and self-contained JSON of ``preset``."""
    text = embed_images(preset).to_json() + "\n"
    return {"name": f"{slug(preset.name) or 'preset'}.json", "text": text}
