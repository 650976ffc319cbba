"""The library: which models there are, read from names and headers without loading a weight.

Ids are paths below the shipped ``assets/`` (``starter``, ``starter/faces``), below
``STUDIO_HOME/models`` or a further folder; anything of the form ``owner/name`` besides is a hub id.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from pathlib import Path

from studio.errors import MissingModel, shorten
from studio.home import ASSETS, cache_folder, models_folder
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES
from studio.library.folders import folder_entry
from studio.library.guard import guarded
from studio.library.hashes import BACKGROUND, Hashes
from studio.library.hub import in_cache, is_closed, is_hub_id, is_offline
from studio.library.hub_pipelines import INDEX, is_whole
from studio.library.image_encoders import seeing
from studio.library.index import Index
from studio.library.own_words import own_words, worded
from studio.library.places import Place, layout_of
from studio.library.scan import scan
from studio.library.upscalers import UPSCALER
from studio.named_folders import named_folders

_ORDER = {
    "base": 0,
    "finetune": 1,
    "concept": 2,
    "lora": 3,
    "custom-diffusion": 4,
    "embedding": 5,
    "controlnet": 6,
    "ip-adapter": 7,
    "vae": 8,
    UPSCALER: 9,
}
_NETWORKS = ("unet", "transformer")  # folders of a pipeline's network
_FILE_ON_HUB = re.compile(r"([A-Za-z0-9][\w.-]*/[\w.-]+)/[^/.][^/]*$")


class Library(Mapping[str, ModelEntry]):
    """A lazy, header-only scan of the shipped models, the drop-in folder and the hub's cache.

    A mapping from id to entry; looking up an unknown id raises :class:`MissingModel`.

    Args:
        roots: the studio's own folders; by default the shipped one and the drop-in folder.
        further: folders of the person's, other tools' among them, read in place; by default those
            of ``STUDIO_MODELS`` and of the Models tab, or none where ``roots`` are given.
    """

    def __init__(
        self, roots: tuple[Path, ...] | None = None, further: tuple[Path, ...] | None = None
    ) -> None:
        self._roots = roots if roots is not None else (ASSETS, models_folder())
        self.computes_hashes = False  # the page of one's own machine does so in the background
        self._further = further or ()
        if further is None and roots is None:
            self._further = named_folders()

    @cached_property
    def _entries(self) -> dict[str, ModelEntry]:
        words = own_words()
        return {key: worded(entry, words) for key, entry in self._found.items()}

    @cached_property
    def _found(self) -> dict[str, ModelEntry]:
        index = Index(cache_folder() / "library.json")
        found: dict[str, ModelEntry] = {}
        for root in self._roots:
            _add(found, scan(Place(root), index), root)
        for root in self._further:
            for place in layout_of(root)[1]:
                _add(found, scan(place, index), root)
        index.save()
        return {key: seeing(_known(_inherit(entry, found))) for key, entry in found.items()}

    def entries(self) -> list[ModelEntry]:
        """All local models that can be used, bases first, then by id."""
        return sorted((e for e in self._entries.values() if not e.problem), key=_place)

    def as_found(self, key: str) -> ModelEntry:
        """A local model as its files have it, without what a person has said of it here.

        Raises:
            MissingModel: there is none.
        """
        return self._found[key] if key in self._found else self[key]

    def refused(self) -> list[ModelEntry]:
        """Files that look like models and cannot be used; ``problem`` says why."""
        return sorted((e for e in self._entries.values() if e.problem), key=_place)

    @cached_property
    def hashes(self) -> Hashes:
        """Hashes of files that were computed, besides those that their headers state."""
        return Hashes(cache_folder() / "hashes.json")

    def hashes_of(self, ids: Iterable[str]) -> dict[str, str]:
        """The hash of each of these models that is known now, by id; nothing is computed."""
        known = {one: self._entries[one] for one in ids if one in self._entries}
        found = {one: self.hashes.of(entry) for one, entry in known.items()}
        return {one: hashes[0] for one, hashes in found.items() if hashes}

    def want_hashes(self) -> None:
        """A picture names models by hashes that are not known: begin to compute what is lacking."""
        if self.computes_hashes:
            BACKGROUND.start(self.hashes, self._entries)

    def catalogue(self) -> Library:
        """What :func:`studio.plan.compile_plan` asks about models."""
        return self

    def __getitem__(self, key: str) -> ModelEntry:
        entry = self._entries.get(key) or self._on_hub(key)
        if entry is None:
            within = _FILE_ON_HUB.match(key)
            hint = (
                f"fetch it with 'python -m studio download {within[1]}'"
                if within
                else f"it holds {self._names()}"
            )
            raise MissingModel(f"{shorten(key)} is not in the library; {hint}")
        return entry

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def controlnet(self, base: str, kind: str) -> ModelEntry:
        """The ControlNet of ``base`` for preprocessor ``kind``.

        Raises:
            MissingModel: the library holds none.
        """
        fitting = self._controlnets(base)
        for entry in fitting:
            if entry.control == kind:
                return entry
        kinds = sorted({entry.control for entry in fitting if entry.control})
        raise MissingModel(
            f"no ControlNet of type {kind!r} for base {base!r}; "
            f"there is {', '.join(kinds) if kinds else 'none'} (or name one as control.model)"
        )

    def _controlnets(self, base: str) -> list[ModelEntry]:
        """Those made for ``base`` itself, then those of its family that name no base."""
        family = self._entries[base].family if base in self._entries else ""
        found = [e for e in self._entries.values() if e.kind == "controlnet" and not e.problem]
        own = [e for e in found if e.base == base]
        return own + [e for e in found if not e.base and family and e.family == family]

    def _names(self) -> str:
        names = [e.id for e in self.entries() if e.kind != "controlnet"]
        return (", ".join(names[:8]) + (" …" if len(names) > 8 else "")) or "no model"

    def _on_hub(self, key: str) -> ModelEntry | None:
        """A hub id: described from the hub's local cache if it is there, else left open.

        One of which the cache has a part alone has no path, so that loading it fetches the others;
        where nothing is fetched, what is there may do.
        """
        if not is_hub_id(key) or key.split("/")[0] in self._entries:
            return None
        known = ModelEntry(id=key, kind="base", family="", bytes=0, path="", title=key)
        for name in (INDEX, "config.json", "unet/config.json"):
            if cached := in_cache(key, name):
                folder = Path(str(cached).removesuffix(name))
                entry = guarded(
                    partial(folder_entry, folder, key),
                    partial(_refused, key, str(folder)),
                )
                if entry is None:
                    continue
                entry = replace(entry, id=key, title=key)
                if name != INDEX or is_closed() or is_offline():
                    return entry
                entry = replace(entry, lacks=())
                if is_whole(folder):
                    return entry
                if any((folder / part / "config.json").is_file() for part in _NETWORKS):
                    known = replace(entry, bytes=0, path="", thumbnail="")
                break
        return None if is_closed() else known


def _add(found: dict[str, ModelEntry], entries: Iterator[ModelEntry], root: Path) -> None:
    """Take entries in; a name that another folder has already gets that of its own in front."""
    for entry in entries:
        before = found.get(entry.id)
        if before is None or _supersedes(entry, before):
            found[entry.id] = entry
        elif not _same(entry, before):
            name = root.parent.name if root.name == "models" else root.name
            number = next(n for n in count(1) if _numbered(name, n, entry.id) not in found)
            identity = _numbered(name, number, entry.id)
            found[identity] = replace(entry, id=identity)


def _numbered(name: str, number: int, identity: str) -> str:
    return f"{name}{'' if number == 1 else f'-{number}'}/{identity}"


def _supersedes(entry: ModelEntry, before: ModelEntry) -> bool:
    """Of a file and its pickle the one that can be used."""
    beside = os.path.dirname(entry.path) == os.path.dirname(before.path)
    return bool(before.problem and not entry.problem and beside)


def _same(entry: ModelEntry, before: ModelEntry) -> bool:
    """Whether two entries are of one file, or of a file and its pickle."""
    if os.path.dirname(entry.path) == os.path.dirname(before.path):
        return True
    return os.path.realpath(entry.path) == os.path.realpath(before.path)


def _refused(identity: str, path: str, problem: str) -> ModelEntry:
    return ModelEntry(identity, "base", "", 0, path, title=identity, problem=problem)


def _place(entry: ModelEntry) -> tuple[int, str]:
    return _ORDER.get(entry.kind, len(_ORDER)), entry.id


def _inherit(entry: ModelEntry, found: Mapping[str, ModelEntry]) -> ModelEntry:
    """A part of a base (``starter/faces``) has that base's family and latent space; what lies in
    the base's own folder came with its edition."""
    base = entry.base or next(
        (
            parent
            for parent in _parents(entry.id)
            if parent in found and found[parent].kind == "base"
        ),
        "",
    )
    if base not in found or base == entry.id:
        return entry
    parent = found[base]
    return replace(
        entry,
        base=base,
        family=entry.family or parent.family,
        size=parent.size,
        latent_space=entry.latent_space or parent.latent_space,
        multiple=entry.multiple if entry.kind == "vae" else parent.multiple,
        edition=parent.edition if base in _parents(entry.id) else entry.edition,
    )


def _known(entry: ModelEntry) -> ModelEntry:
    """The entry, with its problem where it is of a family that nothing here runs."""
    if not entry.family or entry.family in FAMILIES or entry.problem:
        return entry
    known = ", ".join(family.title for family in FAMILIES.values())
    return replace(entry, problem=f"is of family {entry.family!r}; the studio runs {known}")


def _parents(identity: str) -> list[str]:
    parts = identity.split("/")
    return ["/".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]
