"""A draft on its way: into a folder, or into a dataset of the hub. Nothing there is written over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from studio.errors import StudioError
from studio.files import listed, write_atomically, write_new
from studio.preset.saved import THUMBNAIL_SUFFIXES
from studio.share.gallery import dataset
from studio.share.gallery.drafts import Draft
from studio.share.gallery.sources import Source, source_of

FIELD = "to"
KNOWN = "a full path of a folder, or hub:OWNER/NAME of a dataset"


@dataclass(frozen=True)
class Target:
    """Where a draft would go. ``stem``: of its files there; ``there``: they lie there already, the
    same; ``note``: what else happens; ``parent``: the commit of a dataset that was looked at, ``None``
    for one that has to be made."""

    source: Source
    stem: str
    note: str
    there: bool = False
    parent: str | None = None


@dataclass(frozen=True)
class Published:
    """``files``: what was written; ``place``: a folder, or an address on the hub."""

    files: tuple[str, ...]
    place: str


def target_of(draft: Draft, text: str, endpoint: str | None = None) -> Target:
    """Where a draft would go, by what lies there now; a dataset is asked for, nothing is sent.

    Args:
        text: a folder that is there, or ``hub:OWNER/NAME``.
        endpoint: another hub than the environment's.

    Raises:
        StudioError: neither of the two, or the hub cannot be asked.
    """
    source = source_of(text, FIELD, KNOWN)
    if source.kind == "git":
        raise StudioError(
            "publish to a clone of the repository, a folder here; then commit and push it",
            field=FIELD,
        )
    if source.kind == "folder":
        return _in_folder(draft, source)
    found = dataset.looked_at(source.identity, endpoint)
    if found is None:
        note = f"a new dataset {source.identity} is made, which only you see until you open it"
        return Target(source, draft.stem, note)
    parent, names = found
    stem = _free(draft.stem, names)
    return Target(source, stem, _numbered(draft, stem), parent=parent)


def _in_folder(draft: Draft, source: Source) -> Target:
    names = [path.name for path in listed(source.folder, (".json", *THUMBNAIL_SUFFIXES))]
    for name in names:
        if name.endswith(".json") and (source.folder / name).read_bytes() == draft.json:
            return Target(source, Path(name).stem, "it is there already, the same", there=True)
    stem = _free(draft.stem, names)
    return Target(source, stem, _numbered(draft, stem))


def _free(stem: str, names: Collection[str]) -> str:
    """``stem`` where no file of that name is there, else the first number that is free."""
    used = {Path(name).stem for name in names if "/" not in name}
    return next(one for one in (stem, *_numbers(stem, len(used))) if one not in used)


def _numbers(stem: str, most: int) -> list[str]:
    return [f"{stem}-{number}" for number, _ in zip(count(2), range(most + 1), strict=False)]


def _numbered(draft: Draft, stem: str) -> str:
    if stem == draft.stem:
        return ""
    return f"{draft.stem}.json is another preset's; this one becomes {stem}.json"


def published(draft: Draft, target: Target, endpoint: str | None = None) -> Published:
    """Write what was looked at, and nothing else.

    Raises:
        StudioError: it cannot be written or sent; a dataset has changed since it was looked at.
    """
    if target.there:
        return Published((), target.source.name)
    if target.source.kind == "hub":
        files = draft.files(target.stem)
        address = dataset.send(
            target.source.identity, files, f"Add {draft.name}", target.parent, endpoint
        )
        return Published(tuple(name for name, _ in files), address)
    path = write_new(target.source.folder, target.stem, ".json", draft.json)
    made = [path.name]
    if draft.picture:
        made.append(write_atomically(path.with_suffix(".webp"), draft.picture).name)
    return Published(tuple(made), target.source.name)
