"""Styles of one's own: renamed and deleted where they stand, taken in from a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.errors import BadPreset, MissingFile, first_of, shorten
from studio.files import read_regular, shown, slug, write_atomically, write_new
from studio.home import styles_folder
from studio.locks import held
from studio.preset.aside import GONE, drop, kept_aside, put_aside
from studio.preset.styles import (
    MAX_BYTES,
    MAX_TEXT,
    SUFFIXES,
    TEXTS,
    Style,
    check_free,
    checked_name,
    divider,
    style_of,
    styles,
    written_in,
)
from studio.preset.swarm_presets import swarm_entries

STAYS = "there is one of this name already, which stays"
CHANGED = "has changed meanwhile; load the page anew"
TEXTS_CHANGED = "its texts have changed meanwhile; copy yours, and load the page anew"


def is_own(style: Style) -> bool:
    """Whether a style can be renamed and deleted: it could be read."""
    return bool(style.file) and not style.problem


def edit_style(
    name: str,
    new: str,
    prompt: str | None = None,
    negative: str | None = None,
    before: Mapping[str, str] | None = None,
) -> None:
    """Give a style another name and other texts where it stands; what is ``None``, its rows and the rest of
    its file stay as they are.

    Args:
        before: the texts that it had where they were read, ``prompt`` and ``negative``; others that
            it has got since are not written over.

    Raises:
        StudioError: no such style, no name, one that is taken, a text that is too long, a style of
            nothing, other texts than ``before``, or a table without a column for the negative text.
    """
    with held(styles_folder()):
        style = _own(name)
        if before is not None and before != {"prompt": style.prompt, "negative": style.negative}:
            raise BadPreset(TEXTS_CHANGED, field="style")
        _edit(style, checked_name(new), prompt, negative)


def _edit(style: Style, new: str, prompt: str | None, negative: str | None) -> None:
    check_free(new, own=style.name)
    given = {"prompt": prompt, "negative": negative}
    texts = {side: text.strip() for side, text in given.items() if text is not None}
    for side, text in texts.items():
        if len(text) > MAX_TEXT:
            raise BadPreset(
                f"its {side} has {len(text)} letters; at most {MAX_TEXT}", field="style"
            )
    if not (
        any({"prompt": style.prompt, "negative": style.negative, **texts}.values()) or style.rows
    ):
        raise BadPreset("there is no text and no row to keep", field="style")
    _rewrite(style, {"name": new, **texts})


def delete_style(name: str) -> tuple[str, str]:
    """Remove a style from its file, and the file with its last one.

    Returns:
        Its name, and what :func:`restore_style` finds it by.

    Raises:
        StudioError: no such style, or its file or the bin cannot be written.
    """
    with held(styles_folder()):
        style = _own(name)
        with put_aside(styles_folder() / style.file) as token:
            _rewrite(style, None)
    return style.name, token


def restore_style(token: str, name: str) -> None:
    """Bring a style that was deleted back: into its file where that is as the deletion left it, else
    into a file of its own.

    Raises:
        StudioError: it is not in the bin any more, another has its name, or its file cannot be
            written.
    """
    with held(styles_folder()):
        before, *_ = kept_aside(token, styles_folder())
        alike = [
            (style, given)
            for style, given in written_in(before)
            if style.name.lower() == name.lower()
        ]
        found = next(((style, given) for style, given in alike if style.name == name), None)
        if found is None:
            raise MissingFile(GONE, field="bin")
        if sum(one.name.lower() == name.lower() for one in styles()) >= len(alike):
            check_free(name)
        now = styles_folder() / before.name
        if _changed(before, found[0], None) == (now.read_bytes() if now.is_file() else b""):
            write_atomically(now.resolve(), before.read_bytes())
        else:
            _as_file(name, [found[1]])
    drop(token)


def holds_styles(path: Path) -> bool:
    """Whether a file is a table or a list of styles, or SwarmUI's export of presets, rather than a preset."""
    if swarm_entries(path, MAX_BYTES):
        return True
    if path.suffix.lower() != ".json":
        return path.suffix.lower() == ".csv"
    try:
        data = json.loads(read_regular(path, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, list) and any(isinstance(one, dict) and "name" in one for one in data)


def take_styles(path: Path) -> tuple[list[Style], list[str]]:
    """Keep a file's styles beside the others: as it is, or those of it whose names are not taken.

    Returns:
        The styles that can be used, and a line for each that cannot, whose name is taken, or of which
        not all is read.

    Raises:
        StudioError: it cannot be read, or holds no style that can be used.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadPreset(f"styles lie in {' or '.join(SUFFIXES)}, got {suffix}", field="styles")
    known = {one.name.lower() for one in styles()}
    usable: list[Style] = []
    kept: list[Mapping[str, Any]] = []  # of those, what the file says, also what is not read here
    unusable, taken = [], []
    theirs = swarm_entries(path, MAX_BYTES)
    pairs = [(style_of(one, shown(path.name)), one) for one in theirs] or written_in(path)
    for one, given in pairs:
        if not (one.prompt or one.negative or one.rows or one.problem):
            unusable.append(f"style {shorten(one.name)}: it has no text, and is left out")
        elif one.problem:
            unusable.append(f"style {shorten(one.name)}: {one.problem}")
        elif one.name.lower() in known:
            taken.append(f"style {shorten(one.name)}: {STAYS}")
        else:
            usable.append(one)
            kept.append(given)
        known |= set() if one.problem else {one.name.lower()}
    notes = [*unusable, *taken]
    if not usable:
        why = first_of(notes)
        raise BadPreset(
            f"holds no style that is new: {why}" if why else "holds no style that is new",
            field=shown(path.name),
        )
    if taken or theirs:
        _as_file(path.stem, kept)
    else:
        data = read_regular(path, MAX_BYTES)
        write_new(styles_folder(), slug(path.stem) or "styles", suffix, data)
    return usable, [*notes, *_unread(usable)]


def _as_file(stem: str, entries: Iterable[Mapping[str, Any]]) -> None:
    """Keep entries of files as a file of their own."""
    said = [
        {key: value for key, value in one.items() if key and value is not None} for one in entries
    ]
    data = json.dumps(said, ensure_ascii=False, indent=2).encode()
    write_new(styles_folder(), slug(stem) or "styles", ".json", data)


def _unread(taken: Sequence[Style]) -> list[str]:
    """What of the styles is not read here, those of one file in few lines: they are much alike."""
    alike: dict[tuple[str, ...], list[Style]] = {}
    for style in taken:
        alike.setdefault(style.unread, []).append(style)
    return [same[0].said_unread(len(same)) for unread, same in alike.items() if unread]


def _own(name: str) -> Style:
    for style in styles():
        if style.name == name and is_own(style):
            return style
    raise MissingFile("there is no such style", field="style")


def _rewrite(style: Style, new: Mapping[str, str] | None) -> None:
    """The style's file with its name and texts changed as ``new`` says, or without it (``None``)."""
    path = styles_folder() / style.file
    if data := _changed(path, style, new):
        write_atomically(path.resolve(), data)  # a file elsewhere that is linked here stays the one
    else:
        path.unlink(missing_ok=True)


def _changed(path: Path, style: Style, new: Mapping[str, str] | None) -> bytes:
    """What the file in ``path`` holds with that change; nothing where no style is left."""
    change = _in_table if path.suffix.lower() == ".csv" else _in_document
    try:
        return change(read_regular(path, MAX_BYTES).decode("utf-8-sig"), style, new)
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=style.file) from error
    except (ValueError, TypeError, LookupError, csv.Error) as error:
        raise MissingFile(CHANGED, field=style.file) from error


def _key(side: str, given: Mapping[str, Any]) -> str:
    """What a name or text is called in an entry, where it says one."""
    keys = TEXTS.get(side, (side,))
    said = [key for key in keys if given.get(key) is not None]
    return next(iter([*said, *(key for key in keys if key in given)]), keys[0])


def _in_table(text: str, style: Style, new: Mapping[str, str] | None) -> bytes:
    """With the mark that the web UI writes before its table, and its lines ending as before."""
    between = divider(text)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=between))
    head = lines[0]
    at = 1 + _place(style, (dict(zip(head, line, strict=False)) for line in lines[1:]))
    if new is None:
        del lines[at]
    else:
        given = dict(zip(head, lines[at], strict=False))
        lines[at] += [""] * (len(head) - len(lines[at]))  # cells that a line leaves out at its end
        for side, said in new.items():
            key = _key(side, {name: given.get(name) for name in head})
            if key in head:
                lines[at][head.index(key)] = said
            elif said:
                raise BadPreset(f"has no column {key!r}; give it one", field=style.file)
    stream = io.StringIO(newline="")
    end = "\r\n" if "\r\n" in text else "\n"
    csv.writer(stream, delimiter=between, lineterminator=end).writerows(lines)
    return stream.getvalue().encode("utf-8-sig") if any(lines[1:]) else b""


def _in_document(text: str, style: Style, new: Mapping[str, str] | None) -> bytes:
    given = json.loads(text)
    every = given if isinstance(given, list) else [given]
    at = _place(style, ({"name": Path(style.file).stem, **one} for one in every))
    if new is None:
        del every[at]
    else:
        said = {_key(side, every[at]): value for side, value in new.items()}
        every[at] = {**every[at], **{k: v for k, v in said.items() if v or k in every[at]}}
    whole = given if isinstance(given, list) else next(iter(every), None)
    return json.dumps(whole, ensure_ascii=False, indent=2).encode() if every else b""


def _place(style: Style, entries: Iterable[Mapping[str, Any]]) -> int:
    """Which of a file's entries a style is."""
    for at, entry in enumerate(entries):
        if style_of(entry, style.file) == style:
            return at
    raise MissingFile(CHANGED, field=style.file)
