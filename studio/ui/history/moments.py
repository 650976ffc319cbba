"""The strip of what was made last: what it shows, and the presets behind it.

It shows what the history shows, so that both agree on what is deleted, brought back or starred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError, cut
from studio.events import Done
from studio.history import History, Record, identity
from studio.history.intake import caught_up, name_of
from studio.history.record import time_of
from studio.history.rows import parsed
from studio.outputs import STAMP, outputs_folder
from studio.preset import Preset, parse
from studio.preset.effort import allowed_error
from studio.preset.variants import choices
from studio.share import read_image
from studio.ui.counts import counted
from studio.ui.history.lying import lying
from studio.ui.library.models import library
from studio.ui.widgets import picture

SHOWN = 48
MOST_CHANCE = 160  # letters of what chance chose, in a caption


@dataclass(frozen=True)
class Moment:
    """One image that was made; ``id``: the history's. ``preset_json`` is empty for images of earlier
    sessions."""

    id: str
    path: str
    title: str
    text: str = ""
    preset_json: str = ""
    starred: bool = False

    @staticmethod
    def made(
        path: Path,
        done: Done,
        label: str = "",
        outputs: Path | None = None,
        asked: Preset | None = None,
    ) -> Moment:
        """The moment of an image that was just saved; ``label``: what sets it apart in a series;
        ``outputs``: the history's folder, where it is not the person's own; ``asked``: the preset
        that it was asked for by, whose prompts may leave something to chance."""
        passes = counted(done.forwards, "pass") + _saved(done)
        varied = _variation(done.preset.model_dump(mode="json"))
        facts = (
            label,
            f"seed {done.seed}",
            _chance(asked, done.preset),
            varied,
            passes,
            f"{done.seconds:.1f} s",
        )
        text = " · ".join(filter(None, facts))
        title = done.preset.name or path.stem
        return Moment(_identity(path, outputs), str(path), title, text, done.preset.to_json())

    @staticmethod
    def kept(path: Path, text: str, preset: Preset, outputs: Path | None) -> Moment:
        """The moment of a preview that a person kept."""
        return Moment(_identity(path, outputs), str(path), preset.name, text, preset.to_json())

    @staticmethod
    def found(path: Path) -> Moment:
        """The moment of an image that the history does not know yet."""
        return Moment(_identity(path), str(path), path.stem, path.stem)

    @staticmethod
    def recorded(own: History, record: Record) -> Moment:
        """The moment of an image of the history."""
        facts = (
            "" if record.seed is None else f"seed {record.seed}",
            _variation(parsed(record.preset, dict)),
            "" if record.forwards is None else counted(record.forwards, "pass"),
            "" if record.seconds is None else f"{record.seconds:.1f} s",
        )
        path = str(own.file(record))
        text = " · ".join(filter(None, facts)) or record.title
        return Moment(record.id, path, record.title, text, starred=record.starred)

    def image_value(self) -> dict[str, Any]:
        """What the stage shows, and what the history calls it."""
        return {**picture(self.path, self.text), "id": self.id}

    def preset(self) -> Preset:
        """What makes this image again."""
        return self.brought()[0]

    def brought(self) -> tuple[Preset, list[str]]:
        """What makes this image again, and notes on what of another tool's could not be carried over."""
        if self.preset_json:
            return parse(self.preset_json, source=self.title), []
        return read_image(Path(self.path), library())


def _chance(asked: Preset | None, made: Preset) -> str:
    """What the prompts left to chance and the picture has; "" for nothing."""
    with suppress(StudioError):  # the wildcards are others by now
        texts = choices(asked, made) if asked is not None else []
        return cut(", ".join(f"“{cut(text, 60)}”" for text in texts), MOST_CHANCE)
    return ""


def _saved(done: Done) -> str:
    """What an effort below exact has saved, and the error that is to be expected for it."""
    if not allowed_error(done.preset.sampler.effort):
        return ""
    whole, error = done.forwards + done.saved, done.estimated_error
    return f" ({done.saved} of {whole} saved, estimated error {error:.2g})"


def _variation(preset: Mapping[str, Any]) -> str:
    """Which of the variations of a seed an image is; "" where it is the seed's own."""
    sampler = preset.get("sampler")
    if not isinstance(sampler, dict) or not sampler.get("variation_strength"):
        return ""
    return f"variation {sampler.get('variation_seed', -1)}"


def _identity(path: Path, outputs: Path | None = None) -> str:
    return identity(name_of(outputs or outputs_folder(), path))


def newest(made: list[Moment], own: History | None, shared: bool) -> list[Moment]:
    """What the strip shows, newest first: what the history shows, and what it does not know yet.

    Args:
        made: by this session, newest first.
        own: whose history it is; ``None`` where none is open.
        shared: whether what lies in the outputs folder is others'.
    """
    known = {moment.id: moment for moment in made}
    records = own.search(limit=SHOWN).records if own is not None else []
    shown = [_shown(own, record, known) for record in records if own is not None]
    shown = [moment for moment in shown if Path(moment.path).is_file()]
    more: Iterable[Moment] = made[:SHOWN]
    if not shared and (own is None or not caught_up(own)):
        more = [*more, *map(Moment.found, lying(SHOWN, _since(shown)))]
    listed = {moment.id for moment in shown}
    unknown = {one.id: one for one in reversed([*more]) if one.id not in listed}
    new = [one for one in unknown.values() if own is None or not own.holds(one.id)]
    if new:
        made_at = {record.id: record.made for record in records}
        made_at |= {moment.id: time_of(Path(moment.path)) for moment in new}
        shown = sorted([*new, *shown], key=lambda moment: made_at[moment.id], reverse=True)
    return [moment for moment in shown if Path(moment.path).is_file()][:SHOWN]


def _since(shown: list[Moment]) -> str | None:
    """From which name on the studio's own pictures would stand in a list; ``None`` where it has room
    for any."""
    if len(shown) < SHOWN:
        return None
    names = (Path(moment.path).name for moment in shown)
    return min(filter(STAMP.match, names), default="")


def _shown(own: History, record: Record, known: dict[str, Moment]) -> Moment:
    if record.id in known:  # what was made here says more of itself
        return replace(known[record.id], starred=record.starred)
    return Moment.recorded(own, record)


def strip(moments: list[Moment]) -> dict[str, Any]:
    """The value of the strip's cards."""
    return {
        "items": [
            {"id": m.id, "title": m.title, "image": m.image_value(), "starred": m.starred}
            for m in moments
        ]
    }


def found(known: Iterable[Moment], own: History | None, ids: Iterable[str]) -> list[Moment]:
    """The moments with these ids whose pictures are there: of those that are known, the last of each,
    else of the history."""
    by_id = {moment.id: moment for moment in known}
    moments = [by_id.get(one) or _recorded(own, one) for one in ids]
    return [one for one in moments if one is not None and Path(one.path).is_file()]


def _recorded(own: History | None, wanted: str) -> Moment | None:
    """A picture of the history that is not in the bin."""
    if own is not None:
        with suppress(MissingFile):
            record = own.get(wanted)
            return None if record.deleted is not None else Moment.recorded(own, record)
    return None


def pick(moments: Iterable[Moment], wanted: str) -> Moment:
    """The moment with this id.

    Raises:
        MissingFile: it is not there any more.
    """
    for moment in moments:
        if moment.id == wanted:
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
