"""The library: which models there are, told from names and headers without loading a weight."""

from __future__ import annotations

from studio.library.catalogue import Library
from studio.library.entry import ADAPTERS, FAMILIES, ModelEntry
from studio.library.folders import CARD, CUSTOM_DIFFUSION_FILE, LORA_FILE
from studio.library.headers import describe, read_header

__all__ = [
    "ADAPTERS",
    "CARD",
    "CUSTOM_DIFFUSION_FILE",
    "FAMILIES",
    "LORA_FILE",
    "Library",
    "ModelEntry",
    "describe",
    "read_header",
]
