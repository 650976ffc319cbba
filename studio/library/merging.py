"""What is to be merged into a model of one's own, and whether it can be: read without a weight.

Weighted sum, ``A·(1−m) + B·m``; add difference, ``A + m·(B−C)``; LoRAs at strengths, into either or
into A alone. A gives what is not merged: autoencoder, scheduler, tokenizers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from studio.errors import MissingModel, StudioError, shorten
from studio.files import shown
from studio.home import models_folder, training_folder
from studio.library.alike import check_shapes
from studio.library.catalogue import Library
from studio.library.entry import ModelEntry
from studio.library.families import title_of
from studio.library.family import VAE
from studio.library.guard import header_of
from studio.library.naming import check_spelling
from studio.library.noise import scheduler_config
from studio.library.weight_files import weight_files

SUM, DIFFERENCE, LORAS = "weighted-sum", "add-difference", "loras"
METHODS = (SUM, DIFFERENCE, LORAS)
PRECISIONS = {"fp16": 2, "bf16": 2, "fp32": 4}  # bytes of a number
HALF = "fp16"
MOST_LORAS = 32
_NEEDS = {SUM: ("A", "B"), DIFFERENCE: ("A", "B", "C"), LORAS: ("A",)}
_ROOM = 64 * 2**20  # bytes that a disk keeps free


@dataclass(frozen=True)
class Baked:
    """A LoRA at its strength; ``text``: that in the text encoders, ``None`` for the same."""

    name: str
    strength: float = 1.0
    text: float | None = None

    @property
    def in_text(self) -> float:
        """Its strength in the text encoders."""
        return self.strength if self.text is None else self.text


def baked(text: str) -> Baked:
    """A LoRA of ``NAME``, ``NAME:0.8`` or ``NAME:0.8:0.5``.

    Raises:
        StudioError: a strength that is no number; names ``loras``.
    """
    name, *strengths = text.strip().split(":")
    try:
        first, *further = [float(one) for one in strengths] or [1.0]
    except ValueError as error:
        raise StudioError(
            f"{shorten(text)}: a name and its strength, such as loras/ink:0.8", field="loras"
        ) from error
    if not name or len(further) > 1:
        raise StudioError(
            f"{shorten(text)}: a name and its strength, such as loras/ink:0.8", field="loras"
        )
    return Baked(name, first, *further)


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
    loras = tuple((_lora(library, one.name, first), one) for one in recipe.loras)
    if recipe.name or named:
        _check_name(recipe.name, library)
    size = _bytes(first, PRECISIONS[recipe.precision])
    _check_room(size)
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
    if recipe.how == LORAS and not recipe.loras:
        raise StudioError("choose a second model, or a LoRA to bake in", field="B")
    if len(recipe.loras) > MOST_LORAS:
        raise StudioError(f"at most {MOST_LORAS}, got {len(recipe.loras)}", field="loras")
    for one in recipe.loras:
        if not (isfinite(one.strength) and isfinite(one.in_text)):
            raise StudioError(
                f"a finite strength for {shorten(one.name)}, got {one.strength}", field="loras"
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
    return entry


def _check_like(first: ModelEntry, other: ModelEntry, place: str) -> None:
    if other.family != first.family:
        raise StudioError(
            f"{shorten(other.id)} is of {title_of(other.family)}, {shorten(first.id)} of "
            f"{title_of(first.family)}; only models of one family can be merged",
            field=place,
        )
    mine, theirs = (scheduler_config(one).get("prediction_type") for one in (first, other))
    if mine and theirs and mine != theirs:
        raise StudioError(
            f"{shorten(other.id)} predicts {theirs}, {shorten(first.id)} {mine}; weights between the two mean "
            "nothing: choose models that predict the same",
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
    taken = (models_folder() / name, models_folder() / f"{name}.safetensors")
    if name in library or any(os.path.lexists(path) for path in taken):
        raise StudioError(f"{name} is there already; choose another name", field="name")
    if training_folder(name).exists():  # whose outcome takes that name
        raise StudioError(f"{name} is the name of a training; choose another name", field="name")


def _bytes(entry: ModelEntry, each: int) -> int:
    """About the bytes of the outcome: the first model's numbers, each in its new size."""
    return sum(size * each // held if held else size for size, held in _tensors(entry))


def _tensors(entry: ModelEntry) -> Iterator[tuple[int, int]]:
    """Bytes of a model's tensors, with those of one number; of the autoencoder, all keep theirs."""
    for file in weight_files(Path(entry.path)):
        try:
            header = header_of(file)
        except (OSError, ValueError):
            continue  # reading it says what is wrong
        for name, tensor in header.items():
            if name != "__metadata__" and not name.startswith(_EMA):
                start, end = tensor["data_offsets"]
                kept = file.parent.name == "vae" or name.startswith(VAE)
                yield end - start, 0 if kept else _SIZES.get(tensor["dtype"], 0)


_EMA = "model_ema."  # averages beside the weights of a checkpoint, which no picture is made with
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}


def _check_room(size: int) -> None:
    folder = models_folder()
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return  # writing says what is wrong
    if size + _ROOM > free:
        raise StudioError(
            f"needs about {size / 1e9:.1f} GB in {shown(folder)}, where {free / 1e9:.1f} GB are "
            "free; make room first, or take another precision",
            field="name",
        )
