"""Styles as an axis of a sweep: each laid over the rows in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from studio.errors import BadPreset, MissingFile, shorten, some_of
from studio.files import is_text, listed
from studio.home import styles_folder
from studio.preset.document import Preset
from studio.preset.style_parts import left_out, stands_in
from studio.preset.styles import SUFFIXES, Style, find, styles, with_style

STYLE = "style"  # the axis, where another has the path of a field
TITLE = "Style"
HELP = 'Each style is laid over the rows in turn; "" stands for none.'
_TAG = re.compile(r"<(?:lora|lyco|hypernet):", re.IGNORECASE)
_EMBEDDING = re.compile(r"\bembedding:\w", re.IGNORECASE)
_MOST_NAMED = 6


def styles_of(names: Sequence[Any], held: Sequence[Style] = ()) -> tuple[Style, ...]:
    """What each of these names stands for, "" left out: as ``held``, else as it is now.

    Raises:
        BadPreset: no text, or a style that calls a LoRA or an embedding, which the library would have
            to know.
        MissingFile: there is no such style, or it cannot be used.
    """
    found: dict[str, Style] = {}
    for name in names:
        if not isinstance(name, str) or not is_text(name):
            said = f"expected the name of a style, got {shorten(name)}"
            raise BadPreset(said, field=STYLE)
        if name.strip():
            found.setdefault(_key(name), _checked(name, held))
    return tuple(found.values())


def can_vary(style: Style) -> bool:
    """Whether an axis takes it."""
    return not style.problem and not _calls(style)


def with_named(preset: Preset, name: Any, held: Sequence[Style] = ()) -> Preset:
    """The preset with the style of that name over it; with "" as it is.

    What :func:`studio.preset.style_parts.left_out` says holds here too.

    Raises:
        StudioError: as :func:`styles_of`.
    """
    for style in styles_of([name], held):
        preset = with_style(preset, style)
    return preset


def why_alike(preset: Preset, names: Sequence[str], held: Sequence[Style]) -> str:
    """Why the second of two names makes the picture of the first on this preset."""
    first, second = names
    if _key(first) == _key(second):
        return f"{shorten(second)} is there twice, for the same picture"
    for style in (*styles_of([second], held), *styles_of([first], held)):
        if said := left_out(preset, style):
            return said
    other = shorten(first) if first.strip() else "no style"
    return f"{shorten(second)} makes the same picture as {other}"


def style_notes(preset: Preset, names: Sequence[Any], held: Sequence[Style]) -> Iterator[str]:
    """What is to be known of styles on this preset: of which something is left out, which stand in its
    rows already, and which are no longer what they were when a sweep began."""
    found = styles_of(names, held)
    yield from _of_many(
        [one for one in found if left_out(preset, one)],
        "their negative texts are left out; no row has a weight below 0, and the first of a weight "
        "above 0 has at most 1",
        lambda one: left_out(preset, one),
    )
    yield from _of_many(
        [one for one in found if stands_in(preset, one)],
        "their texts stand in the rows already, and come once more; Undo takes back a cell that was "
        "used",
        lambda one: (
            f"style {shorten(one.name)}: its text stands in the rows already, and comes once more; "
            "Undo takes back a cell that was used"
        ),
    )
    yield from _of_many(
        [one for one in found if one in held and _now(one.name) != one],
        "as this sweep had them; they are not the same now",
        lambda one: f"style {shorten(one.name)}: as this sweep had it; it is not the same now",
    )


def _of_many(found: Sequence[Style], said: str, of_one: Any) -> Iterator[str]:
    """One line on styles of which the same is said."""
    if len(found) == 1:
        yield of_one(found[0])
    elif found:
        yield f"styles {some_of([shorten(one.name) for one in found], _MOST_NAMED)}: {said}"


def _key(name: str) -> str:
    return name.strip().lower()


def _checked(name: str, held: Sequence[Style]) -> Style:
    style = next((one for one in held if _key(one.name) == _key(name)), None)
    style = style or _found(name, _files())
    if what := _calls(style):
        said = f"{shorten(style.name)} calls {what}, which an axis does not read"
        raise BadPreset(said, field=STYLE)
    return style


def _calls(style: Style) -> str:
    """What of the library a style's texts call, "" for nothing."""
    texts = [style.prompt, style.negative, *(row.prompt for row in style.rows)]
    for what, pattern in (("a LoRA by a tag", _TAG), ("an embedding", _EMBEDDING)):
        if any(pattern.search(text) for text in texts):
            return what
    return ""


def _now(name: str) -> Style | None:
    """The style of that name as it is now, if there is one."""
    with suppress(MissingFile):
        return _found(name, _files()) if name else None
    return None


def _files() -> tuple[tuple[str, int, int], ...]:
    """The files of styles, each with its time and size."""
    folder, found = styles_folder(), []
    for path in sorted(listed(folder, SUFFIXES)) if folder.is_dir() else ():
        with suppress(OSError):  # it has gone meanwhile
            at = path.stat()
            found.append((str(path), at.st_mtime_ns, at.st_size))
    return tuple(found)


@lru_cache(maxsize=200)
def _found(name: str, _files: tuple[tuple[str, int, int], ...]) -> Style:
    """Read once for the thousands of cells that ask for it, as long as the files stay."""
    try:
        return replace(find(name, STYLE), file="", unread=())  # what it holds alone
    except MissingFile as error:
        if not any(_key(one.name).startswith(f"{_key(name)},") for one in styles()):
            raise
        said = f"{error.message}; names with commas need a JSON list"
        raise MissingFile(said, field=STYLE) from error
