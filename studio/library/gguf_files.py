"""GGUF files by their headers: names, shapes and roundings of their tensors; weights stay unread."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import BinaryIO

from studio.files import open_regular

SUFFIX = ".gguf"
# GGML's formats that diffusers reads: number in a file → name, numbers in a block, its bytes.
FORMATS = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
PLAIN = ("F32", "F16")  # torch reads them as they are
# Where ComfyUI-GGUF keeps the shape of a tensor whose rows it has cut into blocks.
_OWN_SHAPE = "comfy.gguf.orig_shape."
_VERSIONS = (2, 3)
_ALIGNMENT = 32
MOST_TENSORS, MOST_AXES = 100_000, 4
MAX_HEADER_BYTES = 16 * 2**20
# Settings and what their lists hold, together (a tokenizer has 250,000 words). The package that
# diffusers reads with makes objects of each: so many take it 3 s and 0.2 GB as numbers of a list, 6 s
# and 0.4 GB as texts, 15 s and 0.9 GB as settings.
MOST_VALUES = 300_000
_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _LIST = 8, 9


@dataclass(frozen=True)
class GGUFTensor:
    """One tensor of a file.

    ``format``: of :data:`FORMATS`. ``stored``: the shape that it lies in, ``shape``: the one that it
    has, which differs in some files of ComfyUI; both as torch counts axes. ``bytes``: in the file.
    """

    format: str
    stored: tuple[int, ...]
    shape: tuple[int, ...]
    bytes: int

    @property
    def stays_rounded(self) -> bool:
        """Whether it runs as it is rounded, as the matrix of a linear layer does."""
        return self.format not in PLAIN and len(self.shape) == 2 and self.shape == self.stored


@dataclass(frozen=True)
class GGUFHeader:
    """``architecture``: what the file calls its network; ``unread``: a format of it that is not read."""

    architecture: str
    tensors: Mapping[str, GGUFTensor]
    unread: str = ""


def is_gguf(name: str) -> bool:
    """Whether a file is called as GGUF files are, in capitals too."""
    return name.lower().endswith(SUFFIX)


def gguf_files(folder: Path) -> list[Path]:
    """The GGUF files of a folder, by name; none where it cannot be looked at."""
    try:
        with os.scandir(folder) as items:
            names = [item.name for item in items if is_gguf(item.name)]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def read_gguf(file: Path) -> GGUFHeader:
    """What a file's header says; kept until the file changes.

    Raises:
        ValueError: no GGUF file, one of another version or byte order, damaged or truncated.
        OSError: it is no regular file.
    """
    state = file.stat()
    return _read(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read(file: Path, modified: int, size: int) -> GGUFHeader:
    del modified  # part of the key
    with open_regular(file, 2**60) as opened:
        source = _Source(opened, size)
        if source.take(4) != b"GGUF":
            raise ValueError("no GGUF header")
        version = source.number("I")
        if version not in _VERSIONS:
            raise ValueError(
                f"a GGUF file of version {version}; 2 and 3 of this byte order are read"
            )
        tensors, values = source.number("Q"), source.number("Q")
        if tensors > MOST_TENSORS:
            raise ValueError(f"a header of {tensors} tensors; at most {MOST_TENSORS} are read")
        said = _metadata(source, values)
        return _header(source, tensors, said)


class _Source:
    """The header's bytes in their order, never more than there are."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.at, self.values = file, size, 0, 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self.pass_over(count, moves=False)
        return self.file.read(count)

    def pass_over(self, count: int, moves: bool = True) -> None:
        """Leave out ``count`` bytes.

        Raises:
            ValueError: there are fewer, or the header is longer than what is read of one.
        """
        self.at += count
        if self.at > self.size:
            raise ValueError("its header ends in the middle: a truncated download")
        if self.at > MAX_HEADER_BYTES:
            raise ValueError(f"a header of more than {MAX_HEADER_BYTES} bytes")
        if moves:
            self.file.seek(count, os.SEEK_CUR)

    def count(self, values: int) -> None:
        """Count settings or a list's elements before they are read.

        Raises:
            ValueError: with those before them they are too many.
        """
        self.values += values
        if self.values > MOST_VALUES:
            raise ValueError(f"a header of more than {MOST_VALUES} settings and list elements")

    def number(self, form: str) -> int:
        """A whole number of the form that :mod:`struct` calls so."""
        return struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0]

    def text(self) -> str:
        """A text behind its length."""
        return self.take(self.number("Q")).decode("utf-8")


def _metadata(source: _Source, count: int) -> dict[str, object]:
    """Of the file's settings those that say what its tensors are; lists of texts are passed over."""
    said: dict[str, object] = {}
    source.count(count)
    for _ in range(count):
        name = source.text()
        value = _value(source, source.number("I"))
        if name in ("general.architecture", "general.alignment") or name.startswith(_OWN_SHAPE):
            said[name] = value
    return said


def _value(source: _Source, kind: int) -> object:
    if kind == _TEXT:
        return source.text()
    if kind in _NUMBERS:
        return source.number(_NUMBERS[kind])
    if kind != _LIST:
        raise ValueError(f"a setting of the unknown kind {kind}")
    inner, count = source.number("I"), source.number("Q")
    source.count(count)
    if inner == _TEXT:  # a tokenizer's
        for _ in range(count):
            source.pass_over(source.number("Q"))
        return ()
    if inner not in _NUMBERS:
        raise ValueError(f"a setting of the unknown kind {inner}")
    if count > MOST_AXES:
        source.pass_over(count * struct.calcsize(_NUMBERS[inner]))
        return ()
    return tuple(source.number(_NUMBERS[inner]) for _ in range(count))


def _header(source: _Source, count: int, said: Mapping[str, object]) -> GGUFHeader:
    tensors: dict[str, GGUFTensor] = {}
    unread, end = "", 0
    for _ in range(count):
        name = source.text()
        axes = source.number("I")
        if axes > MOST_AXES:
            raise ValueError(
                f"its tensor {name[:80]!r} has {axes} axes; at most {MOST_AXES} are read"
            )
        if name in tensors:
            raise ValueError(f"its tensor {name[:80]!r} stands there twice")
        stored = tuple(source.number("Q") for _ in range(axes))[::-1]
        number, offset = source.number("I"), source.number("Q")
        if number not in FORMATS:
            unread = unread or _name_of(number)
            continue
        form, numbers, size = FORMATS[number]
        if prod(stored) > 2**50 or (stored[-1] if stored else 1) % numbers:
            raise ValueError(f"its tensor {name[:80]!r} of {form} has the shape {stored}")
        taken = prod(stored) // numbers * size
        tensors[name] = GGUFTensor(form, stored, _own_shape(name, stored, said), taken)
        end = max(end, offset + taken)
    alignment = said.get("general.alignment", _ALIGNMENT)
    step = alignment if isinstance(alignment, int) and alignment > 0 else _ALIGNMENT
    whole = -(-source.at // step) * step + end
    if source.size < whole:
        raise ValueError(f"holds {source.size} of {whole} bytes: a truncated download")
    return GGUFHeader(str(said.get("general.architecture", ""))[:80], tensors, unread)


def _own_shape(name: str, stored: tuple[int, ...], said: Mapping[str, object]) -> tuple[int, ...]:
    """The shape that a tensor has.

    Raises:
        ValueError: what is said of it is no shape, or one of more or fewer numbers.
    """
    found = said.get(f"{_OWN_SHAPE}{name}")
    if not isinstance(found, tuple) or not found:
        return stored
    whole = all(type(axis) is int and axis >= 0 for axis in found)  # True is none
    if not whole or prod(found) != prod(stored):
        raise ValueError(f"its tensor {name[:80]!r} lies in {stored} and is said to be {found}")
    return found


# What GGML calls formats that diffusers does not read.
_UNREAD = {
    9: "Q8_1",
    15: "Q8_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    21: "IQ3_S",
    22: "IQ2_S",
    24: "I8",
    25: "I16",
    26: "I32",
    27: "I64",
    28: "F64",
    29: "IQ1_M",
    34: "TQ1_0",
    35: "TQ2_0",
    39: "MXFP4",
}


def _name_of(number: int) -> str:
    return _UNREAD.get(number, f"GGML {number}")
