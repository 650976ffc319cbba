"""The one way in for a network's weights: safetensors only, a sane config, and no tensor missing.

A config is a file that somebody wrote: its numbers are bounded before a network is built of them,
since a million layers would keep a processor for ever. A tensor that a file lacks is left empty
or drawn at random by the libraries, with a remark in the log; here it is refused by name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from studio.engine.networks.devices import memory_error_within
from studio.errors import MissingModel, StudioError, shorten, some_of
from studio.files import read_regular, shown
from studio.library import ModelEntry
from studio.library.hub import check_reachable

MAX_BYTES = 4 * 2**20  # of a config
MOST_ENTRIES = 10_000  # numbers in one config
MOST = 2**31
UNBOUNDED = {"lambda_min_clipped"}  # diffusers writes its "no clipping" as −∞
# Numbers whose name holds the word build as many modules, or a table as long.
MOST_OF = {"layers": 256, "timesteps": 100_000, "blocks": 256, "channels": 2**16, "vectors": 4096}


def from_folder(
    kind: Any,
    source: str,
    name: str,
    part: str = "",
    dtype: torch.dtype | None = None,
    variant: str | None = None,
) -> Any:
    """A network of a folder in diffusers' or transformers' layout, or of a hub id.

    Args:
        kind: its class, with ``from_pretrained``.
        source: the folder or hub id; ``part``: the folder within it.
        name: what errors call it.
        variant: ``fp16`` for files of that name.

    Raises:
        MissingModel: absent, damaged, a pickle, a config out of bounds, or a tensor missing.
    """
    folder = Path(source, part)
    if folder.is_dir():
        check_files(folder, name)
        check_config(read_config(folder / "config.json"), f"{name!r}: {folder.name}/config.json")
    options: dict[str, Any] = {"use_safetensors": True, "output_loading_info": True}
    options |= {"subfolder": part} if part else {}
    if kind.__module__.startswith("transformers"):
        # Never a kernel that a config names, which would be fetched.
        attention = "sdpa" if getattr(kind, "_supports_sdpa", False) else "eager"
        options |= {"dtype": dtype, "attn_implementation": attention}
    else:
        options |= {"torch_dtype": dtype}
    options = {key: value for key, value in options.items() if value is not None}
    network, info = guarded(
        lambda: kind.from_pretrained(source, variant=variant, **options),
        name,
        "" if Path(source).is_dir() else source,
    )
    check_complete(network, info["missing_keys"], name, part)
    return network


def check_complete(network: nn.Module, missing: Collection[str], name: str, part: str) -> None:
    """Refuse a network with a tensor that its file did not hold.

    Raises:
        MissingModel: names the first of them.
    """
    named = (*network.named_parameters(), *network.named_buffers())
    refuse_missing({*missing, *(key for key, tensor in named if tensor.is_meta)}, name, part)


def refuse_missing(missing: Collection[str], name: str, part: str) -> None:
    """Refuse a network for the tensors that its file does not hold; none is no reason to.

    Raises:
        MissingModel: names the first of them.
    """
    absent = sorted(missing)
    if absent:
        where = f" of its {part}" if part else ""
        raise MissingModel(f"{name!r} lacks the tensor {some_of(absent, 1)}{where}; fetch it again")


def check_files(folder: Path, name: str) -> None:
    """Refuse a folder with a pipe or a device in it, which the libraries would wait for.

    Raises:
        MissingModel: names it.
    """
    for item in folder.iterdir():
        if item.exists() and not (item.is_file() or item.is_dir()):
            raise MissingModel(f"{name!r}: {shown(item.name)} is not a regular file")


def read_config(file: Path) -> Any:
    """A config's JSON; {} where there is none, which loading remarks on."""
    try:
        return json.loads(read_regular(file, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}


def check_config(config: Any, where: str) -> None:
    """Refuse a config whose numbers would build what no model is.

    Raises:
        MissingModel: names ``where``, the setting, and what is allowed.
    """
    for count, (key, value) in enumerate(_numbers(config)):
        if count >= MOST_ENTRIES:
            raise MissingModel(f"{where} holds more than {MOST_ENTRIES} numbers")
        if key in UNBOUNDED and value == -math.inf:
            continue
        most = next((most for word, most in MOST_OF.items() if word in key), MOST)
        if not (math.isfinite(value) and abs(value) <= most):
            raise MissingModel(f"{where}: {key} is {shorten(value, 40)}, at most {most} is read")


def _numbers(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, float]]:
    """Numbers of a config by the setting that they stand in."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield key, value
    elif depth < 8 and isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _numbers(item, str(inner), depth + 1)
    elif depth < 8 and isinstance(value, list):
        for item in value:
            yield from _numbers(item, key, depth + 1)


def guarded(load: Callable[[], Any], name: str, hub: str = "") -> Any:
    """Turn the libraries' many ways to fail into one line that names the model.

    Args:
        hub: its id, where it comes from a hub.

    Raises:
        MissingModel: it cannot be loaded. What says that memory is exhausted is raised as it is.
    """
    if hub:
        check_reachable(hub)
    try:
        return load()
    except StudioError:
        raise
    except Exception as error:  # whatever a stranger's file makes the libraries do
        memory = memory_error_within(error)  # diffusers says that the file is no checkpoint
        if memory is not None:
            raise memory from None
        if isinstance(error, KeyError):  # a converter that asked for it
            raise MissingModel(f"{name!r} lacks the tensor {shorten(error.args[0])}") from error
        if hub:
            raise MissingModel(
                f"{hub!r} is not in the library, and could not be had from the hub "
                f"({_first_line(error)})",
                field="base",
                model=hub,
            ) from error
        raise MissingModel(f"{name!r} cannot be loaded: {_first_line(error)}") from error


def guarded_entry(load: Callable[[], Any], entry: ModelEntry) -> Any:
    """:func:`guarded`, for a part of a library's entry."""
    return guarded(load, entry.id, "" if entry.path else entry.id)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
