"""From a pickled checkpoint to safetensors, without running what the pickle may hold.

torch's restricted reader (``weights_only``) makes tensors, numbers, text and plain containers, and
refuses everything else before it is made.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from studio.errors import MissingFile, StudioError
from studio.library.lone_file import PICKLES

_HOLDERS = ("state_dict", "model", "params_ema")  # where trainers keep the weights


def convert(path: Path) -> Path:
    """Write the tensors of ``path`` beside it, as ``.safetensors``; returns that file.

    Raises:
        MissingFile: there is no such file.
        StudioError: no pickle of tensors alone, or the target is there already; names the file.
    """
    if path.suffix not in PICKLES:
        raise StudioError(f"is no pickle ({', '.join(PICKLES)})", field=str(path))
    target = path.with_suffix(".safetensors")
    if target.exists():
        raise StudioError("is there already", field=str(target))
    try:
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


def _tensors(data: Any) -> Iterator[tuple[str, Tensor]]:
    """The weights by name, from under the holder that they may lie in."""
    while isinstance(data, Mapping):
        inner = next((data[k] for k in _HOLDERS if isinstance(data.get(k), Mapping)), None)
        if inner is None:
            break
        data = inner
    if isinstance(data, Mapping):
        found = ((str(name), value) for name, value in data.items())
        yield from ((name, value) for name, value in found if isinstance(value, Tensor))


def _zipped(path: Path) -> bool:
    """Whether the file is of the newer kind, which need not be read whole."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"
