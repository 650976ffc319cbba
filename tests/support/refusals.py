"""What the studio refuses with, as its sources say it: the literals of its errors' messages, and the
reasons why a file of the library cannot be used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import REPOSITORY
from tests.support.script_texts import HOLE

ERRORS = ("StudioError", "BadPreset", "MissingModel", "MissingFile", "IncompatibleModels")
# Whose errors a person meets at the page.
ROOMS = (
    "ui",
    "plan",
    "library",
    "engine",
    "diffusion",
    "images.py",
    "preset/derived.py",
    "preset/variants.py",
    "preset/styles.py",
    "preset/own_styles.py",
    "share",
    "history/bin.py",
    "train",
)
# Where the reasons are that a model's line gives, and a refusal that names the model.
LIBRARY = "library"


def refusals() -> Iterator[tuple[str, str]]:
    """Each message with its file's name; a value in it is a ``HOLE``."""
    for room in ROOMS:
        for path, tree in _trees(room):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and node.args and _name(node.func) in ERRORS:
                    for text in map(_text, _branches(node.args[0])):
                        if text:
                            yield path.name, " ".join(text.split())


def _branches(node: ast.expr) -> list[ast.expr]:
    """An expression, or both that it may be."""
    if isinstance(node, ast.IfExp):
        return [*_branches(node.body), *_branches(node.orelse)]
    return [node]


def reasons() -> Iterator[tuple[str, str]]:
    """Each sentence of the library's sources with its file's name: what has three words or more and
    begins as a part of a sentence does, but what stands in documentation."""
    for path, tree in _trees(LIBRARY):
        unsaid = {id(one) for node in ast.walk(tree) for one in _unsaid(node)}
        for node in ast.walk(tree):
            text = "" if id(node) in unsaid else _text(node).replace("{}", HOLE)
            text = " ".join(text.split())
            words = [word for word in text.split() if re.search("[a-zA-Z]", word)]
            if len(words) > 2 and re.match(rf"[a-z{HOLE}]", text):
                yield path.name, text


def _unsaid(node: ast.AST) -> list[ast.AST]:
    """Documentation, and the parts of a text that is read whole."""
    match node:
        case ast.Expr(value=ast.Constant() as text):
            return [text]
        case ast.JoinedStr(values=parts):
            return [part for part in parts if isinstance(part, ast.Constant)]
    return []


def _trees(room: str) -> Iterator[tuple[Path, ast.Module]]:
    place = REPOSITORY / "studio" / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or HOLE for part in parts)
    return ""
