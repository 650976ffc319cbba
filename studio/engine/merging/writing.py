"""A safetensors file, written a tensor at a time: no more than one is in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ALIGNED = 8  # bytes; the header is filled up with blanks
Shape = tuple[tuple[int, ...], torch.dtype]


def write(
    path: Path,
    shapes: Mapping[str, Shape],
    tensors: Iterator[Tensor],
    metadata: Mapping[str, str],
) -> Iterator[int]:
    """Write ``tensors``, in the order of ``shapes``; yields the bytes of each when it is written.

    Args:
        shapes: shape and type of each tensor by name.
        metadata: texts for the header.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    header, place = {"__metadata__": {"format": "pt", **metadata}}, 0
    for name, (shape, dtype) in shapes.items():
        end = place + torch.Size(shape).numel() * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": [place, end]}  # type: ignore[dict-item]
        place = end
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    with path.open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for (shape, dtype), tensor in zip(shapes.values(), tensors, strict=True):
            assert tuple(tensor.shape) == shape and tensor.dtype == dtype
            yield _append(file, tensor)
        file.flush()
        os.fsync(file.fileno())


def _append(file: BinaryIO, tensor: Tensor) -> int:
    plain = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
    return file.write(plain.numpy().data)
