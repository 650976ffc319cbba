"""The table of readers: one for each tool whose pictures say what they were made with.

A reader is a function from an image's texts to what it found, or ``None`` where the texts are
another tool's. It takes the fields that it knows out of :class:`Fields`; what it leaves there is
noted for the person, so that nothing that changes a picture disappears without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.errors import shorten
from studio.extensions import Table
from studio.share.texts import Texts
from studio.share.tools.prompts import Lora, number

MAX_FIELDS = 400
MAX_NOTES = 60
_NOTHING = ("", "none", "null", "false", "off")


class Fields:
    """What a tool wrote, by name. Fields that nobody takes are noted.

    Args:
        values: names and values as the tool wrote them.
    """

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._left = {str(key): value for key, value in list(values.items())[:MAX_FIELDS]}
        self._cut = len(values) - len(self._left)

    def take(self, *names: str) -> Any:
        """The first value of these names, all of which count as read; ``None`` for none."""
        found = [self._left.pop(name) for name in names if name in self._left]
        return next((value for value in found if value is not None), None)

    def text(self, *names: str) -> str:
        """The same where it is text; "" for anything else."""
        value = self.take(*names)
        return value if isinstance(value, str) else ""

    def number(self, *names: str, plain: float | None = None) -> float | int | None:
        """The same where it is a finite number; what is none, and not nothing, stays to be noted."""
        value = self.take(*names)
        found = number(value)
        if found is None and value is not None and not _is_nothing(value):
            self._left[names[0]] = value
        return plain if found is None else found

    def put(self, name: str, value: object) -> None:
        """A field that is to be noted after all."""
        self._left[name] = value

    def drop(self, *names: str) -> None:
        """Fields that say nothing about how the picture was made (versions, dates, counts)."""
        for name in names:
            self._left.pop(name, None)

    def drop_if(self, name: str, *plain: object) -> None:
        """A field that changes nothing at these values."""
        if name in self._left and self._left[name] in plain:
            del self._left[name]

    def starting(self, start: str) -> dict[str, Any]:
        """The fields whose names start so, taken."""
        names = [name for name in self._left if name.startswith(start)]
        return {name: self._left.pop(name) for name in names}

    def notes(self) -> list[str]:
        """A note for what nobody took; fields of one family (``ADetailer …``) in one note."""
        families: dict[str, list[str]] = {}
        for name, value in self._left.items():
            if not _is_nothing(value):
                shown = f"{name[:60]} {shorten(value)}"
                families.setdefault(name.split(" ")[0].split("_")[0].lower(), []).append(shown)
        notes = [
            f"{', '.join(shown)} {'is' if len(shown) == 1 else 'are'} not carried over"
            for shown in families.values()
        ]
        return notes + ([f"{self._cut} further fields are not read"] if self._cut else [])


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    return value is None or value is False or (isinstance(value, list | dict) and not value)


@dataclass(frozen=True)
class ControlUse:
    """A ControlNet or an IP-Adapter as another tool used it; its picture is not in the file.

    ``kind`` names the preprocessor there, ``image`` the picture's file; ``range`` is the part of
    the denoising, from 0 to 1; ``adapter``: that tool calls the network a T2I-Adapter.
    """

    model: str
    kind: str = ""
    strength: float = 1.0
    range: tuple[float, float] = (0.0, 1.0)
    image: str = ""
    adapter: bool = False

    @property
    def what(self) -> str:
        """What its network is called; files of T2I-Adapters say so in their names."""
        named = self.adapter or "t2i" in self.model.lower()
        return "T2I-Adapter" if named else "ControlNet"


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
    tool names it, and ``hashes`` of it; ``hash_of``: hashes by the names of whatever else it used; ``vae``: an autoencoder other than the base's own. ``noise``: where the tool draws it, ``cpu`` or ``device``. ``fields``: what is left in it is noted.
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
    vae: str = ""
    rescale: float | int | None = None
    eta: float | int | None = None
    variation_seed: Any = None
    variation_strength: float | int | None = None
    noise: str = ""
    loras: list[Lora] = field(default_factory=list)
    embeddings: list[str] = field(default_factory=list)
    controls: list[ControlUse] = field(default_factory=list)
    image_prompts: list[ControlUse] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_terms(self) -> tuple[Term, ...]:
        """The sum as terms; their coefficients add up to 1."""
        if self.terms:
            return self.terms
        scale = float(self.scale if self.scale is not None else 1.0)
        controls = tuple(self.controls)
        return (
            Term(scale, (Condition(((self.prompt, 1.0),), controls=controls),)),
            Term(1.0 - scale, (Condition(((self.negative, 1.0),), controls=controls),)),
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
