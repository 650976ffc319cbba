"""Files that are dropped on the Train tab: which are pictures, which captions, and what is not taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.images import SUFFIXES
from studio.train.captions import read_file
from studio.train.folder import TEXTS as CAPTIONS
from studio.train.folder import plain
from studio.ui.train.images import LONGEST, TEXTS, Picture, check, uploaded

LISTS = (".json", ".jsonl")  # files of the captions of many pictures


def readable(files: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Newly dropped files without those that cannot be read, and a line for each of these."""
    good, lines = [], []
    for number, path in enumerate(uploaded(files)):
        try:
            if path.suffix.lower() in CAPTIONS:
                _text(path)
            elif path.suffix.lower() in LISTS:
                read_file(path)
            elif path.suffix.lower() in SUFFIXES:
                check(path, number)
        except StudioError as error:
            lines.append(f"{path.name} is not taken: {error.message}")
        else:
            good.append(str(path))
    return good, lines


def unheard(
    known: list[str], drops: list[list[str]]
) -> tuple[list[str], list[str], list[list[str]]]:
    """What was dropped just before, where the page had not heard of it yet as it asked again.

    Args:
        known: the files that the page knows.
        drops: the files after each of the last drops, oldest first.

    Returns:
        all files that are known, those among them that the page did not know, and the files after each drop
        since what the page knows.
    """
    if known not in drops:  # others since: an example, or what the browser kept
        return known, [], [known]
    since = drops[drops.index(known) :]
    more = [file for file in since[-1] if file not in known]
    return since[-1], more, since


def listed(files: Sequence[str] | None, pictures: Sequence[Picture]) -> list[Picture]:
    """``pictures``, and those among newly dropped files; a text of the same name is a caption."""
    paths = uploaded(files)
    known = {picture.name for picture in pictures}
    names = dict.fromkeys(p.name for p in paths if p.suffix.lower() in SUFFIXES)
    dropped = [name for name in names if name not in known]
    texts = {
        plain(p.stem): " ".join(_text(p).split()) for p in paths if p.suffix.lower() in CAPTIONS
    }
    written: dict[str, Any] = {}
    for path in paths:
        if path.suffix.lower() in LISTS:
            written |= {plain(name): entry for name, entry in read_file(path).items()}
    every = (*pictures, *map(Picture, dropped))
    return [_captioned(picture, written.get(plain(picture.name)), texts) for picture in every]


def _captioned(picture: Picture, entry: Any, texts: dict[str, str]) -> Picture:
    """The picture with the caption of a file, where it has none of its own."""
    if picture.caption:
        return picture
    if isinstance(entry, dict):
        return replace(picture, **{name: entry.get(name, "") for name in TEXTS})
    return replace(picture, caption=entry or texts.get(_stem(picture), ""))


def together(known: Sequence[str], dropped: Sequence[str] | None) -> list[str]:
    """All files of this visit; one dropped later takes the place of its namesake."""
    return list({Path(file).name: str(file) for file in (*known, *(dropped or ()))}.values())


def _stem(picture: Picture) -> str:
    return plain(Path(picture.name).stem)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError("cannot be read as UTF-8 text", field=path.name) from error
    if len(text) > LONGEST:
        raise StudioError(
            f"has {len(text)} characters; a caption has at most {LONGEST}", field=path.name
        )
    return text


def unused(files: Sequence[str] | None, before: Sequence[Picture]) -> list[str]:
    """What of newly dropped files is not taken, a line each.

    Args:
        before: the pictures as they were when the files came.
    """
    paths = uploaded(files)
    named = {plain(picture.name) for picture in listed(files, before)}
    kept = {plain(picture.name) for picture in before if picture.caption}
    stems = {Path(name).stem: name for name in named}
    lines = []
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in CAPTIONS:
            given = [plain(path.stem)]
            found = [stems[name] for name in given if name in stems]
        elif suffix in LISTS:
            given = [plain(name) for name in read_file(path)]
            found = [name for name in given if name in named]
        else:
            if suffix not in SUFFIXES:
                lines.append(f"{path.name} is neither a picture nor a caption")
            continue
        lines += [f"{path.name}: there is no picture {name}" for name in _absent(given, found)]
        lines += [f"{path.name}: {name} keeps its caption" for name in found if name in kept]
    return lines


def _absent(given: Sequence[str], found: Sequence[str]) -> list[str]:
    stems = {Path(name).stem for name in found}
    return [name for name in given if name not in found and name not in stems]


def _stays(picture: Picture) -> list[str]:
    """What the next picture of that name gets."""
    captioned = any(getattr(picture, name) for name in TEXTS)
    return [what for what, there in (("caption", captioned), ("crop", picture.crop)) if there]


def replaced(
    known: Sequence[str], files: Sequence[str] | None, before: Sequence[Picture]
) -> list[str]:
    """Which pictures give way to others of their name, a line each.

    Args:
        known: files of this visit; ``files``: newly dropped ones.
        before: the pictures as they were when the files came.
    """
    named = {picture.name for picture in before}
    old = {path.name: path for path in uploaded(known) if path.name in named and path.is_file()}
    lines = []
    for path in uploaded(files):
        other = old.get(path.name)
        if other is not None and path.read_bytes() != other.read_bytes():
            stays = " and ".join(s for one in before if one.name == path.name for s in _stays(one))
            has = f"; it has that one's {stays} now" if stays else ""
            lines.append(f"{path.name} takes the place of the picture of that name{has}")
        if path.suffix.lower() in SUFFIXES:
            old[path.name] = path
    return lines
