"""The library: which models there are, read from names and headers without loading a weight."""

from __future__ import annotations

from studio.library import tool_folders  # noqa: F401 - registers its layouts
from studio.library.catalogue import Library
from studio.library.entry import ADAPTERS, ModelEntry
from studio.library.families import FAMILIES, ModelFamily, family_of, title_of
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
    "ModelFamily",
    "describe",
    "family_of",
    "read_header",
    "title_of",
]
