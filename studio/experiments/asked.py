"""What pictures are asked for: a preset over prompts and seeds, and what a picture's text is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.errors import BadPreset, StudioError, shorten
from studio.preset import Preset, Row
from studio.preset.prompts import split_prompt

PLACE = "{prompt}"
SUBJECT = "{subject}"
MAX_PICTURES = 100_000


@dataclass(frozen=True)
class Request:
    """One picture: its text, its seed, and the preset that makes it."""

    prompt: str
    seed: int
    preset: Preset


def read_prompts(path: Path, subject: str = "") -> list[str]:
    """The lines of a prompt file, without blank ones and ``#`` comments; ``{subject}`` filled in.

    Raises:
        StudioError: it cannot be read, is empty, or asks for a subject that was not given.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise StudioError(f"{path.name}: {reason}", field="--prompts") from error
    prompts = [line.strip() for line in lines if line.strip() and line.strip()[0] != "#"]
    if not prompts:
        raise StudioError(f"{path.name} holds no prompt", field="--prompts")
    asks = any(SUBJECT in prompt for prompt in prompts)
    if asks and not subject:
        raise StudioError(
            f"{path.name} asks for a subject; give --subject, such as 'hero person'",
            field="--subject",
        )
    if subject not in ("", SUBJECT) and not asks:
        raise StudioError(
            f"{path.name} says {SUBJECT} nowhere, so --subject {shorten(subject)} goes nowhere",
            field="--subject",
        )
    return [prompt.replace(SUBJECT, subject) for prompt in prompts]


def prompts_of(path: str | None, subject: str) -> list[str]:
    """The prompts of a file that may be left out; none without it.

    Raises:
        StudioError: as :func:`read_prompts` does; or a subject, and no prompt that it could stand in.
    """
    if path:
        return read_prompts(Path(path), subject)
    if subject:
        raise StudioError(
            f"without --prompts {shorten(subject)} goes nowhere; give a file that says {SUBJECT}",
            field="--subject",
        )
    return []


def read_seeds(text: str) -> list[int]:
    """``0-9``, ``3`` or ``1,4,7-9`` as numbers, each once.

    Raises:
        StudioError: anything else, or a negative number.
    """
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.strip().partition("-")
            span = range(int(first), int(last if dash else first) + 1)
            seeds += span[: MAX_PICTURES + 1]
    except ValueError as error:
        raise StudioError(f"{shorten(text)}; write 0-9 or 1,4,7", field="--seeds") from error
    if not seeds or len(seeds) > MAX_PICTURES:
        raise StudioError(
            f"{shorten(text)}: 1 to {MAX_PICTURES} seeds can be asked for", field="--seeds"
        )
    return list(dict.fromkeys(seeds))


def with_prompt(preset: Preset, prompt: str) -> Preset:
    """``preset`` asking for ``prompt``: where its rows say ``{prompt}``, else in its first prompt.

    Raises:
        BadPreset: no row holds a prompt.
    """
    marked = [i for i, row in enumerate(preset.rows) if PLACE in row.prompt]
    spoken = [i for i, row in preset.active_rows() if row.prompt and row.weight > 0]
    if not marked and not spoken:
        raise BadPreset(f"no row holds a prompt; write {PLACE} where it belongs", field="rows")

    def asked(index: int, row: Row) -> Row:
        if index in marked:
            return row.model_copy(update={"prompt": row.prompt.replace(PLACE, prompt)})
        if not marked and index == spoken[0]:
            return row.model_copy(update={"prompt": prompt})
        return row

    rows = tuple(asked(index, row) for index, row in enumerate(preset.rows))
    return preset.model_copy(update={"rows": rows})


def single(preset: Preset, seed: int) -> Preset:
    """``preset`` for one picture of this seed."""
    sampler = preset.sampler.model_copy(update={"seed": seed, "count": 1})
    return preset.model_copy(update={"sampler": sampler})


def requests(preset: Preset, prompts: list[str], seeds: list[int]) -> list[Request]:
    """Every prompt with the first seed, then with the next: the first few are a fair sample.

    Without prompts the preset's own is taken.

    Raises:
        BadPreset: prompts are given, and no row holds one.
    """
    asked = [(p, with_prompt(preset, p)) for p in prompts] or [(text_of(preset), preset)]
    return [Request(text, seed, single(one, seed)) for seed in seeds for text, one in asked]


def text_of(preset: Preset) -> str:
    """What a preset's picture is to show, for scores of texts: its first wanted prompt.

    Parts joined by ``AND`` are joined by a space, their weights left out; "" without a prompt.
    """
    for _, row in preset.active_rows():
        if row.prompt and row.weight > 0:
            return " ".join(part for part, _ in split_prompt(row.prompt) if part)
    return ""
