"""Captions, and their split into the target and the general text that ACCORD asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError, shorten
from studio.preset.prompts import mentions

MAX_CAPTION = 4000
MAX_FILE_BYTES = 64 * 2**20
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
    """A caption file: ``{picture: caption}`` or ``{picture: {caption, target, general}}``.

    Raises:
        MissingFile, StudioError: not there, or not of that form; names the file and the picture.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StudioError(f"more than {MAX_FILE_BYTES} bytes", field=str(path))
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise StudioError(f"is not JSON ({error})", field=str(path)) from error
    if not isinstance(data, dict):
        raise StudioError("must hold an object {picture: caption}", field=str(path))
    for name, value in data.items():
        parts = value if isinstance(value, dict) else {"caption": value}
        known = set(parts) <= {"caption", "target", "general"} and "caption" in parts
        if not known or not all(
            isinstance(part, str) and len(part) <= MAX_CAPTION for part in parts.values()
        ):
            raise StudioError(
                f"{name}: expected a caption, or caption with target and general, got "
                f"{shorten(value)}",
                field=str(path),
            )
    return data


def caption_pictures(
    pictures: Sequence[Path],
    word: str,
    superclass: str,
    template: str,
    written: Mapping[str, Any] | None = None,
) -> tuple[list[Caption], list[str]]:
    """A caption for each picture: from the file, else a .txt of its name, else the template.

    Returns:
        captions in the pictures' order, and notes on what was assumed.

    Raises:
        StudioError: a caption without the target word, or a target that is not in its caption.
    """
    written, captions, templated = written or {}, [], 0
    for path in pictures:
        entry = written.get(path.name)
        parts = entry if isinstance(entry, dict) else {} if entry is None else {"caption": entry}
        text = parts.get("caption") or _text_beside(path)
        if not text:
            text, templated = from_template(template, word, superclass), templated + 1
        captions.append(_checked(path.name, " ".join(text.split()), parts, word, superclass))
    notes = []
    if templated:
        shown = from_template(template, word, superclass)
        notes.append(
            f"{templated} of {len(pictures)} pictures have no caption; theirs is {shown!r}"
        )
    return captions, notes


def _text_beside(path: Path) -> str:
    file = path.with_suffix(".txt")
    try:
        return file.read_text(encoding="utf-8-sig")[:MAX_CAPTION].strip() if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"cannot be read as UTF-8 text ({error})", field=str(file)) from error


def _checked(name: str, text: str, parts: Mapping[str, str], word: str, superclass: str) -> Caption:
    if not mentions(text, word):
        raise StudioError(
            f"its caption {shorten(text)} does not hold the target word {word!r}", field=name
        )
    found = split(text, word, superclass)
    target = " ".join(parts.get("target", found.target).split())
    general = " ".join(parts["general"].split()) if "general" in parts else found.general
    if not mentions(target, word):
        raise StudioError(
            f"its target {shorten(target)} does not hold the word {word!r}", field=name
        )
    if mentions(general, word):
        raise StudioError(
            f"its general text {shorten(general)} holds the target word {word!r}", field=name
        )
    return Caption(text, target, general)
