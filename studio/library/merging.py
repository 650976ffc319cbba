"""What is to be merged into a model of one's own, and whether it can be: read without a weight.

Weighted sum, ``A·(1−m) + B·m``; add difference, ``A + m·(B−C)``; LoRAs at strengths, into either or
into A alone. A gives what is not merged: autoencoder, scheduler, tokenizers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from studio.errors import MissingModel, StudioError, shorten
from studio.home import models_folder, training_folder
from studio.library.alike import check_shapes
from studio.library.catalogue import Library
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES, title_of
from studio.library.merged_size import bytes_of, check_room
from studio.library.naming import check_no_folder, check_spelling

SUM, DIFFERENCE, LORAS = "weighted-sum", "add-difference", "loras"
METHODS = (SUM, DIFFERENCE, LORAS)
PRECISIONS = {"fp16": 2, "bf16": 2, "fp32": 4}  # bytes of a number
HALF = "fp16"
MOST_LORAS = 32
_NEEDS = {SUM: ("A", "B"), DIFFERENCE: ("A", "B", "C"), LORAS: ("A",)}
MOST = 1e9  # of a multiplier or strength; more is a slip of the hand


@dataclass(frozen=True)
class Baked:
    """A LoRA at its strength; ``text``: that in the text encoders, ``None`` for the same.

    ``on``: A or B, the model whose weights its change is made for; some kinds' depends on them (DoRA,
    (IA)³, GLoRA, OFT).
    """

    name: str
    strength: float = 1.0
    text: float | None = None
    on: str = "A"

    @property
    def in_text(self) -> float:
        """Its strength in the text encoders."""
        return self.strength if self.text is None else self.text

    def __str__(self) -> str:
        """As :func:`baked` reads it."""
        text = "" if self.text is None else f":{self.text:.12g}"
        return f"{self.name}:{self.strength:.12g}{text}{'' if self.on == 'A' else f'@{self.on}'}"


def baked(text: str) -> Baked:
    """A LoRA of ``NAME``, ``NAME:0.8`` or ``NAME:0.8:0.5``, for B's weights with ``@B`` at the end.

    Raises:
        StudioError: a strength that is no number; names ``loras``.
    """
    plain, on = (text.strip()[:-2], "B") if text.strip().endswith("@B") else (text.strip(), "A")
    name, *strengths = plain.split(":")
    try:
        first, *further = [float(one.replace(",", ".")) for one in strengths] or [1.0]
    except ValueError:
        name, first, further = "", 1.0, []
    if not name or len(further) > 1:
        raise StudioError(
            f"{shorten(text)}: a name and its strength, such as loras/ink:0.8", field="loras"
        )
    return Baked(name, first, further[0] if further else None, on)


@dataclass(frozen=True)
class Recipe:
    """What is merged: ids of the library, the multiplier m, LoRAs, and how it is kept.

    ``method``: one of :data:`METHODS`, "" for the one that the models given are for.
    """

    name: str
    a: str
    b: str = ""
    c: str = ""
    multiplier: float = 0.5
    loras: tuple[Baked, ...] = ()
    precision: str = HALF
    method: str = ""

    @property
    def how(self) -> str:
        """The method."""
        return self.method or (DIFFERENCE if self.c else SUM if self.b else LORAS)

    def models(self) -> dict[str, str]:
        """Ids by their place in the formula, those that are given."""
        return {
            place: one
            for place, one in (("A", self.a), ("B", self.b), ("C", self.c))
            if one and place in _NEEDS.get(self.how, ())
        }

    def formula(self) -> str:
        """The sum with the models' ids in it."""
        m = f"{self.multiplier:g}"
        first = {
            SUM: f"{self.a}·(1 − {m}) + {self.b}·{m}",
            DIFFERENCE: f"{self.a} + {m}·({self.b} − {self.c})",
        }.get(self.how, self.a)
        return first + "".join(
            f" + {one.strength:g}·{one.name}"
            + ("" if one.text is None else f" (text {one.text:g})")
            + ("" if one.on == "A" else f" (for {self.b})")
            for one in self.loras
        )


@dataclass(frozen=True)
class Ingredients:
    """The models of a recipe, found and fitting; ``bytes``: about how large the outcome will be."""

    recipe: Recipe
    models: dict[str, ModelEntry]
    loras: tuple[tuple[ModelEntry, Baked], ...]
    bytes: int

    @property
    def target(self) -> Path:
        """The folder that the outcome gets."""
        return models_folder() / self.recipe.name


def check(recipe: Recipe, library: Library, named: bool = True) -> Ingredients:
    """Refuse what cannot be merged, before a weight is read.

    Args:
        named: whether it needs its name already.

    Raises:
        StudioError: a name that is taken or none, a multiplier or strength that is no number, models
            that do not fit, too little room on the disk; names the field.
        MissingModel: a model is not in the library.
    """
    _check_settings(recipe)
    models = {
        place: _whole(library, identity, place) for place, identity in recipe.models().items()
    }
    first = models["A"]
    for place, other in models.items():
        _check_like(first, other, place)
        check_shapes(first, other, place)
    if recipe.how == DIFFERENCE:
        check_shapes(models["B"], models["C"], "C", wider=False)
    loras = tuple((_lora(library, one.name, first), one) for one in recipe.loras)
    if recipe.name or named:
        _check_name(recipe.name, library)
    size = bytes_of(first, PRECISIONS[recipe.precision])
    check_room(size)
    return Ingredients(recipe, models, loras, size)


def _check_settings(recipe: Recipe) -> None:
    if recipe.how not in METHODS:
        raise StudioError(f"{', '.join(METHODS)}; got {shorten(recipe.how)}", field="method")
    if recipe.precision not in PRECISIONS:
        raise StudioError(
            f"{', '.join(PRECISIONS)}; got {shorten(recipe.precision)}", field="precision"
        )
    given = {"A": recipe.a, "B": recipe.b, "C": recipe.c}
    for place, identity in given.items():
        needed = place in _NEEDS[recipe.how]
        if needed and not identity:
            raise StudioError(f"choose a model for {place}", field=place)
        if identity and not needed:
            raise StudioError(
                f"{recipe.how} reads no {place}; leave it out, or take another method", field=place
            )
    if not isfinite(recipe.multiplier):
        raise StudioError(f"a finite number, got {recipe.multiplier}", field="multiplier")
    if abs(recipe.multiplier) > MOST:
        raise StudioError(f"at most {MOST:.0f}, got {recipe.multiplier:g}", field="multiplier")
    if recipe.how == LORAS and not recipe.loras:
        raise StudioError("choose a second model, or a LoRA to bake in", field="B")
    if len(recipe.loras) > MOST_LORAS:
        raise StudioError(f"at most {MOST_LORAS}, got {len(recipe.loras)}", field="loras")
    for one in recipe.loras:
        if not (isfinite(one.strength) and isfinite(one.in_text)):
            raise StudioError(
                f"a finite strength for {shorten(one.name)}, got {one.strength}", field="loras"
            )
        if max(abs(one.strength), abs(one.in_text)) > MOST:
            raise StudioError(
                f"at most {MOST:.0f} for {shorten(one.name)}, got {one.strength:g}", field="loras"
            )
        if one.on not in recipe.models():
            raise StudioError(
                f"{shorten(one.name)} is for the weights of {shorten(one.on)}, which is not given; "
                "leave out what stands behind its strength",
                field="loras",
            )


def _whole(library: Library, identity: str, place: str) -> ModelEntry:
    """A base or fine-tune of plain numbers that lies on this machine."""
    try:
        entry = library[identity]
    except MissingModel as error:
        raise MissingModel(error.message, field=place) from error
    if entry.problem:
        raise StudioError(f"{shorten(identity)} {entry.problem}", field=place)
    if entry.kind not in ("base", "finetune"):
        raise StudioError(
            f"{shorten(identity)} is {entry.a_kind}; what can be merged is a base or a fine-tune",
            field=place,
        )
    if entry.quantised:
        raise StudioError(
            f"{shorten(identity)} has weights rounded by {entry.quantised}, with which no merging can "
            "reckon; take the model in 16 bits",
            field=place,
        )
    if not entry.path:
        raise MissingModel(
            f"{shorten(identity)} is not on this machine; fetch it first, on the Models tab or "
            "with the verb download",
            field=place,
        )
    if entry.family not in FAMILIES:
        raise StudioError(
            f"{shorten(identity)} is of no family that is known here, so that nothing says what its "
            "parts are",
            field=place,
        )
    return entry


def _check_like(first: ModelEntry, other: ModelEntry, place: str) -> None:
    if other.family != first.family:
        raise StudioError(
            f"{shorten(other.id)} is of {title_of(other.family)}, {shorten(first.id)} of "
            f"{title_of(first.family)}; only models of one family can be merged",
            field=place,
        )


def _lora(library: Library, name: str, base: ModelEntry) -> ModelEntry:
    try:
        entry = library[name]
    except MissingModel as error:
        raise MissingModel(error.message, field="loras") from error
    if entry.problem:
        raise StudioError(f"{shorten(name)} {entry.problem}", field="loras")
    if entry.kind != "lora" or not entry.path:
        raise StudioError(
            f"{shorten(name)} is {entry.a_kind}; what can be baked in is a LoRA of the library",
            field="loras",
        )
    if entry.family and entry.family != base.family:
        raise StudioError(
            f"{shorten(name)} is for {title_of(entry.family)}, {shorten(base.id)} is of {title_of(base.family)}",
            field="loras",
        )
    return entry


def _check_name(name: str, library: Library) -> None:
    if not name:
        raise StudioError("needs a name, under which the library will have it", field="name")
    check_spelling(name)
    check_no_folder(name)
    taken = (models_folder() / name, models_folder() / f"{name}.safetensors")
    if name in library or any(os.path.lexists(path) for path in taken):
        raise StudioError(f"{name} is there already; choose another name", field="name")
    if training_folder(name).exists():  # whose outcome takes that name
        raise StudioError(f"{name} is the name of a training; choose another name", field="name")
