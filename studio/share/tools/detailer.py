"""Other tools' detailers as a detail pass: A1111's ADetailer, and SwarmUI's ``<segment:…>``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from studio.preset import Detail
from studio.preset.bounds import bounds
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number, read_prompt
from studio.share.tools.table import Found

_A1111 = "ADetailer "
# What is in the names of detectors, and the words that find the same; faces have a finder of their own.
_WORDS = {
    "face": "face",
    "hand": "hand",
    "eye": "eye",
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
    words = _words_of(model)
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
        "grow": ("dilate erode", "dilate/erode"),
        "padding": ("inpaint padding", "inpaint only masked padding"),
        "most": ("mask only top k largest",),
    }
    for field, theirs in names.items():
        for name in theirs:
            value = _within(field, given.get(f"{_A1111}{name}"))
            if value is not None:
                made[field] = value
                given.pop(f"{_A1111}{name}")
    given.pop(f"{_A1111}model")
    given.pop(f"{_A1111}confidence", None)  # of another detector
    prompt = str(given.get(f"{_A1111}prompt", ""))
    if not any(mark in prompt for mark in _SEPARATORS):
        given.pop(f"{_A1111}prompt", None)
        if prompt:
            made["prompt"] = _plain(prompt, "AUTOMATIC1111", found.notes)
    return made


def segments(given: Iterable[Segment], notes: list[str]) -> tuple[dict[str, Any], list[Segment]]:
    """SwarmUI's tags as fields of a detail, those that say the same but for the words as one.

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
        words += read[0]
        made = read[1]
    if not made:
        return {}, left
    made = {**made, "prompt": _plain(made["prompt"], "SwarmUI", notes), "words": ", ".join(words)}
    return {"finder": "words", **made}, left


def _read(one: Segment) -> tuple[list[str], dict[str, Any]] | None:
    """What a tag finds, and the fields besides; ``None`` for what cannot be said here."""
    what, *numbers = (part.strip() for part in one.inside.split(","))
    strength = _within("strength", numbers[0]) if numbers else 0.6
    confidence = _within("confidence", numbers[1]) if len(numbers) > 1 else 0.5
    if strength is None or confidence is None or len(numbers) > 2:
        return None
    if what.lower().startswith("yolo-"):
        name = _words_of(what)
        phrases = [name] if name else []
    else:
        phrases = [part.strip() for part in what.split("|") if part.strip()]
    if not phrases:
        return None
    return phrases, {"strength": strength, "confidence": confidence, "prompt": one.text.strip()}


def _words_of(detector: str) -> str:
    """What a detector of this file's name finds, in a word; "" for one that is not known."""
    return next((words for mark, words in _WORDS.items() if mark in detector.lower()), "")


def _within(field: str, value: Any) -> float | int | None:
    """A number that the field takes; ``None`` for any other."""
    given = number(value)
    least, most = (0, 1) if field == "strength" else bounds(Detail, field)
    if given is None or not least <= given <= most or (field == "strength" and not given):
        return None
    if field in ("strength", "confidence"):
        return float(given)
    return int(given) if given == int(given) else None


def _plain(prompt: str, tool: str, notes: list[str]) -> str:
    """A part's prompt without LoRAs, which are the rows' here."""
    text, loras = read_prompt(prompt, tool, "detail.prompt", notes)
    notes += [f"detail.prompt: {one} is left out; a part has the rows' LoRAs" for one in loras]
    return text
