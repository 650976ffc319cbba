"""What the studio refuses with and notes, as its sources say it: the literals of its errors' messages,
the reasons why a file of the library cannot be used, and what is left out of a file that is opened,
written or sent."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import REPOSITORY
from tests.support.script_texts import HOLE

ERRORS = (
    *("StudioError", "BadPreset", "MissingModel", "MissingFile", "IncompatibleModels"),
    *("NumericalError", "OutOfMemory", "NoPreset", "Cancelled"),
)
# What a field's own check raises, which is told with the value behind it.
OF_A_FIELD = "ValueError"
PRESET = "preset"
# Whose errors a person meets at the page.
ROOMS = (
    "ui",
    "plan",
    "library",
    "engine",
    "diffusion",
    "images.py",
    PRESET,
    "share",
    "history/bin.py",
    "train",
    "experiments/sweep_cost.py",
)
# Where the reasons are that a model's line gives, and a refusal that names the model.
LIBRARY = "library"
# Where the notes are on what a file holds and on what does not go into one.
FILES = ("share", "preset/styles.py", "preset/own_styles.py")
_WORD = re.compile(r"[a-z]+('s)?[,;:.]?")


def refusals() -> Iterator[tuple[str, str]]:
    """Each message with its file's name; a value in it is a ``HOLE``."""
    for room in ROOMS:
        kinds = (*ERRORS, OF_A_FIELD) if room == PRESET else ERRORS
        for path, tree in _trees(room):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and node.args and _name(node.func) in kinds:
                    given = f", got {HOLE}" if _name(node.func) == OF_A_FIELD else ""
                    for text in map(_text, _branches(node.args[0])):
                        if text:
                            yield path.name, " ".join(text.split()) + given


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


def notes() -> Iterator[tuple[str, str]]:
    """Each sentence of the sources that read and write files, with its file's name: what has a word
    beside a value, or three words, or names a thing; but what stands in documentation."""
    for room in FILES:
        for path, tree in _trees(room):
            unsaid = {id(one) for node in ast.walk(tree) for one in _unsaid(node)}
            for node in ast.walk(tree):
                text = "" if id(node) in unsaid else " ".join(_text(node).split())
                words = [word for word in text.split() if _WORD.fullmatch(word)]
                if len(words) > (0 if HOLE in text else 2) or text.startswith("the "):
                    yield path.name, text


def trainings() -> Iterator[tuple[str, str]]:
    """What a training notes as it goes on, with its file's name: what is noted at once, and what is
    put on a list of notes first."""
    for path, tree in _trees("train"):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            listed = isinstance(node.func, ast.Attribute) and node.func.attr == "append"
            to_notes = listed and _name(node.func.value) == "notes"
            if to_notes or _name(node.func) == "Note":
                for text in map(_text, _branches(node.args[0])):
                    if text.replace(HOLE, ""):
                        yield path.name, " ".join(text.split())


def _unsaid(node: ast.AST) -> list[ast.AST]:
    """Documentation, how a value is written, and the parts of a text that is read whole."""
    match node:
        case ast.Expr(value=ast.Constant() as text):
            return [text]
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=parts) as form):
            return [form, *parts]
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
