"""What another tool's picture was made with besides its base: LoRAs and embeddings, as a row's model.

What the library holds is carried over. What it does not hold stays named, in a note and in the
preset's description, so that it can be put back once it is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from studio.library import ADAPTERS, title_of
from studio.preset import ModelRef
from studio.preset.bounds import bounds, most
from studio.preset.prompts import mentions
from studio.share.model_names import Shelf, bare, stem
from studio.share.tools.prompts import Lora

MAX_LORAS, MAX_EMBEDDINGS = 1 + most(ModelRef, "loras"), most(ModelRef, "embeddings")
LEAST_STRENGTH, MAX_STRENGTH = bounds(ModelRef, "strength")
MAX_HINTED = 200
MAX_TRIED = 60
EMBEDDING = re.compile(r"\bembedding:([\w./\\-]{0,199}\w)", re.IGNORECASE)


class Additions:
    """Carries LoRAs and embeddings over into rows.

    Args:
        shelf: the library.
        base: id of the preset's base, "" where it is not known.
        notes: what the person reads; ``left`` collects what is not carried over, ``missing`` the names
            of what the library does not hold.
        keeper: where the name of what is left out stays.
    """

    def __init__(
        self, shelf: Shelf, base: str, notes: list[str], keeper: str = "the description"
    ) -> None:
        self.keeper = keeper
        self.shelf = shelf
        self.base = base
        self.notes = notes
        self.left: list[str] = []
        self.missing: list[str] = []

    def lacks(self, name: str, digest: str) -> None:
        """The library does not hold a model; its hash may tell where it can be looked up."""
        self.missing.append(name)
        if digest:
            self.shelf.links.setdefault(bare(name).lower(), digest)

    def loras(self, loras: Sequence[Lora], field: str) -> list[dict[str, Any]]:
        """Those that the library holds, as a row's model names them."""
        found = []
        for lora in loras[:MAX_TRIED]:
            identity = self.shelf.find(lora.name, ADAPTERS)
            if identity is None:
                self._leave(
                    field, f"the LoRA {lora.name!r} at {lora.strength:g}", str(lora), lora.name
                )
            elif self._fits(identity, field, str(lora)):
                strength = max(LEAST_STRENGTH, min(MAX_STRENGTH, lora.strength))
                if strength != lora.strength:
                    self.notes.append(
                        f"{field}: {lora.name!r} at {lora.strength:g} became {strength:g}"
                    )
                one: dict[str, Any] = {"lora": identity, "strength": strength}
                text = self._text_strength(lora, field)
                if text is not None:
                    one["text_strength"] = text
                found.append(one)
        if len(loras) > MAX_TRIED:
            self.notes.append(f"{field}: only the first {MAX_TRIED} of {len(loras)} LoRAs are read")
        if len(found) > MAX_LORAS:
            self.notes.append(f"{field}: only the first {MAX_LORAS} of {len(found)} LoRAs are kept")
        return found[:MAX_LORAS]

    def _text_strength(self, lora: Lora, field: str) -> float | None:
        """Its strength in the text encoders; ``None`` where that is the network's."""
        if lora.text is None or lora.text == lora.strength:
            return None
        bounded = max(LEAST_STRENGTH, min(MAX_STRENGTH, lora.text))
        if bounded != lora.text:
            self.notes.append(
                f"{field}: {lora.name!r} at {lora.text:g} on the text became {bounded:g}"
            )
        return bounded

    def embeddings(
        self, text: str, hinted: Sequence[str], bare_words: bool, field: str
    ) -> tuple[str, list[str]]:
        """The prompt with each embedding under its learned word, and the embeddings' ids.

        Args:
            hinted: names that the tool wrote down as embeddings.
            bare_words: whether the tool takes an embedding's mere name for it.
        """
        found: dict[str, None] = {}

        def marked(match: re.Match[str]) -> str:
            identity = self.shelf.find(match[1], ("embedding",))
            if identity is None:
                name = bare(match[1])
                self._leave(field, f"the embedding {name!r}", f"embedding:{name}", name)
            if identity is None or not self._fits(identity, field, match[0]):
                return ""
            found[identity] = None
            return " ".join(self.shelf.words(identity))

        text = EMBEDDING.sub(marked, text)
        named = {name: self.shelf.find(name, ("embedding",)) for name in hinted[:MAX_HINTED]}
        for name, identity in named.items():
            if identity is None and mentions(text, name):
                self._leave(field, f"the embedding {name!r}", f"embedding:{name}", name)
        known = [*filter(None, named.values()), *(self.shelf.embeddings() if bare_words else ())]
        for identity in dict.fromkeys(known):
            words = self.shelf.words(identity)
            called = next((w for w in (stem(identity), *words) if mentions(text, w)), None)
            if called is None or identity in found or not self._fits(identity, field, called):
                continue
            found[identity] = None
            self.notes.append(f"{field}: the word {called!r} is the embedding {identity!r}")
            if called not in words:
                pattern = rf"(?<!\w){re.escape(called)}(?!\w)"
                text = re.sub(pattern, lambda _, w=words: " ".join(w), text, flags=re.IGNORECASE)
        return re.sub(r"\s+", " ", text).strip(" ,"), list(found)[:MAX_EMBEDDINGS]

    def _fits(self, identity: str, field: str, tag: str) -> bool:
        """Whether a model is of the base's family, as far as that is known; noted where not."""
        mine, base = self.shelf.family(identity), self.shelf.family(self.base)
        if mine and base and mine != base:
            self.notes.append(
                f"{field}: {identity!r} is for {title_of(mine)}, the base is not; it is left out"
            )
            self.left.append(tag)
        return not (mine and base and mine != base)

    def _leave(self, field: str, what: str, tag: str, name: str) -> None:
        self.notes.append(f"{field}: {what} is not in the library; {self.keeper} keeps its name")
        self.left.append(tag)
        self.missing.append(name)


def row_model(
    loras: Sequence[Mapping[str, Any]], embeddings: Sequence[str]
) -> dict[str, Any] | None:
    """A row's model on the preset's base; ``None`` for the base alone."""
    model: dict[str, Any] = {}
    if loras:
        model |= loras[0]
    if len(loras) > 1:
        model["loras"] = list(loras[1:])
    if embeddings:
        model["embeddings"] = list(embeddings)
    return model or None


def give_words(
    data: dict[str, Any], hinted: Sequence[str], bare_words: bool, additions: Additions
) -> None:
    """Embeddings that prompts of a preset's second pass name, given to the rows whose place they take.

    Args:
        data: the preset's. hinted, bare_words: as :meth:`Additions.embeddings` takes them.
    """
    for name, away in (("prompt", False), ("negative_prompt", True)):
        given, field = data["second_pass"].get(name, ""), f"second_pass.{name}"
        text, words = additions.embeddings(given, hinted, bare_words, field)
        if given:
            data["second_pass"][name] = text
        for row in data["rows"] if words else ():
            if (row["weight"] < 0) is away:
                model = row["model"] or {}
                held = dict.fromkeys([*model.get("embeddings", ()), *words])
                row["model"] = {**model, "embeddings": list(held)}
