"""Captions, and their split into the target and the general text that ACCORD asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError, first_of, shorten
from studio.files import read_regular
from studio.preset import Row
from studio.preset.bounds import most
from studio.preset.prompts import mentions
from studio.train.folder import METADATA, TEXTS, Beside, keys_of, plain, tokens_of

MAX_CAPTION = most(Row, "prompt")
MAX_FILE_BYTES = 64 * 2**20
KNOWN = frozenset({"caption", "target", "general"})
PASSED_OVER = frozenset({"tags", "train_resolution"})  # sd-scripts'
CAPTION_COLUMNS = ("text", "caption", "prompt")  # of metadata.jsonl, the first that there is
_DANGLING = r"(?:a|an|the|of|in|on|at|by|with|and|or|,|;|:|\.|-)"


@dataclass(frozen=True)
class Caption:
    """One picture's text: the whole, the target ``c_p`` in it, and the general rest ``c_g``."""

    text: str
    target: str
    general: str


def split(text: str, word: str, superclass: str = "") -> Caption:
    """Split a caption around its target word.

    The target is the word, with the superclass where it follows; the general text is the rest
    without what it would leave dangling: ``a <hero> ghost in the rain`` gives ``<hero> ghost``
    and ``in the rain``.
    """
    after = rf"(?:\s+{re.escape(superclass.strip())}(?!\w))?" if superclass.strip() else ""
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w){after}", text, re.IGNORECASE)
    if found is None:
        return Caption(text, word, text)
    before = re.sub(
        rf"(?:(?<!\w){_DANGLING}\s*)+$", "", text[: found.start()].rstrip(), flags=re.IGNORECASE
    )
    rest = text[found.end() :].lstrip(" ,;:.-")
    rest = re.sub(r"^(?:and|or)\s+", "", rest, flags=re.IGNORECASE)
    return Caption(text, found[0], " ".join(f"{before.strip(' ,;')} {rest}".split()))


def from_template(template: str, word: str, superclass: str) -> str:
    """``{word}`` and ``{superclass}`` filled in.

    Raises:
        StudioError: another name in braces, or a brace left open.
    """
    try:
        text = template.format(word=word, superclass=superclass)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise StudioError(
            f"{shorten(template)} may hold {{word}} and {{superclass}} only", field="template"
        ) from error
    return " ".join(text.split())


def read_file(path: Path) -> dict[str, Any]:
    """A caption file: ``{picture: caption}`` or ``{picture: {caption, target, general}}``; or lines
    of ``{"file_name": picture, "text": caption}``, as ``metadata.jsonl`` of data sets has them.

    Fields that other trainers write beside a caption (``tags``, sizes) are passed over.

    Raises:
        MissingFile, StudioError: not there, or not of that form; names the file and the picture.
    """
    try:
        text = read_regular(path, MAX_FILE_BYTES).decode("utf-8-sig")
        if not text.strip():
            raise StudioError("is empty", field=str(path))
        data = _of_lines(text) if path.suffix.lower() == ".jsonl" else json.loads(text)
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=str(path)) from error
    except RecursionError as error:
        raise StudioError("is JSON nested too deeply", field=str(path)) from error
    except ValueError as error:
        raise StudioError(f"is not JSON ({error})", field=str(path)) from error
    if not isinstance(data, dict):
        raise StudioError("must hold an object {picture: caption}", field=str(path))
    for name, value in data.items():
        parts = value if isinstance(value, dict) else {"caption": value}
        known = set(parts) <= KNOWN | PASSED_OVER and "caption" in parts
        if not known or not all(
            isinstance(part, str) and len(part) <= MAX_CAPTION
            for key, part in parts.items()
            if key in KNOWN
        ):
            raise StudioError(
                f"{name}: expected a caption, or caption with target and general, got "
                f"{shorten(value)}",
                field=str(path),
            )
    return data


def _of_lines(text: str) -> dict[str, Any]:
    """``metadata.jsonl``: one object a line.

    Raises:
        ValueError: a line that is none, or names no picture; says which.
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except RecursionError as error:
            raise ValueError(f"line {number}: nested too deeply") from error
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        name = item.get("file_name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            raise ValueError(f"line {number}: expected an object with a file_name")
        caption = next((item[key] for key in CAPTION_COLUMNS if key in item), None)
        if caption is None:
            raise ValueError(f"line {number}: no {', '.join(CAPTION_COLUMNS)} beside {name}")
        found[name] = {"caption": caption, **{k: item[k] for k in KNOWN if k in item}}
    return found


def caption_pictures(
    pictures: Sequence[Path],
    word: str,
    superclass: str,
    template: str,
    written: Mapping[str, Any] | None = None,
    texts: Sequence[str] = TEXTS,
    tokens: str = "",
) -> tuple[list[Caption], list[str]]:
    """A caption for each picture: from the file, else a text of its name beside it, else its folder's
    ``metadata.jsonl``, else ``tokens`` or its folder's name (``10_sks dog``) where they hold the
    word, else the template.

    Args:
        texts: suffixes of texts beside pictures.
        tokens: the caption of pictures that have none.

    Returns:
        captions in the pictures' order, and notes on what was assumed.

    Raises:
        StudioError: a caption without the target word, or a target that is not in its caption;
            all that are so together.
    """
    wrong: list[StudioError] = []
    given = {plain(name): value for name, value in (written or {}).items()}
    lines: dict[Path, dict[str, Any]] = {}
    captions, templated, beside = [], 0, Beside()
    for path in pictures:
        parts = _parts(given, path)
        text = parts.get("caption") or _text_in(beside.text(path, texts))
        if not text:
            folders = [path.parent, path.parent.parent] if tokens_of(path) else [path.parent]
            for folder in folders:
                parts = parts or _parts(_metadata(folder, lines), path)
            text = parts.get("caption")
        if not text:
            text = next((t for t in (tokens, tokens_of(path)) if mentions(t, word)), "")
        if not text:
            text, templated = from_template(template, word, superclass), templated + 1
        try:
            captions.append(_checked(path.name, " ".join(text.split()), parts, word, superclass))
        except StudioError as error:
            wrong.append(error)
    _refuse(wrong)
    notes = []
    if templated:
        shown = from_template(template, word, superclass)
        notes.append(
            f"{templated} of {len(pictures)} pictures have no caption; theirs is {shown!r}"
        )
    return captions, notes


def _refuse(wrong: Sequence[StudioError]) -> None:
    """Name every caption that cannot be, or the first ones of many."""
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise StudioError(first_of([*map(str, wrong)]))


def _parts(written: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """What a caption file says of a picture; sd-scripts leaves the suffix out."""
    names = keys_of(path)
    entry = next(
        (
            written[n]
            for n in (*names, *(n.removesuffix(path.suffix) for n in names))
            if n in written
        ),
        None,
    )
    return entry if isinstance(entry, dict) else {} if entry is None else {"caption": entry}


def _metadata(folder: Path, known: dict[Path, dict[str, Any]]) -> dict[str, Any]:
    if folder not in known:
        file = folder / METADATA
        empty = not file.is_file() or not file.stat().st_size
        found = {} if empty else read_file(file)
        known[folder] = {plain(name): value for name, value in found.items()}
    return known[folder]


def _text_in(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        text = read_regular(file, MAX_FILE_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"cannot be read as UTF-8 text ({error})", field=str(file)) from error
    if len(text) > MAX_CAPTION:
        raise StudioError(
            f"has {len(text)} characters; a caption has at most {MAX_CAPTION}", field=str(file)
        )
    return text


def _checked(name: str, text: str, parts: Mapping[str, str], word: str, superclass: str) -> Caption:
    found = split(text, word, superclass)
    target = " ".join(parts.get("target", found.target).split())
    general = " ".join(parts["general"].split()) if "general" in parts else found.general
    texts = {"caption": text, "target": target, "general": general}
    for part, check in CHECKS.items():
        check(name, texts[part], word)
    return Caption(text, target, general)


def _check_caption(name: str, text: str, word: str) -> None:
    if not mentions(text, word):
        raise StudioError(
            f"its caption {shorten(text)} does not hold the target word {word!r}", field=name
        )


def _check_target(name: str, target: str, word: str) -> None:
    if not mentions(target, word):
        raise StudioError(
            f"its target {shorten(target)} does not hold the word {word!r}", field=name
        )


def _check_general(name: str, general: str, word: str) -> None:
    if mentions(general, word):
        raise StudioError(
            f"its general text {shorten(general)} holds the target word {word!r}", field=name
        )


# Of a picture's texts; each refuses one by the picture's name: ``check(name, text, word)``.
CHECKS = {"caption": _check_caption, "target": _check_target, "general": _check_general}
