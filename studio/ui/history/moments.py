"""The strip of everything made: what it shows, and the presets behind it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import MissingFile
from studio.events import Done
from studio.outputs import list_outputs
from studio.preset import Preset, parse
from studio.preset.effort import allowed_error
from studio.share import read_image
from studio.ui.space import Limits
from studio.ui.widgets import picture

SHOWN = 48


@dataclass(frozen=True)
class Moment:
    """One image that was made. ``preset_json`` is empty for images of earlier sessions."""

    id: str
    path: str
    title: str
    text: str = ""
    preset_json: str = ""

    @staticmethod
    def made(path: Path, done: Done, label: str = "") -> Moment:
        """The moment of an image that was just saved; ``label``: what sets it apart in a series."""
        passes = f"{done.forwards} passes{_saved(done)}"
        facts = (label, f"seed {done.seed}", passes, f"{done.seconds:.1f} s")
        text = " · ".join(filter(None, facts))
        title = done.preset.name or path.stem
        return Moment(_identity(path), str(path), title, text, done.preset.to_json())

    @staticmethod
    def kept(path: Path, text: str, preset: Preset) -> Moment:
        """The moment of a preview that a person kept."""
        return Moment(_identity(path), str(path), preset.name, text, preset.to_json())

    @staticmethod
    def found(path: Path) -> Moment:
        """The moment of an image from an earlier session."""
        return Moment(_identity(path), str(path), path.stem, path.stem)

    def image_value(self) -> dict[str, Any]:
        """What the stage shows."""
        return picture(self.path, self.text)

    def preset(self) -> Preset:
        """What makes this image again."""
        if self.preset_json:
            return parse(self.preset_json, source=self.title)
        return read_image(Path(self.path))[0]


def _saved(done: Done) -> str:
    """What an effort below exact has saved, and the error that is to be expected for it."""
    if not allowed_error(done.preset.sampler.effort):
        return ""
    whole, error = done.forwards + done.saved, done.estimated_error
    return f" ({done.saved} of {whole} saved, estimated error {error:.2g})"


def _identity(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:16]


def earlier(limits: Limits) -> list[Moment]:
    """Images of earlier sessions; none on a shared page, where they would be others'."""
    if limits.shared:
        return []
    return [Moment.found(Path(path)) for path in list_outputs(SHOWN)]


def strip(moments: list[Moment]) -> dict[str, Any]:
    """The value of the strip's cards."""
    return {
        "items": [
            {"id": m.id, "title": m.title, "image": m.image_value()}
            for m in moments[:SHOWN]
            if Path(m.path).is_file()
        ]
    }


def pick(moments: list[Moment], identity: str) -> Moment:
    """The moment with this id, from this session's own list.

    Raises:
        MissingFile: it is not there any more.
    """
    for moment in moments or ():
        if moment.id == identity:
            return moment
    raise MissingFile("this image is not in the history any more", field="history")


def picture_of(moments: list[Moment], preset: Preset) -> Path | None:
    """The newest image of this session that ``preset``'s rows made."""
    for moment in moments or ():
        if moment.preset_json:
            made = moment.preset()
            if (made.base, made.rows) == (preset.base, preset.rows):
                return Path(moment.path)
    return None
