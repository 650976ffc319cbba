"""The page's own scripts and styles, read from ``static/``."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"
SCRIPTS = (
    "numbers.js",
    "dom.js",
    "storage.js",
    "fields.js",
    "card.js",
    "card_show.js",
    "card_models.js",
    "card_pictures.js",
    "card_map.js",
    "card_shape.js",
    "stack.js",
    "paint.js",
    "start.js",
    "crop.js",
    "pictures.js",
    "stage.js",
    "views.js",
    "notes.js",
    "page.js",
)
STYLES = ("page.css", "stack.css", "shape.css", "fields.css", "views.css", "train.css")


def head() -> str:
    """What goes into the document's head: every script, in order of dependence."""
    scripts = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return f'<meta name="color-scheme" content="light dark">\n<script>\n{scripts}\n</script>'


def css() -> str:
    """All styles."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
