"""Styles and saved prompts: texts and rows that are added to a preset's own, by name.

A style lies in ``styles/`` below ``STUDIO_HOME``: as a line of AUTOMATIC1111's ``styles.csv`` (``name``,
``prompt``, ``negative_prompt``), or in a ``.json`` of one or several, which may have ``rows`` too. Its
text takes the prompt's where ``{prompt}`` stands, and follows it otherwise; on a row without a text
it is the prompt, so that a saved prompt is a style. The preset holds the outcome: whoever gets it
needs no style.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import BadPreset, MissingFile, StudioError, shorten, some_of
from studio.files import is_text, listed, read_regular, shown, slug, write_new
from studio.home import styles_folder
from studio.preset.document import Preset, validate
from studio.preset.prompts import joined, split_prompt
from studio.preset.rows import Row

PLACE = "{prompt}"
MAX_STYLES, MAX_BYTES, MAX_TEXT, MAX_NAME = 5000, 4 * 2**20, 4000, 200
SUFFIXES = (".csv", ".json")
TEXTS = {"prompt": ("prompt", "text"), "negative": ("negative_prompt", "negative")}
BEYOND = "cells beyond the columns (a text with commas needs quotes)"  # of a table's line
NAMESAKE = "another style before it has this name; give one of them another in its file"


@dataclass(frozen=True)
class Style:
    """One style. ``problem``: why it cannot be used; ``file``: where it stands; ``unread``: what else
    its entry there says."""

    name: str
    prompt: str = ""
    negative: str = ""
    rows: tuple[Row, ...] = ()
    file: str = ""
    problem: str = ""
    unread: tuple[str, ...] = ()

    def said_unread(self, several: int = 1) -> str:
        """One line on what is not read here of its entry, or of ``several`` alike; "" for nothing."""
        names = some_of([*map(shorten, self.unread)], 6)
        if several > 1:
            return f"{several} styles: not read here: {names}"
        return f"style {shorten(self.name)}: not read here: {names}" if names else ""


def styles() -> list[Style]:
    """All of them in the order of their files; what cannot be read is listed with its reason."""
    folder, found = styles_folder(), []
    for path in sorted(listed(folder, SUFFIXES)) if folder.is_dir() else ():
        name = shown(path.name)
        try:
            found += list(in_file(path))
        except StudioError as error:
            found.append(Style(shown(path.stem), file=name, problem=error.message))
        if len(found) > MAX_STYLES:
            said = f"only the first {MAX_STYLES} styles are read; up to this file there are {len(found)}"
            more = Style(name, file=name, problem=said)
            return [*_apart(found[:MAX_STYLES]), more]
    return _apart(found)


def _apart(found: list[Style]) -> list[Style]:
    """The styles, of which the second of a name cannot be used: a style is called by its name."""
    seen: set[str] = set()
    for at, style in enumerate(found):
        if style.name.lower() in seen and not style.problem:
            found[at] = replace(style, problem=NAMESAKE)
        seen.add(style.name.lower())
    return found


def find(name: str, field: str = "style") -> Style:
    """The style of that name, whatever its case.

    Raises:
        MissingFile: there is none, or it cannot be used.
    """
    known = styles()
    for style in known:
        if style.name.strip().lower() == name.strip().lower():
            if style.problem:
                raise MissingFile(f"{shorten(name)} cannot be used: {style.problem}", field=field)
            return style
    names = ", ".join(one.name for one in known[:8] if not one.problem) or "none yet"
    raise MissingFile(f"there is no style {shorten(name)}; there is {names}", field=field)


def with_style(preset: Preset, style: Style, but: Collection[int] = ()) -> Preset:
    """The preset with a style's texts in its rows and a style's rows behind them.

    The text goes to every row of positive weight that has one (of several parts, to the first), or
    to the first row where none has; the negative text to the first row of negative weight that has
    one. Where there is no such row it becomes one, of weight −(w − 1) beside the first row of
    weight w and on its model, as a negative prompt is (GCFG, Eq. 7); at w ≤ 1 it would be no
    negative prompt, and is left out as every tool leaves it out there
    (:func:`studio.preset.style_parts.left_out`).

    Args:
        but: rows that take none, by their place.

    Raises:
        BadPreset: a text that has become too long, or too many rows; names the field.
    """
    rows = [row.model_dump(mode="json") for row in preset.rows]
    if style.prompt:
        taking = takers(preset.rows)
        if not taking:
            taking = [len(rows)]
            rows.append(Row().model_dump(mode="json"))
        for index in (one for one in taking if one not in but):
            rows[index]["prompt"] = _merged(rows[index]["prompt"], style.prompt)
    if style.negative and (at := negative_of(preset.rows)) not in but:
        _add_negative(rows, at, style.negative)
    rows += [row.model_dump(mode="json") for row in style.rows]
    return validate({**preset.model_dump(mode="json"), "rows": rows})


def save_style(name: str, prompt: str, negative: str = "", rows: tuple[Row, ...] = ()) -> Path:
    """Keep a style; nothing is overwritten.

    Raises:
        BadPreset: no name, one that is taken, or nothing to keep.
    """
    name = checked_name(name)
    if not (prompt.strip() or negative.strip() or rows):
        raise BadPreset("there is no text and no row to keep", field="rows")
    check_free(name)
    data = as_data(Style(name, prompt, negative, rows))
    text = json.dumps(data, ensure_ascii=False, indent=2)
    return write_new(styles_folder(), slug(name) or "style", ".json", text.encode())


def checked_name(name: str) -> str:
    """The name with single blanks.

    Raises:
        BadPreset: none, or one that is too long.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise BadPreset(f"give the style a name of 1 to 200 letters, got {len(name)}", field="name")
    return name


def check_free(name: str, own: str = "") -> None:
    """Raise :class:`BadPreset` where a style has that name, whatever its case, but the one called ``own``."""
    known = {one.name.lower() for one in styles()} - {own.lower()}
    if name.lower() in known:
        raise BadPreset(f"there is a style {shorten(name)} already", field="name")


def as_data(style: Style) -> dict[str, Any]:
    """A style as its file holds it, without what is empty."""
    rows = [row.model_dump(mode="json", exclude_defaults=True) for row in style.rows]
    texts = {"prompt": style.prompt, "negative_prompt": style.negative}
    data = {"name": style.name, **texts, "rows": rows}
    return {key: value for key, value in data.items() if value}


def takers(rows: Sequence[Row]) -> list[int]:
    """Which rows get a style's text: those of positive weight that have one, else the first of them."""
    positive = [index for index, row in enumerate(rows) if row.weight > 0]
    return [index for index in positive if rows[index].prompt.strip()] or positive[:1]


def negative_of(rows: Sequence[Row]) -> int:
    """Which row gets a style's negative text: the first of negative weight that has one; -1 for none."""
    return next((i for i, row in enumerate(rows) if row.weight < 0 and row.prompt.strip()), -1)


def _add_negative(rows: list[dict[str, Any]], at: int, text: str) -> None:
    if at >= 0:
        rows[at]["prompt"] = _merged(rows[at]["prompt"], text)
        return
    for first in _first(rows):
        if first["weight"] > 1:
            plain = Row(prompt=text.replace(PLACE, "").strip(), weight=1 - first["weight"])
            rows.append({**plain.model_dump(mode="json"), "model": first["model"]})


def _first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first row of positive weight, if there is one."""
    return [row for row in rows if row["weight"] > 0][:1]


def _merged(prompt: str, style: str) -> str:
    """A style's text on a prompt; of several parts, on the first, whose weight stays its own."""
    (first, weight), *others = split_prompt(prompt)
    whole = (
        style.replace(PLACE, first)
        if PLACE in style
        else ", ".join(filter(None, (first.strip(" ,"), style.strip())))
    )
    return joined([(whole, weight), *others])


def in_file(path: Path) -> Iterator[Style]:
    """The styles of one file, without the headings of a table.

    Raises:
        BadPreset: it cannot be read; names the file.
    """
    return (style for style, _ in written_in(path))


def written_in(path: Path) -> Iterator[tuple[Style, Mapping[str, Any]]]:
    """The styles of one file, each with its entry there, which may say more than a style holds.

    Raises:
        BadPreset: it cannot be read; names the file.
    """
    name = shown(path.name)
    if not is_text(str(path)):
        raise BadPreset("the file's name is not UTF-8; give it another one", field=name)
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise BadPreset(error.strerror or "cannot be read", field=name) from error
    except UnicodeDecodeError as error:
        raise BadPreset("is not UTF-8 text; save it as UTF-8", field=name) from error
    if not text.strip():
        raise BadPreset("is empty", field=name)
    read = _table if path.suffix.lower() == ".csv" else _objects
    for given in read(text, name, path.stem):
        style = style_of(given, name)
        if style.prompt or style.negative or style.rows or style.problem:  # else it is a heading
            yield style, given


def divider(table: str) -> str:
    """What parts a table's cells: a comma, or a semicolon as German spreadsheets write it, or a tab."""
    lines = (line for line in table.splitlines() if line.strip())
    head = next(lines, "")
    named = (sign for sign in ",;\t" if "name" in next(csv.reader([head], delimiter=sign), ()))
    return next(named, ",")


def _table(text: str, name: str, _: str) -> Sequence[Mapping[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=divider(text))
        lines = list(reader)
    except csv.Error as error:
        raise BadPreset(f"is no table ({error})", field=name) from error
    if "name" not in (reader.fieldnames or ()):
        raise BadPreset("has no column 'name'", field=name)
    return lines


def _objects(text: str, name: str, stem: str) -> Sequence[Mapping[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPreset("is not JSON", field=name) from error
    listed_ = data if isinstance(data, list) else [data]
    if not all(isinstance(one, dict) for one in listed_):
        raise BadPreset("expected a style, or a list of styles", field=name)
    return [{"name": stem, **one} for one in listed_]


def style_of(given: Mapping[str, Any], file: str) -> Style:
    """One entry of a file as a style; where it cannot be used, its ``problem`` says why."""
    name = given.get("name")
    label = " ".join(name.split()) if isinstance(name, str) else ""
    if len(label) > MAX_NAME:
        problem = f"its name has {len(label)} letters; at most {MAX_NAME}"
        return Style(label[:MAX_NAME], file=file, problem=problem)
    texts, read = {}, {"name", "rows"}
    for side, keys in TEXTS.items():
        key = next((key for key in keys if given.get(key) is not None), keys[0])
        value, problem = given.get(key), ""
        value = "" if value is None else value
        read.add(key)
        if not isinstance(value, str):
            problem = f"its {side} is no text, but {shorten(value)}"
        elif len(value) > MAX_TEXT:
            problem = f"its {side} has {len(value)} letters; at most {MAX_TEXT}"
        if problem:
            return Style(label or file, file=file, problem=problem)
        texts[side] = value.strip()
    if not label:
        return Style(file, file=file, problem="a style without a name")
    try:
        rows = validate({"rows": given.get("rows") or []}).rows
    except BadPreset as error:
        return Style(label, file=file, problem=str(error))
    left = [key for key, value in given.items() if value and key not in read]
    unread = tuple(BEYOND if key is None else str(key) for key in left)
    return Style(label, texts["prompt"], texts["negative"], rows, file, unread=unread)
