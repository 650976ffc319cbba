"""What a safetensors file is, from the names, shapes and metadata in its header alone."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.library.adapter_headers import describe_adapter, describe_embedding, trigger
from studio.library.checkpoints import describe_checkpoint
from studio.library.family import shapes_of

MAX_HEADER_BYTES = 100 * 2**20


def read_header(path: Path) -> dict[str, Any]:
    """Names, types and shapes of a safetensors file, without its weights.

    Raises:
        ValueError: truncated, too large or no safetensors header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(MAX_HEADER_BYTES, size - 8):
            raise ValueError("no safetensors header")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("no safetensors header")  # noqa: TRY004 - the file is at fault
    ends = [
        v["data_offsets"][1]
        for k, v in header.items()
        if k != "__metadata__" and isinstance(v, dict) and "data_offsets" in v
    ]
    if ends and size != 8 + length + max(ends):
        raise ValueError(f"holds {size} of {8 + length + max(ends)} bytes: a truncated download")
    return header


def describe(
    header: Mapping[str, Any], stem: str, among_embeddings: bool = False
) -> dict[str, Any] | None:
    """Fields of a :class:`ModelEntry` for a lone file; ``None`` for what is no model.

    Args:
        header: from :func:`read_header`.
        stem: the file's name without its suffix, which names an embedding's word.
        among_embeddings: whether it lies where people put embeddings.
    """
    metadata = header.get("__metadata__") or {}
    shapes = shapes_of(header)
    if (fields := describe_checkpoint(shapes, header, metadata, stem)) is not None:
        return {"trigger": trigger(metadata)} | fields
    if (adapter := describe_adapter(shapes, metadata)) is not None:
        return adapter
    return describe_embedding(shapes, stem, among_embeddings or stem == "learned_embeds")
