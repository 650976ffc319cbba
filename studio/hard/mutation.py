"""Mutations of bytes, of JSON, and of safetensors files: seeded, so that each can be made again."""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

# Bytes that mean something to the readers of JSON, EXIF, PNG and prompts.
_TOKENS = (
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"[" * 64,
    b"{" * 64,
    b'"',
    b"\\ud800",
    b"Exif\0\0" * 40,
    b"NaN",
    b"1e999",
    b"-1",
    b"9" * 400,
    b"../../x",
    b"\xe8",
    b" " * 3000,
    b" AND " * 50,
    b":" * 50,
    b"(" * 300,
    b"__metadata__",
    b"IEND",
    b"zTXt",
    b"\xff\xe1",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    10**400,
    1e308,
    0.5,
    "",
    "x",
    "four",
    "\ud800",
    "a" * 5000,
    "../../etc/passwd",
    [],
    [4],
    [[]],
    {},
    {"a": {"b": []}},
    [None] * 50,
    "data:image/png;base64,AAAA",
)


def bytes_mutated(random: Random, data: bytes) -> bytes:
    """``data`` after one to four changes: bits turned, pieces cut, doubled, moved or put in."""
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(data) + 1)
        length = min(random.choice((1, 2, 4, 16, 200, 4000)), len(data) - place)
        piece = data[place : place + length]
        match random.randrange(6):
            case 0:  # bits turned
                turned = bytes(byte ^ (1 << random.randrange(8)) for byte in piece[:8])
                data = data[:place] + turned + data[place + len(turned) :]
            case 1:  # a piece cut out
                data = data[:place] + data[place + length :]
            case 2:  # the rest cut off
                data = data[:place]
            case 3:  # a piece again and again
                data = data[:place] + piece * random.choice((2, 3, 30)) + data[place + length :]
            case 4:
                data = data[:place] + random.choice(_TOKENS) + data[place:]
            case 5:  # noise
                data = data[:place] + random.randbytes(length) + data[place + length :]
    return data[: 2**22]


def json_mutated(random: Random, value: Any) -> Any:
    """``value`` with one to three of its parts replaced, doubled, renamed or left out."""
    for _ in range(random.randint(1, 3)):
        value = _mutated_at(random, value, random.randint(0, 6))
    return value


def _mutated_at(random: Random, value: Any, depth: int) -> Any:
    if depth and isinstance(value, dict) and value:
        key = random.choice(list(value))
        changed = {k: v for k, v in value.items() if k != key}
        match random.randrange(8):
            case 0:
                return changed  # left out
            case 1:
                return {**changed, str(random.choice(_VALUES))[:300]: value[key]}  # renamed
            case _:
                return {**value, key: _mutated_at(random, value[key], depth - 1)}
    if depth and isinstance(value, list) and value:
        place = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value + [value[place]] * random.choice((1, 3, 250))
            case _:
                new = _mutated_at(random, value[place], depth - 1)
                return [*value[:place], new, *value[place + 1 :]]
    return random.choice(_VALUES)


def json_text(value: Any) -> bytes:
    """A value as a file: also what is no JSON in the strict sense, such as lone surrogates."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def safetensors_file(header: bytes, body: bytes = b"\0" * 64) -> bytes:
    """A file of these parts, whatever they hold."""
    return struct.pack("<Q", len(header)) + header + body


def safetensors_mutated(random: Random, data: bytes) -> bytes:
    """A safetensors file with its header's values, its header's bytes or any bytes changed."""
    length = struct.unpack("<Q", data[:8])[0]
    header, body = data[8 : 8 + length], data[8 + length :]
    match random.randrange(4):
        case 0:
            return bytes_mutated(random, data)
        case 1:
            return safetensors_file(bytes_mutated(random, header), body)
        case _:
            return safetensors_file(json_text(json_mutated(random, json.loads(header))), body)
