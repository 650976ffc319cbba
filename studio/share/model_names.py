"""The library's models by the names and hashes that other tools give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import PurePath

from studio.errors import MissingModel
from studio.library import Library, ModelEntry
from studio.library.civitai_links import version_of
from studio.library.hashes import is_hash

_SUFFIX = re.compile(r"\.(safetensors|ckpt|pt|pth|bin)$", re.IGNORECASE)
Key = Callable[[str], str]


class Shelf:
    """Looks models up by file name, by the title that their maker or the person here gave them, then by hash.

    Args:
        models: the library, or its ids alone; then kinds, families and learned words are not known.
        hashes: of models, by the names that the tool calls them.
        links: of them on civitai.com, by the same names.
        notes: what the person reads of it.
    """

    def __init__(
        self,
        models: Collection[str] | Mapping[str, ModelEntry] = (),
        hashes: Mapping[str, str] | None = None,
        notes: list[str] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        self.entries = dict(models) if isinstance(models, Mapping) else {}
        self.ids = list(models)
        self.hashes = {bare(name).lower(): one for name, one in (hashes or {}).items()}
        self.links = {bare(name).lower(): one for name, one in (links or {}).items()}
        self.notes = notes if notes is not None else []
        self._library = models if isinstance(models, Library) else None

    def find(self, name: str, kinds: Collection[str]) -> str | None:
        """The id of the model that a tool calls ``name``, of one of ``kinds`` as far as known.

        Args:
            name: its name there, or its hash.
        """
        wanted = bare(name).lower()
        stems: tuple[Key, ...] = (str.lower, lambda one: stem(one).lower())
        for same in stems:
            for identity in self.ids:
                if same(identity) == same(wanted) and self._usable(identity, kinds):
                    return identity
        for identity, entry in self.entries.items():
            if wanted in self._titles(identity, entry) and self._usable(identity, kinds):
                return identity
        version = version_of(self.links.get(wanted, ""))
        for identity, entry in self.entries.items() if version else ():
            if entry.version == version and self._usable(identity, kinds):
                self.notes.append(f"{shown(name)} is {identity!r} in this library, by its number")
                return identity
        return self._by_hash(name, self.hashes.get(wanted, wanted), kinds)

    def controls(self, base: str, kind: str) -> bool:
        """Whether the library has a ControlNet of ``base`` for this preprocessor."""
        if self._library is None or not kind:
            return False
        with suppress(MissingModel):
            return bool(self._library.controlnet(base, kind))
        return False

    def _titles(self, identity: str, entry: ModelEntry) -> set[str]:
        """What a person here calls a model, and what its maker does."""
        found = self._library.as_found(identity) if self._library is not None else entry
        return {entry.title.lower(), found.title.lower()}

    def _by_hash(self, name: str, digest: str, kinds: Collection[str]) -> str | None:
        if self._library is None or not is_hash(digest):
            return None
        known = self._library.hashes
        usable = [one for key, one in self.entries.items() if self._usable(key, kinds)]
        found = known.find(digest, usable)
        if found is not None:
            self.notes.append(f"{shown(name)} is {found.id!r} in this library, by its hash")
            return found.id
        waiting = sum(map(known.lacks, usable))
        if waiting:
            self.notes.append(_waiting(waiting))
            self._library.want_hashes()
        return None

    def family(self, identity: str) -> str:
        """The family of a model; "" where it is not known."""
        entry = self.entries.get(identity)
        return entry.family if entry else ""

    def words(self, identity: str) -> tuple[str, ...]:
        """The learned words of a model; its file name where they are not known."""
        entry = self.entries.get(identity)
        return (entry.words if entry else ()) or (stem(identity),)

    def embeddings(self) -> Iterator[str]:
        """The ids that are known to be embeddings."""
        for identity, entry in self.entries.items():
            if entry.kind == "embedding" and not entry.problem:
                yield identity

    def _usable(self, identity: str, kinds: Collection[str]) -> bool:
        entry = self.entries.get(identity)
        return entry is None or (entry.kind in kinds and not entry.problem)


def _waiting(files: int) -> str:
    if files == 1:
        return (
            "the picture names models by hashes, and those of 1 file of this library are not known yet; "
            "'python -m studio models --hashes' reads them, the page does so meanwhile: open it again"
        )
    return (
        f"the picture names models by hashes, and those of {files} files of this library are not known yet; "
        "'python -m studio models --hashes' reads them, the page does so meanwhile: open it again"
    )


def shown(name: str) -> str:
    """A name as a note quotes it."""
    return repr(name[:200])


def bare(name: str) -> str:
    """A name without the suffix of a file of weights, its folders divided by ``/``."""
    return _SUFFIX.sub("", name.replace("\\", "/").strip())


def stem(name: str) -> str:
    """The last part of :func:`bare`."""
    return PurePath(bare(name)).name
