"""Values of a sweep as AUTOMATIC1111's X/Y/Z plot has them written: ``1-5``, ``10-30 (+10)``, ``0-1 [5]``,
and texts on one line, divided by commas."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from fractions import Fraction

from studio.errors import StudioError, shorten
from studio.library import ADAPTERS
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.prompt_search import PROMPTS, read_texts
from studio.preset.style_axis import STYLE
from studio.preset.styles import styles
from studio.preset.sweep import MAX_CELLS, in_plain_digits, parse_axis
from studio.share.model_names import Shelf
from studio.share.tools.a1111 import named
from studio.ui.library.models import library

_NUMBER = r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})"
_SPAN = re.compile(
    rf"({_NUMBER})\s*-\s*({_NUMBER})(?:\s*\(\s*({_NUMBER})\s*\)|\s*\[\s*(\d{{1,6}})\s*\])?"
)
_HASH = re.compile(r"\s*\[[0-9a-fA-F]{6,64}\]$")  # behind a title there
WHOLE = ("base", "finetune", "concept")
_KINDS = {"vae": ("vae", *WHOLE), ".lora": ADAPTERS, ".upscaler": ("upscaler",)}
_NAMES = re.compile(r"base|vae|(?:refiner|second_pass|rows\.\d{1,4})\.model|.+\.(?:lora|upscaler)")


def spelled_out(name: str, kind: str, text: str) -> str:
    """The values of the field ``name`` as :func:`studio.preset.sweep.parse_axis` reads them.

    Args:
        kind: of the field: only numbers have spans.

    Raises:
        StudioError: a span of too many numbers, or whose step leads away from its end.
    """
    if kind in ("number", "integer"):
        return _numbers(text, whole=kind == "integer")
    if name in (PROMPTS, STYLE) or _NAMES.fullmatch(name):
        return _texts(name, text)
    return text


def _numbers(text: str, whole: bool) -> str:
    text = text.replace("،", ",")  # of an Arabic keyboard
    parts = [in_plain_digits(part.strip()) for part in text.split(",")]
    if not any(_SPAN.fullmatch(part) for part in parts):
        return text
    return ", ".join(_span(part, whole) for part in parts)


def _span(part: str, whole: bool) -> str:
    """The numbers of a span, both ends among them where no step says otherwise; anything else as it is."""
    found = _SPAN.fullmatch(part)
    if found is None:
        return part
    first, last, step, count = found.groups()
    if count is None:
        usual = "1" if float(first) <= float(last) else "-1"
        values = parse_axis(f"_={first}:{last}:{step or usual}", "values").values
        if step is None and values[-1] != float(last):
            raise StudioError(
                f"{part} goes on by {usual} and misses its end; write the step, such as "
                f"{first}-{last} ({(float(last) - float(first)) / 4:+.10g})",
                field="values",
            )
        return ", ".join(map(str, values))
    if not 1 <= int(count) <= MAX_CELLS:
        raise StudioError(f"{count} values; a sweep makes at most {MAX_CELLS}", field="values")
    begin, end = Fraction(first), Fraction(last)
    way = (end - begin) / max(1, int(count) - 1)
    numbers = [begin + at * way for at in range(int(count))]
    return ", ".join(str(int(one)) if whole else f"{float(one):.10g}" for one in numbers)


def _texts(name: str, text: str) -> str:
    """A single line, which would be a single picture, divided at its commas."""
    try:
        lines = json.loads(text)
    except (ValueError, RecursionError):
        return text
    alone = lines[0] if isinstance(lines, list) and len(lines) == 1 else None
    if not isinstance(alone, str) or not set(",،") & set(alone) or _is_called(name, alone):
        return text
    if name == PROMPTS:
        return json.dumps(read_texts(alone, "values"))
    return json.dumps([part.strip() for part in re.split("[,،]", alone) if part.strip()])


def called_here(name: str, value: str) -> str:
    """The id of the model of the field ``name`` that the web UIs call ``value``: by its file's name, with
    its suffix and the hash behind it or without; the text itself where none is. An autoencoder's
    ``None`` and ``Automatic`` are the base's own."""
    if not _NAMES.fullmatch(name) or not value or value in library():
        return value
    if name == "vae" and not named(value):
        return ""
    kinds = next((kinds for end, kinds in _KINDS.items() if name.endswith(end)), WHOLE)
    by_names = dict(library())  # no hash is computed while one types
    return Shelf(by_names).find(_HASH.sub("", value), kinds) or value


def refuse_two_in_one(value: str, known: Collection[str]) -> None:
    """Say where the schedule goes that the web UIs once wrote behind a scheduler's name.

    Args:
        known: what schedulers are called, in small letters.

    Raises:
        StudioError: ``value`` is a scheduler with a schedule.
    """
    for kind in NOISE_SCHEDULES.values():
        plain = value[: -len(kind.title) - 1]
        if value.casefold() == f"{plain} {kind.title}".casefold() and plain.casefold() in known:
            raise StudioError(
                f"{kind.title} is a schedule, a field of its own; write {shorten(plain)} here, and choose "
                "the schedule under Advanced or vary it too",
                field="values",
            )


def _is_called(name: str, alone: str) -> bool:
    """Whether a style or a model is called so, comma and all."""
    if name == STYLE:
        return any(one.name == alone for one in styles())
    return name != PROMPTS and alone in library()
