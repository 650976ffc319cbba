"""The examples of a training: pictures that can be used, with captions, repeats and masks."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.train.captions import Caption, caption_pictures, read_file
from studio.train.checks import unread
from studio.train.config import TrainConfig
from studio.train.data import look_at, usable
from studio.train.events import Note, TrainEvent, TrainProgress
from studio.train.folder import Beside, Subset, find_pictures, repeats_of, subsets
from studio.train.method import METHODS

SHOW_EVERY = 25  # pictures


@dataclass(frozen=True)
class Example:
    """One picture. ``caption``: ``None`` for methods without text; ``mask``: weighs its loss."""

    path: Path
    caption: Caption | None = None
    repeats: int = 1
    mask: Path | None = None


def choose(config: TrainConfig) -> Generator[TrainEvent, None, list[Example]]:
    """The examples of the settings' folder or dataset config, with notes on what was assumed.

    Raises:
        StudioError: no picture can be used, a caption does not fit, or there is nothing for a loss
            to act on.
    """
    folders, notes = subsets(Path(config.images))
    written = read_file(Path(config.captions)) if config.captions else None
    if written is not None and len(folders) > 1:
        raise StudioError("a dataset config of several folders has its own", field="captions")
    owners = {path: subset for subset in folders for path in find_pictures(subset.folder, written)}
    paths, more = yield from looked_at(config, list(owners))
    notes += more
    captions: dict[Path, Caption] = {}
    if not METHODS[config.method].without_text:
        for subset in folders:
            mine = [path for path in paths if owners[path] is subset]
            found, more = _captioned(config, subset, mine, written)
            captions |= dict(zip(mine, found, strict=True))
            notes += more
        notes += _general_notes(config, list(captions.values()))
    beside = Beside()
    examples = [
        Example(
            path,
            captions.get(path),
            owners[path].repeats or repeats_of(path),
            beside.mask(path, owners[path].masks),
        )
        for path in paths
    ]
    notes += _data_notes(examples)
    if others := unread(config):
        notes.append(f"{config.method} does not read {', '.join(others)}")
    for note in notes:
        yield Note(note)
    return examples


def looked_at(
    config: TrainConfig, paths: Sequence[Path]
) -> Generator[TrainEvent, None, tuple[list[Path], list[str]]]:
    """The pictures that can be used, with a sign of life where there are many."""
    looked = []
    for item in look_at(paths, config.size or 0):
        looked.append(item)
        if len(looked) % SHOW_EVERY == 0:
            stage = f"looking at {len(looked)}/{len(paths)}"
            yield TrainProgress(0, config.steps, 0.0, 0.0, stage)
    return usable(looked)


def _captioned(
    config: TrainConfig, subset: Subset, paths: Sequence[Path], written: dict[str, Any] | None
) -> tuple[list[Caption], list[str]]:
    if written is None and subset.metadata is not None:
        written = read_file(subset.metadata)
    return caption_pictures(
        paths,
        config.word,
        config.superclass,
        config.template,
        written,
        texts=subset.texts,
        tokens=subset.tokens,
    )


def _data_notes(examples: Sequence[Example]) -> list[str]:
    notes = []
    repeated = [e for e in examples if e.repeats > 1]
    if repeated:
        total = sum(e.repeats for e in examples)
        notes.append(
            f"{len(repeated)} of {len(examples)} pictures are repeated; an epoch has {total}"
        )
    masked = [e.path.name for e in examples if e.mask is not None]
    if masked:
        notes.append(
            f"{len(masked)} of {len(examples)} pictures have a mask, which weighs the loss"
        )
    return notes


def _general_notes(config: TrainConfig, captions: Sequence[Caption]) -> list[str]:
    """What to say of ACCORD's losses before they run.

    Raises:
        StudioError: there is nothing for them to act on.
    """
    wanted = "ddloss" if config.ddloss > 0 else "pdloss" if config.pdloss > 0 else ""
    empty = sum(not caption.general for caption in captions)
    if wanted and empty == len(captions):
        raise StudioError(
            "no caption says anything besides the target, so there is nothing to decouple; "
            "write captions that name what else the pictures show",
            field=wanted,
        )
    notes = []
    if wanted and empty:
        notes.append(
            f"{empty} of {len(captions)} captions say nothing besides the target; "
            "ACCORD's losses do not act on those"
        )
    if config.pdloss > 0 and "pdloss" not in METHODS[config.method].losses:
        notes.append(
            f"PDLoss has no gradient with {config.method}, which leaves the word's meaning as "
            "it is; it is only measured"
        )
    return notes
