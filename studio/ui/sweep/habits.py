"""Values of a sweep as AUTOMATIC1111's X/Y/Z plot has them written: ``1-5``, ``10-30 (+10)``, ``0-1 [5]``,
and texts on one line, divided by commas."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from studio.errors import StudioError
from studio.preset.prompt_search import PROMPTS, read_texts
from studio.preset.style_axis import STYLE
from studio.preset.styles import styles
from studio.preset.sweep import MAX_CELLS, in_plain_digits, parse_axis
from studio.ui.library.models import library

_NUMBER = r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})"
_SPAN = re.compile(
    rf"({_NUMBER})\s*-\s*({_NUMBER})(?:\s*\(\s*({_NUMBER})\s*\)|\s*\[\s*(\d{{1,6}})\s*\])?"
)
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
    if not isinstance(alone, str) or "," not in alone or _is_called(name, alone):
        return text
    if name == PROMPTS:
        return json.dumps(read_texts(alone, "values"))
    return json.dumps([part.strip() for part in alone.split(",") if part.strip()])


def _is_called(name: str, alone: str) -> bool:
    """Whether a style or a model is called so, comma and all."""
    if name == STYLE:
        return any(one.name == alone for one in styles())
    return name != PROMPTS and alone in library()
