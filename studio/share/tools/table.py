"""The table of readers: one for each tool whose pictures say what they were made with.

A reader is a function from an image's texts to what it found, or ``None`` where the texts are
another tool's. It takes the fields that it knows out of :class:`Fields`; what it leaves there is
noted for the person, so that nothing that changes a picture disappears without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from studio.extensions import Table
from studio.preset.prompts import split_prompt
from studio.share.texts import Texts
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import Lora
from studio.share.tools.refiner import Refining

__all__ = [
    "MAX_NOTES",
    "READERS",
    "Condition",
    "ControlUse",
    "Fields",
    "Found",
    "Reader",
    "Term",
    "find",
    "unread",
]

MAX_NOTES = 60


@dataclass(frozen=True)
class ControlUse:
    """A ControlNet or an IP-Adapter as another tool used it; its picture is not in the file.

    ``kind`` names the preprocessor there, ``image`` the picture's file; ``range`` is the part of
    the denoising, from 0 to 1; ``adapter``: that tool calls the network a T2I-Adapter; ``finished``: the
    picture is a map of that kind already; ``thresholds``: of a preprocessor of edges, low and high;
    ``picture``: what the row is given as its image, where that comes apart from the settings;
    ``named``: whether ``model`` is a network's name, and not that of a unit without one; ``hash``: of its
    file.
    """

    model: str
    kind: str = ""
    strength: float = 1.0
    range: tuple[float, float] = (0.0, 1.0)
    image: str = ""
    adapter: bool = False
    finished: bool = False
    thresholds: tuple[int, int] | None = None
    picture: str = ""
    named: bool = True
    hash: str = ""

    @property
    def what(self) -> str:
        """What its network is called; files of T2I-Adapters say so in their names."""
        named = self.adapter or "t2i" in self.model.lower()
        return "T2I-Adapter" if named else "ControlNet"

    @property
    def shown(self) -> str:
        """How it was used, for a note."""
        used = f"strength {self.strength:g}, steps {self.range[0]:g}-{self.range[1]:g}"
        return ", ".join(filter(None, (self.kind[:60], used, self.image[:80])))


@dataclass(frozen=True)
class Condition:
    """One of the conditions that a prediction is averaged over.

    ``texts``: prompts and their shares, whose sum is 1. ``strength``: this condition's weight
    among the others. ``area``: left, top, width, height as parts of the picture.
    """

    texts: tuple[tuple[str, float], ...]
    strength: float = 1.0
    range: tuple[float, float] = (0.0, 1.0)
    area: tuple[float, float, float, float] | None = None
    controls: tuple[ControlUse, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it is the empty prompt and nothing else, which the base term is already."""
        return not self.controls and not any(text.strip() for text, _ in self.texts)


@dataclass(frozen=True)
class Term:
    """A prediction, averaged over its conditions, and its coefficient in the sum."""

    coefficient: float
    conditions: tuple[Condition, ...]


@dataclass
class Found:
    """What a tool's metadata says, in the studio's terms.

    ``prompt``, ``negative`` and ``scale`` are classifier-free guidance,
    ``ε(neg) + w·(ε(pos) − ε(neg))``; a tool with another sum gives ``terms`` instead.
    ``grammar``: whose prompt weights they are, see :func:`~studio.share.tools.prompts.read_prompt`.
    ``bare_words``: whether an embedding's mere name is the embedding. ``model``: the base, as the
    tool names it, and ``hashes`` of it; ``hash_of``: hashes by the names of whatever else it used; ``links``: of them on civitai.com, or hashes that it knows; ``vae``: an autoencoder other than the base's own. ``clip_skip``:
    the layer of CLIP that is read, counted from its end, or ``skipped_layers``: how many are left
    out from the model's own. ``second_pass``: fields of the preset's, ``upscaler``, what enlarges for it, and ``second_model``, what is the base in it, as the tool names them. ``detail``: fields of the preset's. ``seamless``: the preset's value. ``freeu``: fields of the preset's. ``refining``: what finishes the picture. ``noise``: where the tool draws it, ``cpu`` or ``device``. ``fields``: what is left in it is noted.
    """

    tool: str
    fields: Fields
    prompt: str = ""
    negative: str = ""
    scale: float | int | None = None
    terms: tuple[Term, ...] = ()
    grammar: str = "AUTOMATIC1111"
    bare_words: bool = True
    steps: Any = None
    seed: Any = None
    sampler: str = ""
    schedule: str = ""
    size: tuple[int, int] | None = None
    model: str = ""
    hashes: tuple[str, ...] = ()
    hash_of: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    vae: str = ""
    clip_skip: int | None = None
    skipped_layers: int | None = None
    rescale: float | int | None = None
    eta: float | int | None = None
    variation_seed: Any = None
    variation_strength: float | int | None = None
    noise: str = ""
    second_pass: dict[str, Any] = field(default_factory=dict)
    upscaler: str = ""
    second_model: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    seamless: str = ""
    freeu: dict[str, Any] = field(default_factory=dict)
    refining: Refining | None = None
    loras: list[Lora] = field(default_factory=list)
    embeddings: list[str] = field(default_factory=list)
    controls: list[ControlUse] = field(default_factory=list)
    image_prompts: list[ControlUse] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_terms(self) -> tuple[Term, ...]:
        """The sum as terms; their coefficients add up to 1, each part around AND counted."""
        if self.terms:
            return self.terms
        scale = float(self.scale if self.scale is not None else 1.0)
        # Parts around AND pull by the scale each, and the negative prompt weighs what is left.
        parts = split_prompt(self.prompt) if self.grammar == "AUTOMATIC1111" else [("", 1.0)]
        controls = tuple(self.controls)
        return (
            Term(scale, (Condition(((self.prompt, 1.0),), controls=controls),)),
            Term(
                1.0 - scale * fsum(share for _, share in parts),
                (Condition(((self.negative, 1.0),), controls=controls),),
            ),
        )


@dataclass(frozen=True)
class Reader:
    """A tool's reader. Readers of a lower ``order`` are asked first; 100 is for the most general."""

    read: Callable[[Texts], Found | None]
    order: int = 50


READERS: Table[Reader] = Table("reader of another tool")


def find(texts: Texts) -> tuple[Found | None, list[str]]:
    """What the first reader that knows these texts finds in them, and the readers that failed."""
    failed = []
    for name, reader in sorted(READERS.items(), key=lambda item: item[1].order):
        try:
            found = reader.read(texts)
        except Exception:  # a stranger's text, or a stranger's reader: it ends neither
            failed.append(name)
            continue
        if found is not None:
            return found, failed
    return None, failed


def unread(failed: list[str]) -> list[str]:
    """What is said of readers that failed."""
    return [f"its text looks like {tool}'s, and cannot be read" for tool in failed]
