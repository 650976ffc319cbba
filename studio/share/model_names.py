"""The library's models by the names that other tools give them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath

from studio.library import ModelEntry

_SUFFIX = re.compile(r"\.(safetensors|ckpt|pt|pth|bin)$", re.IGNORECASE)


class Shelf:
    """Looks models up by file name.

    Args:
        models: the library, or its ids alone; then kinds, families and learned words are not known.
    """

    def __init__(self, models: Collection[str] | Mapping[str, ModelEntry] = ()) -> None:
        self.entries = dict(models) if isinstance(models, Mapping) else {}
        self.ids = list(models)

    def find(self, name: str, kinds: Collection[str]) -> str | None:
        """The id of the model that a tool calls ``name``, of one of ``kinds`` as far as known."""
        wanted = bare(name).lower()
        for same in (str.lower, lambda one: stem(one).lower()):
            for identity in self.ids:
                if same(identity) == same(wanted) and self._usable(identity, kinds):
                    return identity
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


def bare(name: str) -> str:
    """A name without the suffix of a file of weights, its folders divided by ``/``."""
    return _SUFFIX.sub("", name.replace("\\", "/").strip())


def stem(name: str) -> str:
    """The last part of :func:`bare`."""
    return PurePath(bare(name)).name
