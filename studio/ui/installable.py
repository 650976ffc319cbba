"""The page as an app: its manifest and its icons, under whatever path a proxy has put it."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import Any

from PIL import Image

from studio.ui.beside import Files
from studio.ui.static_files import STATIC

ICON = STATIC / "icon.png"
MANIFEST = "studio.webmanifest"  # beside the page; the scripts name it, see page.js
SIZES = (192, 512)
ICONS = {f"studio-icon-{edge}.png": edge for edge in SIZES}
NAMES = {MANIFEST, *ICONS}


def manifest() -> dict[str, Any]:
    """The manifest. Every address is relative to its own, and so to the page's."""
    icons = [
        {"src": name, "sizes": f"{edge}x{edge}", "type": "image/png"}
        for name, edge in ICONS.items()
    ]
    return {
        "name": "Guidance Studio",
        "short_name": "Studio",
        "id": "guidance-studio",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#f4f5fa",
        "theme_color": "#4f46e5",
        "icons": icons,
    }


@lru_cache(maxsize=len(NAMES))
def file(name: str) -> tuple[str, bytes]:
    """Type and content of one of these files, made when it is asked for first."""
    if name == MANIFEST:
        return "application/manifest+json", json.dumps(manifest()).encode()
    data, edge = io.BytesIO(), ICONS[name]
    with Image.open(ICON) as icon:
        icon.convert("RGBA").resize((edge, edge), Image.Resampling.LANCZOS).save(data, "PNG")
    return "image/png", data.getvalue()


FILES = Files(frozenset(NAMES), file)
