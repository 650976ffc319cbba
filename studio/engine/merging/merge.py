"""Merging: from a recipe to a model of the library, tensor by tensor, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import check_fits
from studio.engine.merging.around import WEIGHTS, Around, copy_around, look_around
from studio.engine.merging.folder import growing, publish
from studio.engine.merging.sources import Part, parts_of
from studio.engine.merging.sums import Added, Sum, check_alike, named
from studio.engine.merging.words import card, metadata, sha256_of
from studio.engine.merging.writing import write
from studio.errors import MissingModel, StudioError, shorten
from studio.library import CARD, Library, ModelEntry
from studio.library.few_steps import few_steps
from studio.library.folders import size_of
from studio.library.hashes import state_of
from studio.library.merging import DIFFERENCE, Ingredients, Recipe
from studio.plan.merging import check

NETWORK = "network"


@dataclass(frozen=True)
class Merging:
    """How far it is: ``done`` of about ``total`` bytes are written; ``stage`` says of what."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Merged:
    """The model is in the library. ``notes``: what is A's alone, or was left out, in words."""

    id: str
    path: str
    bytes: int
    notes: tuple[str, ...] = ()


def merge(recipe: Recipe, library: Library) -> Generator[Merging | Merged]:
    """Merge models into a new one, a folder in diffusers' layout in the library.

    Closing the generator stops, and leaves nothing.

    Raises:
        StudioError: what :func:`studio.plan.merging.check` refuses, models of another architecture,
            numbers that the precision cannot hold, a disk that cannot be written to, a model that
            changes meanwhile.
        MissingModel: a model is not there, damaged or not whole.
    """
    found = check(recipe, library)
    yield Merging("reading", 0, found.bytes)
    before = _states(found)
    sums, notes = _sums(found)
    around = look_around(found.models["A"], {one.first.name for one in sums})
    for hashed in _hash(found, library):
        yield Merging(f"hashing {hashed}", 0, found.bytes)
    with growing(recipe.name) as folder:
        try:
            yield from _written(found, sums, around, library, folder)
            _refuse_changed(found, before)
            publish(folder, found.target, around.decodes)
        except OSError as error:
            raise StudioError(
                f"cannot be written ({error.strerror or error}); nothing is kept of it",
                field="name",
            ) from error
    yield Merged(recipe.name, str(found.target), size_of(found.target), tuple(notes))


def _sums(found: Ingredients) -> tuple[list[Sum], list[str]]:
    """What is to be written of each part, and notes."""
    parts = {place: parts_of(entry) for place, entry in found.models.items()}
    added, notes = _added(found, parts)
    own = parts.pop("A")
    notes += _not_merged(found, own, parts)
    sums = []
    for name, part in own.items():
        whole = all(name in theirs for theirs in parts.values())
        others = {place: theirs[name] for place, theirs in parts.items()} if whole else {}
        for place, other in others.items():
            names = found.models["A"].id, found.models[place].id
            check_alike(part, other, names, place)
        if found.recipe.how == DIFFERENCE and others:
            names = found.models["B"].id, found.models["C"].id
            check_alike(others["B"], others["C"], names, "C", wider=False)
        sums.append(Sum(part, list(others.values()), added.get(name, {}), found.recipe))
    return sums, notes


def _not_merged(
    found: Ingredients, own: Mapping[str, Part], parts: Mapping[str, Mapping[str, Part]]
) -> list[str]:
    """Notes of the parts that only some of the models have."""
    first, notes = found.models["A"].id, []
    for name, part in own.items():
        lacking = [found.models[place].id for place, theirs in parts.items() if name not in theirs]
        if lacking:
            notes.append(f"{part.name} is {first}'s alone: {', '.join(lacking)} has none")
    for place, theirs in parts.items():
        further = [part.name for name, part in theirs.items() if name not in own]
        if further:
            notes.append(
                f"{', '.join(further)} of {found.models[place].id} is left out: {first} has none"
            )
    known = few_steps(first)
    if known is not None and few_steps(found.recipe.name) is None:
        notes.append(
            f"{first} is called {known.title}, made for few steps; by the new name nobody can tell"
        )
    return notes


def _added(
    found: Ingredients, parts: Mapping[str, Mapping[str, Part]]
) -> tuple[Mapping[str, Added], list[str]]:
    """The LoRAs' changes by part and tensor; each is the one that it makes to its model, as ω takes it."""
    own = parts["A"]
    modules = {
        place: {name: part.module() for name, part in parts[place].items()}
        for place in {one.on for _, one in found.loras}
    }
    added: dict[str, dict[str, list]] = {name: {} for name in own}
    notes: list[str] = []
    for entry, one in found.loras:
        towers = {name: made for name, made in modules[one.on].items() if name in own}
        network = towers.pop(NETWORK)
        adapter = load_adapter(
            Path(entry.path), entry.id, network, towers, torch.device("cpu"), torch.float32
        )
        notes += [f"{entry.id}: {note}" for note in adapter.notes]
        if entry.words:
            notes.append(
                f"{entry.id}: its learned words ({', '.join(entry.words)}) stay in its file"
            )
        for name, changes in ({NETWORK: adapter.unet} | dict(adapter.text)).items():
            strength = one.strength if name == NETWORK else one.in_text
            check_fits(network if name == NETWORK else towers[name], changes, entry.id)
            for tensor, change in named(own[name].called, changes, entry.id).items():
                added[name].setdefault(tensor, []).append((change, strength))
    return added, list(dict.fromkeys(notes))


def _entries(found: Ingredients) -> list[tuple[str, ModelEntry]]:
    """Each model and LoRA once, with the field that names it."""
    given = [*found.models.items(), *(("loras", entry) for entry, _ in found.loras)]
    return list({entry.id: (field, entry) for field, entry in reversed(given)}.values())


def _states(found: Ingredients) -> dict[str, tuple[int, int]]:
    """When each model's files were changed last, and their bytes."""
    states = {}
    for field, entry in _entries(found):
        try:
            states[entry.id] = state_of(entry.path)
        except OSError as error:
            raise MissingModel(f"{shorten(entry.id)} is not there any more", field=field) from error
    return states


def _refuse_changed(found: Ingredients, before: Mapping[str, tuple[int, int]]) -> None:
    """What was read while it changed is neither the old model nor the new one."""
    after = _states(found)
    for field, entry in _entries(found):
        if after[entry.id] != before[entry.id]:
            raise StudioError(
                f"{shorten(entry.id)} was changed while it was read; nothing is kept of the outcome, "
                "begin again",
                field=field,
            )


def _hash(found: Ingredients, library: Library) -> Iterator[str]:
    """Each model whose hash has to be computed, before it is."""
    hashes = library.hashes
    for _, entry in sorted(_entries(found), key=lambda one: one[1].bytes):
        if hashes.lacks(entry) or hashes.unknown(entry):
            yield entry.id
            list(hashes.fill([entry]))


def _written(
    found: Ingredients, sums: Sequence[Sum], around: Around, library: Library, folder: Path
) -> Iterator[Merging]:
    hashes = {entry.id: sha256_of(entry, library) for _, entry in _entries(found)}
    done = 0
    for one in sums:
        inside = folder / one.first.name
        inside.mkdir()
        config = json.dumps(one.first.config, indent=2) + "\n"
        (inside / "config.json").write_text(config, encoding="utf-8")
        words = {} if one.first.is_text else metadata(found, hashes)
        weights = inside / WEIGHTS[one.first.is_text]
        for written in write(weights, one.shapes(), one.tensors(), words):
            done += written
            yield Merging(f"merging {one.first.name}", done, found.bytes)
    for written in copy_around(around, folder):
        done += written
        yield Merging(f"copying what is {found.models['A'].id}'s", done, max(found.bytes, done))
    text = json.dumps(card(found, hashes), indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
