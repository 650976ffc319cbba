"""GGUF files by the bytes that the format's description names, for machines without the package."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from studio.library.gguf_files import FORMATS

Q8_0 = 8
SHAPES = {"a.weight": (4, 32), "b.bias": (3,)}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def setting(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def gguf(
    shapes: Mapping[str, tuple[int, ...]] = SHAPES,
    architecture: str = "flux",
    form: int = Q8_0,
    version: int = 3,
    more: tuple[bytes, ...] = (),
) -> bytes:
    """A file as the format's description has it; matrices in ``form``, all else in 32 bits."""
    settings = (setting("general.architecture", 8, text(architecture)), *more)
    header, data = b"GGUF" + struct.pack("<IQQ", version, len(shapes), len(settings)), 0
    header += b"".join(settings)
    for name, shape in shapes.items():
        number = form if len(shape) == 2 else 0
        header += text(name) + struct.pack("<I", len(shape))
        header += struct.pack(f"<{len(shape)}Q", *reversed(shape))
        header += struct.pack("<IQ", number, data)
        _, numbers, size = FORMATS.get(number, ("", 1, 4))
        elements = 1
        for axis in shape:
            elements *= axis
        data += -(-(elements // numbers * size) // 32) * 32
    return header.ljust(-(-len(header) // 32) * 32, b"\0") + bytes(data)


def listing(count: int, kind: int, one: bytes, name: str = "x") -> bytes:
    return setting(name, 9, struct.pack("<IQ", kind, count) + one * count)
