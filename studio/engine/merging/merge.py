"""Merging: from a recipe to a model of the library, tensor by tensor, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from studio.diffusion.parameterisation import Training
from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import check_fits
from studio.engine.merging.around import WEIGHTS, copy_around
from studio.engine.merging.sources import Part, parts_of
from studio.engine.merging.sums import Added, Sum, check_alike, named
from studio.engine.merging.words import card, metadata, sha256_of
from studio.engine.merging.writing import write
from studio.errors import StudioError, shorten
from studio.files import STALE_SECONDS
from studio.home import models_folder
from studio.library import CARD, Library, ModelEntry
from studio.library.folders import size_of
from studio.library.merging import Ingredients, Recipe, check
from studio.library.noise import scheduler_config

NETWORK = "network"
_COMING = ".merging-"  # before the name of a folder that is not whole; the library passes it over


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
        StudioError: what :func:`studio.library.merging.check` refuses, models of another architecture
            or noise, numbers that the precision cannot hold, a disk that cannot be written to.
        MissingModel: a model is not there or damaged.
    """
    found = check(recipe, library)
    _check_noise(found.models)
    yield Merging("reading", 0, found.bytes)
    sums, notes = _sums(found)
    for hashed in _hash(found, library):
        yield Merging(f"hashing {hashed}", 0, found.bytes)
    folder = _new_folder(recipe.name)
    try:
        yield from _written(found, sums, library, folder)
        _publish(folder, found.target)
    except OSError as error:
        raise StudioError(
            f"cannot be written ({error.strerror or error}); nothing is kept of it", field="name"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield Merged(recipe.name, str(found.target), size_of(found.target), tuple(notes))


def _check_noise(models: dict[str, ModelEntry]) -> None:
    """Refuse what was trained on another noise than A, as ω does."""
    configs = {place: scheduler_config(one) for place, one in models.items()}
    if not configs["A"]:
        return
    own = Training.of(configs["A"])
    for place, config in configs.items():
        other = own.difference(Training.of(config)) if config else ""
        if other:
            raise StudioError(
                f"{shorten(models[place].id)} was trained with another {other} than {shorten(models['A'].id)}; "
                "weights between the two mean nothing: choose models of one kind",
                field=place,
            )


def _sums(found: Ingredients) -> tuple[list[Sum], list[str]]:
    """What is to be written of each part, and notes."""
    first = found.models["A"]
    parts = {place: parts_of(entry) for place, entry in found.models.items()}
    own, notes = parts.pop("A"), []
    added, left_out = _added(found, own)
    notes += left_out
    sums = []
    for name, part in own.items():
        lacking = [place for place, theirs in parts.items() if name not in theirs]
        if lacking and parts:
            where = ", ".join(found.models[place].id for place in lacking)
            notes.append(f"{part.name} is {first.id}'s alone: {where} has none")
        others = [] if lacking else [theirs[name] for theirs in parts.values()]
        for place, other in zip(parts, others, strict=False):
            check_alike(part, other, (first.id, found.models[place].id), place)
        sums.append(Sum(part, others, added.get(name, {}), found.recipe))
    return sums, notes


def _added(found: Ingredients, own: Mapping[str, Part]) -> tuple[Mapping[str, Added], list[str]]:
    """The LoRAs' changes by part and tensor; each is the one that it makes to A, as ω takes it."""
    if not found.loras:
        return {}, []
    modules = {name: part.module() for name, part in own.items()}
    network = modules.pop(NETWORK)
    added: dict[str, dict[str, list]] = {name: {} for name in own}
    notes: list[str] = []
    for entry, one in found.loras:
        adapter = load_adapter(
            Path(entry.path), entry.id, network, modules, torch.device("cpu"), torch.float32
        )
        notes += [f"{entry.id}: {note}" for note in adapter.notes]
        if entry.words:
            notes.append(
                f"{entry.id}: its learned words ({', '.join(entry.words)}) stay in its file"
            )
        for name, changes in ({NETWORK: adapter.unet} | dict(adapter.text)).items():
            strength = one.strength if name == NETWORK else one.in_text
            check_fits(network if name == NETWORK else modules[name], changes, entry.id)
            for tensor, change in named(own[name].called, changes, entry.id).items():
                added[name].setdefault(tensor, []).append((change, strength))
    return added, notes


def _hash(found: Ingredients, library: Library) -> Iterator[str]:
    entries = [*found.models.values(), *(entry for entry, _ in found.loras)]
    distinct = list({entry.id: entry for entry in entries}.values())
    yield from (entry.id for entry in library.hashes.fill(distinct))


def _new_folder(name: str) -> Path:
    """An empty folder beside the models, in which the outcome grows; old ones of others are cleared."""
    place = models_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob(f"{_COMING}*"):
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > STALE_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{_COMING}{name}-", dir=place))
    except OSError as error:
        raise StudioError(
            f"cannot be written ({error.strerror or error})", field=str(place)
        ) from error


def _written(
    found: Ingredients, sums: Sequence[Sum], library: Library, folder: Path
) -> Iterator[Merging]:
    entries = [*found.models.values(), *(entry for entry, _ in found.loras)]
    hashes = {entry.id: sha256_of(entry, library) for entry in entries}
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
    merged = {one.first.name for one in sums}
    for written in copy_around(found.models["A"], merged, folder):
        done += written
        yield Merging(f"copying what is {found.models['A'].id}'s", done, max(found.bytes, done))
    text = json.dumps(card(found, hashes), indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def _publish(folder: Path, target: Path) -> None:
    """Give the whole folder its name in the library, unless that has been taken meanwhile."""
    if os.path.lexists(target):
        raise StudioError(f"{target.name} is there already; choose another name", field="name")
    folder.chmod(0o755)
    os.rename(folder, target)
