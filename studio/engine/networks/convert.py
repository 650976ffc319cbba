"""From a pickled checkpoint to safetensors, without running what the pickle may hold.

torch's restricted reader (``weights_only``) makes tensors, numbers, text and plain containers, and
refuses everything else before it is made. What trainers leave beside the weights (callbacks,
settings, numpy's numbers) is made as an empty stand-in, whose own code never runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from studio.errors import MissingFile, StudioError
from studio.library.lone_file import PICKLES

_HOLDERS = ("state_dict", "model", "params_ema")  # where trainers keep the weights
# Packages whose classes lie beside the weights of checkpoints that people have.
_LEFT_BESIDE = (
    *("pytorch_lightning", "lightning", "lightning_fabric", "omegaconf", "ldm", "sgm"),
    *("numpy", "typing", "argparse", "pathlib", "_codecs"),
)
_NO_WEIGHTS = ("string_to_token", "optimizer", "optimizer_states", "callbacks", "lr_schedulers")
_DEEPEST = 8  # mappings within mappings


def convert(path: Path) -> Path:
    """Write the tensors of ``path`` beside it, as ``.safetensors``; returns that file.

    Raises:
        MissingFile: there is no such file.
        StudioError: no pickle of tensors alone, or the target is there already; names the file.
    """
    if path.suffix.lower() not in PICKLES:
        raise StudioError(f"is no pickle ({', '.join(PICKLES)})", field=str(path))
    target = path.with_suffix(".safetensors")
    if target.exists():
        raise StudioError("is there already", field=str(target))
    try:
        with torch.serialization.safe_globals([nn.ParameterDict, *_stand_ins(path)]):
            data = torch.load(path, map_location="cpu", weights_only=True, mmap=_zipped(path))
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=str(path)) from error
    except pickle.UnpicklingError as error:
        raise StudioError(
            "holds more than tensors, which is not read: it could run code", field=str(path)
        ) from error
    except Exception as error:  # whatever else a stranger's file does to the reader
        raise StudioError(f"is damaged ({type(error).__name__})", field=str(path)) from error
    tensors = {
        # Tensors that share memory are written apart.
        name: value.detach().clone().contiguous()
        for name, value in _tensors(data)
    }
    if not tensors:
        raise StudioError("holds no tensors", field=str(path))
    part = target.with_suffix(".part")
    try:
        save_file(tensors, part, {"format": "pt"})
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StudioError(f"cannot be written ({error.strerror})", field=str(target)) from error
    return target


class _StandIn:
    """In the place of an object that is no tensor: takes anything, keeps nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def _stand_ins(path: Path) -> list[tuple[type, str]]:
    """A stand-in for each class of the known packages that the file names."""
    if not _zipped(path):
        return []  # torch lists what newer files name alone
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    found = [name for name in names if name.partition(".")[0] in _LEFT_BESIDE]
    return [(type("_StandIn", (_StandIn,), {}), name) for name in found]


def _tensors(data: Any) -> Iterator[tuple[str, Tensor]]:
    """The weights by name, from under the holder that they may lie in.

    What lies in a mapping of its own (an IP-Adapter's ``image_proj``, an embedding's
    ``string_to_param``) has its name in front; words by number (``string_to_token``) are none.
    """
    while isinstance(data, Mapping):
        inner = next((data[k] for k in _HOLDERS if isinstance(data.get(k), Mapping)), None)
        if inner is None:
            break
        data = inner
    yield from _within(data, "", 0)


def _within(data: Any, before: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(data, Mapping | nn.ParameterDict) or depth > _DEEPEST:
        return
    for name, value in data.items():
        if isinstance(value, Tensor):
            yield f"{before}{name}", value
        elif name not in _NO_WEIGHTS:
            yield from _within(value, f"{before}{name}.", depth + 1)


def _zipped(path: Path) -> bool:
    """Whether the file is of the newer kind, which need not be read whole."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"
