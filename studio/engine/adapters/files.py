"""Reading adapters in every dialect: names, roles and kinds, each from its own table.

Whatever the file, what comes out is a change per layer at strength 1: thin factors for LoRA, the
full difference for what is no product of two factors. Both scale exactly, since ``θ + s·Δ`` is
linear in ``Δ``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.adapters.changes import Change, Delta
from studio.engine.adapters.fused import AND, Together
from studio.engine.adapters.layers import change_of
from studio.engine.adapters.lora import Adapter
from studio.engine.adapters.names import Names
from studio.engine.adapters.peft_folders import PEFT_CONFIG, merged_by_peft
from studio.engine.adapters.settings import settings_of
from studio.engine.networks.storage import dtype_of
from studio.errors import IncompatibleModels, MissingModel, StudioError, shorten, some_of
from studio.library import CUSTOM_DIFFUSION_FILE, LORA_FILE
from studio.library.adapter_kinds import BUNDLED, SHARED, Endings, kinds_of

_State = dict[str, Tensor]
_Parts = dict[str, dict[str, Change]]
_Place = tuple[str, str]


def load_adapter(
    path: Path,
    name: str,
    network: nn.Module,
    towers: Mapping[str, nn.Module],
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> Adapter:
    """Read an adapter.

    Args:
        path: a safetensors file, or a folder with one in diffusers' or peft's layout.
        name: what errors call it.
        network: the denoising network that it is for; the weights of some kinds depend on it.
        towers: the text encoders, by their names in a pipeline.
        dtype: of the changes; that of each layer where none is given, as some families hold their
            networks in another than the engine's.

    Raises:
        MissingModel: the file is not there or damaged.
        IncompatibleModels: another architecture, or tensors that cannot be understood.
    """
    modules = {"unet": network, **towers}
    if path.is_dir() and (folders := peft_parts(path, modules)):
        parts: _Parts = {
            part: merged_by_peft(folder, modules[part], name) for part, folder in folders.items()
        }
        notes: tuple[str, ...] = ()
    else:
        parts, notes = _from_file(_file_of(path, name), name, modules)
    if not any(parts.values()):
        raise IncompatibleModels("holds no weights of an adapter", field=name)
    placed = {
        part: {
            where: _move(change, device, dtype or _dtype_of_layer(modules[part], where))
            for where, change in changes.items()
        }
        for part, changes in parts.items()
    }
    unet = placed.pop("unet", {})
    return Adapter(name, unet, placed, notes)


def peft_parts(path: Path, modules: Iterable[str]) -> dict[str, Path]:
    """Network → folder that peft saved for it; {} where a file in diffusers' layout comes first."""
    if any((path / file).is_file() for file in (LORA_FILE, CUSTOM_DIFFUSION_FILE)):
        return {}
    found = {}
    for part in modules:
        folders = [path / n for n in ([part, "transformer", "."] if part == "unet" else [part])]
        folder = next((f for f in folders if (f / PEFT_CONFIG).is_file()), None)
        if folder is not None:
            found[part] = folder
    return found


def _file_of(path: Path, name: str) -> Path:
    if not path.is_dir():
        return path
    for file in (CUSTOM_DIFFUSION_FILE, LORA_FILE):
        if (path / file).is_file():
            return path / file
    raise MissingModel("holds no adapter (no safetensors file of a known name)", field=name)


def _dtype_of_layer(network: nn.Module, where: str) -> torch.dtype:
    weight: Any = getattr(network.get_submodule(where.removesuffix(".bias")), "weight", None)
    plain = isinstance(weight, Tensor) and weight.is_floating_point()
    return weight.dtype if plain else dtype_of(network)


def _move(change: Change, device: torch.device, dtype: torch.dtype) -> Change:
    if isinstance(change, Tensor):
        return change.to(device, dtype)
    return change[0].to(device, dtype), change[1].to(device, dtype)


def read_state(file: Path, name: str) -> _State:
    """All tensors of a safetensors file.

    Raises:
        MissingModel: not there, damaged, or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except OSError as error:
        raise MissingModel("its file is not there any more", field=name) from error
    except (SafetensorError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise MissingModel(f"is damaged ({shorten(str(error))})", field=name) from error


@dataclass
class _Sorted:
    """A file's tensors by layer and role, and the names that belong to none."""

    layers: dict[_Place, dict[str, Tensor]] = field(default_factory=dict)
    absent: dict[str, None] = field(default_factory=dict)  # names of layers that the base lacks
    stray: list[str] = field(default_factory=list)  # names that end as no kind's tensors do


def _from_file(
    file: Path, name: str, modules: Mapping[str, nn.Module]
) -> tuple[_Parts, tuple[str, ...]]:
    """The changes in a file, and what of it is left out, in words."""
    found = _sorted(read_state(file, name), Names(modules), name)
    settings = settings_of(file, name)
    if len(found.absent) >= max(1, len(found.layers)):
        first = shorten(next(iter(found.absent)))
        raise IncompatibleModels(
            f"is an adapter of another architecture: the base has no layer {first}", field=name
        )
    parts: _Parts = {part: {} for part in modules}
    for (part, layer), tensors in found.layers.items():
        try:
            deltas = _changes(modules[part], layer, tensors, partial(settings.scale, part, layer))
        except StudioError as error:
            if error.field:
                raise
            raise IncompatibleModels(f"layer {layer} {error.message}", field=name) from error
        for one, delta in deltas.items():
            if one in parts[part]:
                raise IncompatibleModels(f"names layer {one} twice", field=name)
            if delta.weight is not None:
                parts[part][one] = delta.weight
            if delta.bias is not None:
                parts[part][f"{one}.bias"] = delta.bias
    return parts, _notes(found)


def _changes(
    network: nn.Module,
    layer: str,
    tensors: Mapping[str, Tensor],
    scale: Callable[[int], float],
) -> dict[str, Delta]:
    """The change of each layer that a name means."""
    names = layer.split(AND)
    modules = [network.get_submodule(one) for one in names]
    if len(names) == 1:
        return {layer: change_of(tensors, modules[0], scale)}
    together = Together(modules)
    return dict(zip(names, together.apart(change_of(tensors, together, scale)), strict=True))


def _sorted(state: _State, names: Names, name: str) -> _Sorted:
    endings, found = Endings(), _Sorted()
    for key, value in state.items():
        if key.startswith(BUNDLED):
            continue  # learned words, read as such
        pair = endings.split(key)
        if pair is None:
            found.stray.append(key)
            continue
        place = names.find(pair[0])
        if place is None:
            found.absent[pair[0]] = None
            continue
        tensors = found.layers.setdefault(place, {})
        if pair[1] in tensors:
            raise IncompatibleModels(f"names layer {place[1]} twice", field=name)
        tensors[pair[1]] = value
    _refuse_half_read(found, names, name)
    return found


def _refuse_half_read(found: _Sorted, names: Names, name: str) -> None:
    """A tensor of an unknown role changes the layer that it belongs to, so that is not guessed."""
    for place, tensors in [*found.layers.items()]:
        if not kinds_of(set(tensors)):
            roles = ", ".join(sorted(tensors))
            if not set(tensors) <= {"weight", *SHARED.values()}:
                raise IncompatibleModels(f"layer {place[1]} has {roles} only", field=name)
            found.stray += [f"{place[1]} ({roles})"]
            del found.layers[place]
    for key in found.stray:
        layer = key.removesuffix(".weight").rpartition(".")[0]
        place = names.find(layer) if layer else None
        if place is not None and place in found.layers:
            raise IncompatibleModels(
                f"layer {place[1]}: {shorten(key.rpartition(layer)[2].strip('.'))} is part of a "
                "decomposition that is not read; merge it into a full model first",
                field=name,
            )


def _notes(found: _Sorted) -> tuple[str, ...]:
    notes = []
    for names, why in (
        (list(found.absent), "layers that the base does not have"),
        (found.stray, "names that belong to no layer"),
    ):
        if names:
            notes.append(f"left out, {why}: {some_of([*map(shorten, names)], 1)}")
    return tuple(notes)
