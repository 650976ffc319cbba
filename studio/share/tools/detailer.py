"""Other tools' detailers as a detail pass: A1111's ADetailer, and SwarmUI's ``<segment:…>``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from studio.errors import BadPreset
from studio.preset import Detail
from studio.preset.bounds import bounds, most
from studio.preset.mistakes import one_line
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number, without_models
from studio.share.tools.table import Found

_A1111 = "ADetailer "
# Words within the names of detectors, and the words that find the same; faces have a finder of their
# own. The first that a name has counts: a mesh of faces may look for their eyes alone.
_WORDS = {
    "eye": "eye",
    "face": "face",
    "hand": "hand",
    "person": "person",
    "foot": "foot",
    "feet": "foot",
    "mouth": "mouth",
    "hair": "hair",
}
_AS_HERE = {  # settings at these values say nothing that is not so here
    "inpaint only masked": ("True",),
    "mask blur": ("4", "8"),
    "method to decide top k masks": ("Area",),
}
_WHOLE = f"{_A1111}inpaint only masked"
_LARGEST = ("mask only top k largest", "mask only top k")
_DILATED = ("dilate erode", "dilate/erode")
# Of SwarmUI's detectors: a file, which of what it finds, and of which classes.
_YOLO = re.compile(r"yolo-([^:]{1,200}?)(-\d{1,4})?(:[^:]{0,200})?", re.IGNORECASE)
_SEPARATORS = ("[SEP]", "[SKIP]", "[PROMPT]")  # of prompts for one part after the other


class Segment(NamedTuple):
    """One of SwarmUI's tags and the text that follows it."""

    inside: str
    text: str


def detailer(fields: Fields, found: Found) -> None:
    """Take A1111's detailer out of the settings; what of it there is no place for stays to be noted."""
    given = fields.starting(_A1111)
    given.pop(f"{_A1111}version", None)
    model = str(given.get(f"{_A1111}model", ""))
    words = words_of(model)
    if not words:
        for name, value in given.items():
            fields.put(name, value)
        return
    found.detail = _own(given, words, found)
    found.notes.append(f"ADetailer model {model[:80]!r}: here another detector looks for {words}")
    if str(given.get(_WHOLE)).lower() == "false":
        found.notes.append(
            "ADetailer inpaint only masked False: here a part is made at the full size"
        )
    plain = {f"{_A1111}{name}": values for name, values in _AS_HERE.items()}
    for name, value in given.items():
        if str(value) not in plain.get(name, ()):
            fields.put(name, value)


def _own(given: dict[str, Any], words: str, found: Found) -> dict[str, Any]:
    """The preset's fields of the first of A1111's detailers, taken out of ``given``."""
    made: dict[str, Any] = {"finder": "faces"}
    if words != "face":
        made = {"finder": "words", "words": words}
    names = {
        "strength": ("denoising strength",),
        "grow": _DILATED,
        "padding": ("inpaint padding", "inpaint only masked padding"),
        "most": _LARGEST,
    }
    for field, theirs in names.items():
        for name in theirs:
            value = _within(field, _counted(field, given.get(f"{_A1111}{name}")))
            if value is not None:
                made[field] = value
                given.pop(f"{_A1111}{name}")
    given.pop(f"{_A1111}model")
    given.pop(f"{_A1111}confidence", None)  # of another detector
    prompt = str(given.get(f"{_A1111}prompt", ""))
    if not any(mark in prompt for mark in _SEPARATORS):
        given.pop(f"{_A1111}prompt", None)
        if prompt:
            made["prompt"] = without_models(prompt, "AUTOMATIC1111", "detail.prompt", found.notes)
    return made


def _counted(field: str, value: Any) -> Any:
    """A1111's number as this field's: it grows by half its kernel to each side, and 0 parts are all."""
    given = number(value)
    if field == "grow" and given is not None and given >= 0 and given == int(given):
        return int(given) // 2
    return bounds(Detail, "most")[1] if field == "most" and given == 0 else value


def checked(fields: Mapping[str, Any], steps: int, notes: list[str]) -> dict[str, Any]:
    """The fields of a detail where it can be on a picture of so many steps; else none, and a note."""
    try:
        Detail.model_validate(dict(fields)).check(steps, masked=False)
    except (BadPreset, ValidationError) as error:
        why = one_line(error) if isinstance(error, ValidationError) else error
        notes.append(f"no part is made again: {why}")
        return {}
    return dict(fields)


def segments(
    given: Iterable[Segment], notes: list[str], plain: Callable[[str], str] = str
) -> tuple[dict[str, Any], list[Segment]]:
    """SwarmUI's tags as fields of a detail, those that say the same but for the words as one.

    Args:
        plain: a text without the tool's other tags.

    Returns:
        the fields, none where no tag could be read, and the tags that are not in them.
    """
    made: dict[str, Any] = {}
    words: list[str] = []
    left = []
    for one in given:
        read = _read(one)
        if read is None or (made and read[1] != made):
            left.append(one)
            continue
        joined = ", ".join([*words, *read[0]])
        if len(joined) > most(Detail, "words"):
            left.append(one)
            continue
        words += read[0]
        made = read[1]
        notes += _other_detector(one)
    if not made:
        return {}, left
    prompt = without_models(plain(made["prompt"]), "SwarmUI", "detail.prompt", notes)
    return {"finder": "words", **made, "prompt": prompt, "words": ", ".join(words)}, left


def _read(one: Segment) -> tuple[list[str], dict[str, Any]] | None:
    """What a tag finds, and the fields besides; ``None`` for what cannot be said here."""
    what, *numbers = (part.strip() for part in one.inside.split(","))
    strength = _within("strength", numbers[0]) if numbers else 0.6
    confidence = _within("confidence", numbers[1]) if len(numbers) > 1 else 0.5
    if strength is None or confidence is None or len(numbers) > 2:
        return None
    if what.lower().startswith("yolo-"):
        detector = _YOLO.fullmatch(what)
        name = words_of(detector[1]) if detector else ""
        phrases = [name] if name else []
    else:
        phrases = [part.strip() for part in what.split("|") if part.strip()]
    if not phrases or any(phrase.startswith("-") for phrase in phrases):
        return None
    return phrases, {"strength": strength, "confidence": confidence, "prompt": one.text.strip()}


def _other_detector(one: Segment) -> list[str]:
    """What is not as there, where a tag names a detector: another looks, for all of its kind."""
    what = one.inside.partition(",")[0].strip()
    detector = _YOLO.fullmatch(what)
    if detector is None:
        return []
    words = words_of(detector[1])
    if detector[2] or detector[3]:
        left = f"{detector[2] or ''}{detector[3] or ''}"
        return [
            f"segment {what[:80]!r}: here another detector looks for {words}; {left[:80]!r} is left out"
        ]
    return [f"segment {what[:80]!r}: here another detector looks for {words}"]


def words_of(detector: str) -> str:
    """What a detector of this file's name finds, in a word; "" for one that is not known."""
    parts = re.findall(r"[a-z]+", detector.lower())
    marks = {mark for part in parts for mark in (part, part.removesuffix("s"))}
    return next((words for mark, words in _WORDS.items() if mark in marks), "")


def _within(field: str, value: Any) -> float | int | None:
    """A number that the field takes; ``None`` for any other."""
    given = number(value)
    least, most = (0, 1) if field == "strength" else bounds(Detail, field)
    if given is None or not least <= given <= most or (field == "strength" and not given):
        return None
    if field in ("strength", "confidence"):
        return float(given)
    return int(given) if given == int(given) else None
