"""The files that a model of the library is."""

from __future__ import annotations

import json
from pathlib import Path

from studio.library.gguf_files import is_gguf

TEXTS = (".json", ".txt", ".model")  # what stands beside weights: configurations, vocabularies


def is_plain(name: str) -> bool:
    """Whether a name that a stranger's index gives a part is a folder's in the model, and no way out."""
    return name not in ("", ".", "..") and not set(name) & set("/\\:\0")


def is_weights(name: str) -> bool:
    """Whether a file in a model's folder is called as one of its weights."""
    return name.endswith(".safetensors") or is_gguf(name)


def files_of(top: Path) -> list[Path]:
    """A model's own files: of a pipeline, not those of other models in folders below it.

    Raises:
        OSError: it cannot be looked at.
    """
    if not top.is_dir():
        return [top]
    folders = [top]
    if (index := top / "model_index.json").is_file():
        try:
            parts = json.loads(index.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            parts = {}
        if isinstance(parts, dict):
            folders += [top / name for name in parts if is_plain(name) and not name.startswith("_")]
    found = (file for one in folders if one.is_dir() for file in one.iterdir())
    own = (file for file in found if is_weights(file.name) or file.suffix in TEXTS)
    return sorted(file for file in own if file.is_file())
