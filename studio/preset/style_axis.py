"""Styles as an axis of a sweep: each laid over the rows in turn."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any

from studio.errors import BadPreset, shorten
from studio.files import is_text, listed
from studio.home import styles_folder
from studio.preset.document import Preset
from studio.preset.styles import SUFFIXES, Style, find, with_style

STYLE = "style"  # the axis, where another has the path of a field
TITLE = "Style"
HELP = 'Each style is laid over the rows in turn; "" stands for none.'
_TAG = re.compile(r"<(?:lora|lyco|hypernet):", re.IGNORECASE)


def with_named(preset: Preset, name: Any) -> Preset:
    """The preset with the style of that name over it; with "" as it is.

    What :func:`studio.preset.styles.left_out` says holds here too.

    Raises:
        BadPreset: no text, or a style that calls a LoRA, which the library would have to know.
        MissingFile: there is no such style, or it cannot be used.
    """
    if not isinstance(name, str) or not is_text(name):
        raise BadPreset(f"expected the name of a style, got {shorten(name)}", field=STYLE)
    if not name.strip():
        return preset
    style = _found(name, _files())
    if any(_TAG.search(text) for text in (style.prompt, *(row.prompt for row in style.rows))):
        said = f"{shorten(style.name)} calls a LoRA by a tag, which an axis does not read"
        raise BadPreset(said, field=STYLE)
    return with_style(preset, style)


def _files() -> tuple[tuple[str, int, int], ...]:
    """The files of styles, each with its time and size."""
    folder = styles_folder()
    paths = sorted(listed(folder, SUFFIXES)) if folder.is_dir() else []
    stats = [(str(path), os.stat(path)) for path in paths]
    return tuple((path, at.st_mtime_ns, at.st_size) for path, at in stats)


@lru_cache(maxsize=200)
def _found(name: str, _files: tuple[tuple[str, int, int], ...]) -> Style:
    """Read once for the thousands of cells that ask for it, as long as the files stay."""
    return find(name, STYLE)
