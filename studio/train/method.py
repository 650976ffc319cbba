"""The table of training methods: what each one trains, reads, costs and leaves behind.

A method is one file of ``studio/train/methods``, or a module of an installed package, that
registers a :class:`Method`. The settings' check, the page's choices, the command line's options and
help, and the table of docs/training.md read it; nothing else names a method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from studio.extensions import Table
from studio.library.families import DEFAULT, FAMILIES
from studio.library.family import ModelFamily
from studio.train.settings import METHOD

if TYPE_CHECKING:
    from torch import Tensor

    from studio.train.adaptation import Adaptation
    from studio.train.base import Base, Projector
    from studio.train.settings import TrainConfig

EVERY_LOSS = frozenset({"ddloss", "pdloss", "prior_weight"})
# Settings that every method with a text reads; those of one method's own are in its record.
TEXTS = frozenset(
    {"word", "superclass", "captions", "template", "caption_dropout", "clip", "measure_every"}
)
LOSSES = EVERY_LOSS | {"ddloss_norm", "pdloss_target", "class_images", "class_count"}


@dataclass(frozen=True)
class Materials:
    """What some methods build from, besides settings and base.

    Attributes:
        samples: noisy latents with their times, for constants that are measured.
        projector: CLIP's projections, where :attr:`Method.reads_pictures`.
    """

    samples: Iterable[tuple[Tensor, Tensor]] = ()
    projector: Projector | None = None


def _one_tower(family: ModelFamily) -> bool:
    return family.one_tower and family.part == "unet"


Build = Callable[["TrainConfig", "Base", Materials], "Adaptation"]


@dataclass(frozen=True)
class Method:
    """One training method.

    Attributes:
        title: on the page.
        trains: what trains, as the end of "it trains …"; for help and docs.
        files: what the result holds; for docs.
        kind: what the result is in the library, such as ``lora``.
        build: adapts a base; may change ``base.network`` in place.
        settings: those of :class:`studio.train.settings.TrainConfig` that it reads besides the ones
            that all share; a value given to another is answered with a note.
        defaults: the papers', where they differ from ``TrainConfig``'s.
        small: on top of these, for small families such as the shipped one.
        fits: whether it trains on a family, from what the family's record says of its parts; most
            methods ask for a U-Net whose captions one CLIP tower reads.
        losses: whose gradient reaches what trains; the others are only measured.
        without_text: why there is no word, caption or loss of text, "" where there is.
        learns_word: whether the word's own vectors train; it then stands in angle brackets.
        reads_pictures: whether the word is read from each picture by a CLIP image encoder.
        whole: whether the whole network trains, so that none of it is held in half precision.
        place: lists are in this order.
    """

    title: str
    trains: str
    files: str
    kind: str
    build: Build
    settings: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    fits: Callable[[ModelFamily], bool] = _one_tower
    losses: frozenset[str] = EVERY_LOSS
    without_text: str = ""
    learns_word: bool = False
    reads_pictures: bool = False
    whole: bool = False
    place: int = 100

    def reads(self, setting: str) -> bool:
        """Whether ``setting`` means anything to it."""
        if setting in self.settings:
            return True
        if setting in TEXTS | LOSSES:
            return not self.without_text
        return not any(setting in other.settings for other in METHODS.values())


METHODS: Table[Method] = Table(METHOD)


def ordered() -> list[tuple[str, Method]]:
    """Names and records, in the order of lists."""
    return sorted(METHODS.items(), key=lambda item: item[1].place)


def personal() -> tuple[str, ...]:
    """The methods that a word calls: all but those without text."""
    return tuple(name for name, method in ordered() if not method.without_text)


def methods_on(family: str) -> tuple[str, ...]:
    """The methods that train on a family ("" is the default one); none on one that is not known."""
    record = FAMILIES.get(family or DEFAULT)
    if record is None or not record.trains:
        return ()
    return tuple(name for name, method in ordered() if method.fits(record))


def trainable_families() -> tuple[str, ...]:
    """Every family that some method trains on."""
    return tuple(name for name in FAMILIES if methods_on(name))
