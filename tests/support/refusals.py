"""What the studio refuses with, as its sources say it: the literals of its errors' messages."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support import REPOSITORY
from tests.support.script_texts import HOLE

ERRORS = ("StudioError", "BadPreset", "MissingModel", "MissingFile", "IncompatibleModels")
# Whose errors a person meets at the page.
ROOMS = (
    "ui",
    "plan",
    "images.py",
    "diffusion/times.py",
    "preset/derived.py",
    "preset/variants.py",
    "share/link.py",
    "share/gallery/sources.py",
    "history/bin.py",
    "train/checks.py",
    "train/runner.py",
    "train/result.py",
)


def refusals() -> Iterator[tuple[str, str]]:
    """Each message with its file's name; a value in it is a ``HOLE``."""
    for room in ROOMS:
        place = REPOSITORY / "studio" / room
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and _name(node.func) in ERRORS:
                    text = _text(node.args[0])
                    if text:
                        yield path.name, " ".join(text.split())


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or HOLE for part in parts)
    return ""
