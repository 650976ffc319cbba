"""A model's files without their weights: how large it will be, and whether it has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import lru_cache
from math import prod
from pathlib import Path

import torch

from studio.engine.families.single_file import is_single_file, prefixes_of
from studio.errors import MissingModel
from studio.library import ADAPTERS, ModelEntry, family_of, read_header
from studio.library.adapter_kinds import held
from studio.library.gguf_files import gguf_files, is_gguf, read_gguf
from studio.library.image_encoders import image_encoder

_FLOATS = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}
_OTHERS = {"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}


def stamp(entry: ModelEntry, part: str = "") -> Hashable:
    """What differs once the files of a model's component have changed; ``()`` for a hub id.

    Args:
        entry: the library's entry.
        part: a pipeline's component (``unet``, ``vae``, ``text_encoder``), or "" for all of it.

    Raises:
        MissingModel: the files have gone since the library was read.
    """
    if not entry.path:
        return ()
    files = sorted([*_weight_files(entry, part), *_folder(entry, part).glob("*.json")])
    try:
        Path(entry.path).stat()
        states = [(file.name, file.stat()) for file in files]
    except FileNotFoundError as error:
        raise MissingModel(
            f"{entry.id!r} is no longer in the library: its files have gone"
        ) from error
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)


def weight_bytes(entry: ModelEntry, part: str, dtype: torch.dtype) -> int:
    """Bytes that a component will take in ``dtype``, from headers alone; 0 where not known.

    An adapter that is no product of thin factors is held as the whole change of each layer; an
    IP-Adapter comes with its image encoder.
    """
    merged = Path(entry.path, "adapter_config.json").is_file()
    prefixes = prefixes_of(entry, part) if part and is_single_file(entry) else ("",)
    variants: dict[str, int] = defaultdict(int)  # "" or what stands before the suffix: fp16, ema
    for file in _weight_files(entry, part):
        try:
            if is_gguf(file.name):
                variants[""] += _rounded_bytes(file, dtype)
                continue
            state = file.stat()
            floats, others = _counts(
                file, prefixes, state.st_mtime_ns, state.st_size, entry.kind in ADAPTERS, merged
            )
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            continue  # loading says what is wrong with it
        variant = "".join(Path(file.stem).suffixes)
        variants[variant] += floats * dtype.itemsize + others
    found = max(variants.values(), default=0)
    encoder = image_encoder(Path(entry.path)) if entry.kind == "ip-adapter" else None
    if encoder is not None:
        found += weight_bytes(replace(entry, kind="", path=str(encoder)), "", dtype)
    return found


@lru_cache(maxsize=512)
def _counts(
    file: Path, prefixes: tuple[str, ...], modified: int, size: int, adapter: bool, merged: bool
) -> tuple[int, int]:
    """Elements of floating point, and bytes of everything else, of names with one of ``prefixes``.

    Raises:
        ValueError: a tensor is larger than the file that says so.
    """
    del modified  # part of the key
    floats = others = 0
    shapes: dict[str, tuple[int, ...]] = {}
    for name, tensor in read_header(file).items():
        if name == "__metadata__" or not name.startswith(prefixes):
            continue
        elements = prod(tensor["shape"])
        if not 0 <= elements <= 2 * size:  # the smallest number takes half a byte
            raise ValueError(f"{name}: more than the file holds")
        if tensor["dtype"] in _FLOATS:
            floats += elements
            shapes[name] = tuple(tensor["shape"])
        else:
            others += elements * _OTHERS.get(tensor["dtype"], 1)
    return held(shapes, merged) if adapter else floats, others


def _rounded_bytes(file: Path, dtype: torch.dtype) -> int:
    """Bytes of a GGUF file's network: linear layers stay as they are rounded, the rest does not."""
    # A header does not say which matrices are no linear layer's and become plain, too. They are few:
    # of the families' networks in diffusers' own sizes, SANA's tables of shifts are the most (0.3 of
    # 1604 million numbers), then Z-Image's two paddings; U-Net, SD3, FLUX and Qwen-Image have none.
    return sum(
        one.bytes if one.stays_rounded else prod(one.shape) * dtype.itemsize
        for one in read_gguf(file).tensors.values()
    )


def _folder(entry: ModelEntry, part: str) -> Path:
    """A component's own folder in a pipeline; a lone network's files lie in the entry's."""
    path = Path(entry.path)
    if part == "unet":
        part = family_of(entry.family).part
    inside = (path / part).is_dir() or (path / "model_index.json").is_file()
    return path / part if part and inside else path


def _weight_files(entry: ModelEntry, part: str) -> Iterator[Path]:
    if not entry.path:
        return
    path = Path(entry.path)
    if path.is_dir():
        folder = _folder(entry, part)
        yield from list(folder.glob("*.safetensors")) or gguf_files(folder)
    elif path.is_file():
        yield path
