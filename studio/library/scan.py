"""Looking through a folder of models: pipelines, lone networks, single files. Weights stay unread.

Anything can lie in such a folder. Each entry is looked at under a guard of its own: whatever goes
wrong with it becomes the reason why it cannot be used, and the others are found all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from studio.files import is_text, listed, shown
from studio.home import ASSETS
from studio.library.entry import ModelEntry
from studio.library.folders import CARD, PART, folder_entry, read_json
from studio.library.guard import guarded
from studio.library.index import Index
from studio.library.lone_file import WEIGHTS, file_entry, meant_for
from studio.library.places import Place

MAX_DEPTH = 8
MOST_ITEMS = 50_000  # files and folders in one folder of the library
MOST_VISITED = 200_000  # and in one place with all that lies below
_LINK = (
    "is a link out of the library, which is not followed; put the files there, "
    "or name the folder that they lie in with --models, STUDIO_MODELS or on the Models tab"
)
_NAME = "has a file name that is not UTF-8 text; give it another one"
# Folders of other tools, by the names they have there, whose models do what the studio does not.
OTHER_FOLDERS = {
    "enlarge latents": "ldsr latent_upscale_models",
    "mend or find faces": "gfpgan codeformer facerestore_models facedetection insightface",
    "caption or tag pictures": "blip deepbooru torch_deepdanbooru clip_interrogator llm",
    "find objects": "sams ultralytics adetailer yolo groundingdino",
    "make previews": "vae_approx vae-approx",
    "make control maps": "controlnetpreprocessor annotators",
    "are hypernetworks": "hypernetworks hypernetwork",
    "make films": "animatediff_models animatediff_motion_lora animatediff",
    "are styles, boxes or photo encoders of other networks": "style_models gligen photomaker karlo",
}
OTHERS = {name: what for what, names in OTHER_FOLDERS.items() for name in names.split()}


@dataclass(frozen=True)
class _Walk:
    """One look through a place. ``real``: the real folders that links have led through so far."""

    place: Place
    index: Index
    depth: int = 0
    real: tuple[Path, ...] = ()
    left: list[int] = field(default_factory=lambda: [MOST_VISITED])

    def identity(self, path: str | Path) -> str:
        """A path's id, without the suffix of weights."""
        stem, suffix = os.path.splitext(path)
        return self.place.identity(stem if suffix.lower() in WEIGHTS else path)


_Listing = Mapping[str, os.DirEntry[str]]


def scan(place: Place, index: Index) -> Iterator[ModelEntry]:
    """Entries of a place: folders in diffusers' layout and what lies in them, single files."""
    root = place.folder
    if place.problem:
        yield _problem(str(root), root.name or str(root), place.problem)
    if not root.is_dir():
        return
    if what := OTHERS.get(place.prefix.lower()):
        yield _unused(root, f"{place.prefix}/{root.name}", what)
        return
    walk = _Walk(place, index, real=(root.resolve(),))
    found = _folder(root, walk) if place.whole else _children(root, walk)
    for entry in found:
        known = place.records.get(entry.path)
        yield replace(entry, **known) if known else entry
    if walk.left[0] <= 0:
        yield _too_many(walk, MOST_VISITED)


def _children(root: Path, walk: _Walk) -> Iterator[ModelEntry]:
    items = _listed(root)
    if len(items) == MOST_ITEMS:
        yield _too_many(walk, MOST_ITEMS)
    for item in items.values():
        # Loose files beside the shipped models are no models.
        if root != ASSETS or _is_folder(item):
            yield from _visit(item, items, walk)


def _too_many(walk: _Walk, most: int) -> ModelEntry:
    path = str(walk.place.folder)
    identity = walk.place.prefix or "models"
    return _problem(path, identity, f"holds more than {most} files; the rest is not seen")


def _listed(folder: Path | str) -> dict[str, os.DirEntry[str]]:
    """What lies in a folder, by name; no more than ``MOST_ITEMS``."""
    try:
        with os.scandir(folder) as items:
            found = list(islice(items, MOST_ITEMS))
    except (OSError, ValueError):
        return {}
    return {item.name: item for item in sorted(found, key=lambda item: item.name)}


def _visit(item: os.DirEntry[str], beside: _Listing, walk: _Walk) -> Iterator[ModelEntry]:
    only = walk.place.only
    if item.name.startswith(".") or (only and not walk.depth and item.name not in only):
        return
    walk.left[0] -= 1
    if walk.left[0] <= 0:
        return
    if not is_text(item.name):
        if _is_folder(item) or _is_weights(item):
            yield _problem(shown(item.path), walk.identity(item.path), _NAME)
        return
    if item.is_symlink():
        target = _target(item)
        if not _leads_on(item, target, walk):
            yield from _refused_link(item, target, walk)
            return
        walk = replace(walk, real=(*walk.real, target)) if target else walk
    if _is_folder(item):
        yield from _other(item, walk) or _folder(Path(item.path), walk)
        return
    identity = walk.identity(item.path)
    entry = guarded(
        lambda: file_entry(item, beside, identity, walk.index), _refusal(item.path, walk)
    )
    if entry is not None:
        yield entry


def _folder(path: Path, walk: _Walk) -> Iterator[ModelEntry]:
    """A folder's own entry, and those of what lies in it; none where its card calls it a part."""
    if read_json(path / CARD).get(PART):
        return
    identity = walk.place.identity(path)
    entry = guarded(lambda: folder_entry(path, identity), _refusal(path, walk))
    components = read_json(path / "model_index.json")
    if entry is not None:
        yield entry
        if not components:
            return
    if walk.depth == MAX_DEPTH:
        if entry is None and any(True for _ in listed(path, WEIGHTS, 1)):
            why = f"lies more than {MAX_DEPTH} folders deep; what is in it is not seen"
            yield _problem(str(path), identity, why)
        return
    children = _listed(path)
    below = replace(walk, depth=walk.depth + 1)
    for child in children.values():
        # A pipeline's own components are no models of their own, nor are files beside them.
        if child.name not in components and (entry is None or _is_folder(child)):
            yield from _visit(child, children, below)


def _other(item: os.DirEntry[str], walk: _Walk) -> list[ModelEntry]:
    """One line for a folder of models that do something else; none for any other folder."""
    what = OTHERS.get(item.name.lower()) if not walk.depth else None
    return [] if what is None else [_unused(Path(item.path), walk.identity(item.path), what)]


def _unused(folder: Path, identity: str, what: str) -> ModelEntry:
    files = sum(1 for _ in listed(folder, WEIGHTS, 2))
    why = f"is another tool's folder of models that {what}, which the studio has no use for ({{}})"
    text = why.format(f"{files} file{'' if files == 1 else 's'}")
    return _problem(str(folder), identity, text)


def _refusal(path: str | Path, walk: _Walk) -> Callable[[str], ModelEntry]:
    return lambda problem: _problem(str(path), walk.identity(path), problem)


def _problem(path: str, identity: str, problem: str) -> ModelEntry:
    return ModelEntry(
        id=identity,
        kind=meant_for(f"{identity}/" if os.path.isdir(path) else identity),
        family="",
        bytes=0,
        path=path,
        title=identity,
        problem=problem,
    )


def _is_weights(item: os.DirEntry[str]) -> bool:
    return item.name.lower().endswith(WEIGHTS)


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _target(item: os.DirEntry[str]) -> Path | None:
    """Where a link leads; ``None`` where that is nowhere."""
    try:
        return Path(item.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return None


def _leads_on(item: os.DirEntry[str], target: Path | None, walk: _Walk) -> bool:
    """Whether a link is followed: within the place, or anywhere where the place is a person's own.

    One that leads back to a folder on the way to it is not.
    """
    if target is None:
        return False
    within = walk.place.follows or target.is_relative_to(walk.real[0])
    return within and not _leads_back(item, target, walk)


def _leads_back(item: os.DirEntry[str], target: Path, walk: _Walk) -> bool:
    on_the_way = (*walk.real, Path(item.path).parent.resolve())
    return any(one.is_relative_to(target) for one in on_the_way)


def _refused_link(item: os.DirEntry[str], target: Path | None, walk: _Walk) -> Iterator[ModelEntry]:
    """A link that is not followed, where it looks like a folder of models or like a model."""
    if not _is_folder(item) and not _is_weights(item):
        return
    if target is None:
        yield _problem(item.path, walk.identity(item.path), "is a link that leads nowhere")
    elif not _leads_back(item, target, walk):
        yield _problem(item.path, walk.identity(item.path), _LINK)
