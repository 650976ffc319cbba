"""Sweeps: the values of one to three fields of a preset, and the preset of every cell."""

from __future__ import annotations

import hashlib
import json
import math
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset
from studio.preset.fields import exact, split_assignment, with_fields
from studio.preset.prompt_search import PROMPTS, read_texts, replaced
from studio.preset.sampler import MAX_SEED
from studio.preset.scale import SCALE
from studio.preset.style_axis import STYLE, why_alike, with_named
from studio.preset.styles import Style
from studio.preset.variants import chosen, counted_seed, preset_varies, varies

MAX_CELLS = 2000
MOST_VALUES = 100_000  # of an axis that is read, so that what is too much is refused with its cost
VARIATION = "sampler.variation_strength"
EQUAL = "an axis each for different fields"
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)"
_PLAIN = r"(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?"
_PROMPT = re.compile(r"rows\.(\d{1,4})\.prompt")
_DECIMAL = r"\s*+[+-]?(?:\d++(?:[.,]\d*+)?|[.,]\d++)\s*+"
_SEMICOLONS = re.compile(rf"{_DECIMAL}(?:[;؛]{_DECIMAL})+(?:[;؛]\s*)?|{_DECIMAL}[;؛]\s*")
_OF_TEXT = re.compile(r"(?:.+\.)?(?:prompt|model|lora)")
_STEPS = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})")


@dataclass(frozen=True)
class Axis:
    """One field and the values it takes; ``prompts``, a text of the prompts and what replaces it; or
    ``style``, names of styles, and what these held (``styles``) where that is settled."""

    field: str
    values: tuple[Any, ...]
    styles: tuple[Style, ...] = ()

    @property
    def varied(self) -> str:
        """What no other axis may vary: the field; of prompts, the text that is searched."""
        return f"{self.field}: {self.values[0]}" if self.field == PROMPTS else self.field


@dataclass(frozen=True)
class Cell:
    """One setting: its place in the grid (column, line, page), its values and its preset."""

    column: int
    line: int
    x: Any
    y: Any
    preset: Preset
    page: int = 0
    z: Any = None


def parse_axis(text: str, option: str) -> Axis:
    """``FIELD=V1,V2,…`` or ``FIELD=FROM:TO:STEP``; values that hold commas are given as a JSON list, numbers
    with decimal commas also between semicolons. ``prompts=SEARCHED,BY,…`` is a search and replace."""
    field, values = split_assignment(text, option)
    if field == PROMPTS:
        return Axis(field, read_texts(values, option))
    if field == STYLE and not values.startswith("["):  # a name may be 50, or true
        return Axis(field, tuple(_name(part.strip()) for part in values.split(",")))
    if steps := _STEPS.fullmatch(in_plain_digits(values.strip())):
        first, last, step = map(float, steps.groups())
        return Axis(field, _stepped(first, last, step, option))
    plain = in_plain_digits(values.strip())
    if _SEMICOLONS.fullmatch(plain) and not _OF_TEXT.fullmatch(field):
        return Axis(field, tuple(map(_decimal, filter(str.strip, re.split("[;؛]", plain)))))
    if not values.startswith("["):
        return Axis(field, tuple(_value(part.strip()) for part in values.split(",")))
    try:
        found = json.loads(values, parse_float=exact)
    except (ValueError, RecursionError) as error:
        raise BadPreset(f"{shorten(values)} is not a JSON list", field=option) from error
    if not found:
        raise BadPreset("expected at least one value", field=option)
    return Axis(field, tuple(found))


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_float=exact)
    except (ValueError, RecursionError):
        plain = in_plain_digits(text)  # a minus as the page writes it, digits of another keyboard
        number = len(plain) <= 400 and re.fullmatch(rf"-?{_PLAIN}", plain)
        return json.loads(plain) if number else text


def _decimal(text: str) -> int | float:
    value = float(text.replace(",", "."))
    return value if re.search("[.,]", text) else int(value)


def _name(text: str) -> str:
    value = _value(text)
    return value if isinstance(value, str) else text


def in_plain_digits(text: str) -> str:
    """A number as a page or another keyboard writes it, in ASCII's digits and minus."""
    digits = "".join(str(unicodedata.decimal(letter, letter)) for letter in text)
    return digits.replace("−", "-").replace("٫", ".")


def _stepped(first: float, last: float, step: float, option: str) -> tuple[float, ...]:
    count = (last - first) / step if step else -1.0
    if count >= MOST_VALUES:
        raise BadPreset(f"{count:.0f} values; a sweep makes at most {MAX_CELLS}", field=option)
    if count < 0:
        raise BadPreset(
            f"from {first:g} to {last:g} by {step:g} is no row of values; the step leads from the first to the last",
            field=option,
        )
    values = [round(first + i * step, 10) for i in range(math.floor(count + 1e-9) + 1)]
    return tuple(int(v) if v.is_integer() else v for v in values)


def count_of(*axes: Axis | None) -> int:
    """How many cells the axes have."""
    return math.prod(len(axis.values) for axis in axes if axis is not None)


def changed(preset: Preset, axes: Sequence[Axis], values: Sequence[Any]) -> Preset:
    """The preset of one setting, for one picture; values beyond the axes are passed over.

    Texts are replaced once the fields have their values, all of them at once; styles are laid over what
    that leaves. The scale comes last: it is of the rows that take part by then.

    Raises:
        BadPreset: a field or value that the preset cannot take, or a text that no prompt holds.
    """
    return _changed(preset, list(zip(axes, values, strict=False)))


def _changed(preset: Preset, given: Sequence[tuple[Axis, Any]]) -> Preset:
    others = (PROMPTS, SCALE, STYLE)
    fields = [(axis.field, value) for axis, value in given if axis.field not in others]
    fields = [*_beside(preset, fields), *fields]
    made = with_fields(preset, [("sampler.count", 1), *fields])
    by = {axis.values[0]: value for axis, value in given if axis.field == PROMPTS}
    made = replaced(made, by) if by else made
    for axis, value in given:
        if axis.field == STYLE:
            made = with_named(made, value, axis.styles)
    scales = [(axis.field, value) for axis, value in given if axis.field == SCALE]
    if not scales:
        return made
    for at, _ in made.active_rows():
        field = f"rows.{at}.weight"
        if any(field == path for path, _ in fields):
            raise BadPreset("the CFG scale sets the weight of this row; vary one", field=field)
    return with_fields(made, scales)


def _beside(preset: Preset, fields: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The other rows that get a row's prompt too: those of one prompt have one text where it has choices.
    An axis of their own comes before that."""
    found = []
    for field, value in fields:
        match = _PROMPT.fullmatch(field)
        at = int(match[1]) if match else len(preset.rows)
        if at < len(preset.rows) and varies(prompt := preset.rows[at].prompt):
            alike = (i for i, row in enumerate(preset.rows) if i != at and row.prompt == prompt)
            found += [(f"rows.{i}.prompt", value) for i in alike]
    return found


def chosen_alike(preset: Preset, axes: Sequence[Axis | None], cell: Cell, made: Preset) -> Preset:
    """A cell's preset, with the choices of its prompts made as in those that nothing is replaced in.

    Else each text in the place of another would choose anew, and more than itself would change.

    Args:
        preset: the sweep's. made: the cell's, with the seed of one picture.
    """
    given = [(a, v) for a, v in zip(axes, (cell.x, cell.y, cell.z), strict=True) if a]
    seed = counted_seed(made)
    if seed < 0 or not preset_varies(made) or all(a.field != PROMPTS for a, _ in given):
        return made
    plain = [(axis, value) for axis, value in given if axis.field != PROMPTS]
    return chosen(made, seed, like=_changed(preset, plain))


def refuse_repeated(preset: Preset, axis: Axis) -> None:
    """Refuse an axis of which two values make the same picture; a seed of −1 is another each time.

    Raises:
        BadPreset: names the field; also of a value that the preset cannot take.
    """
    seen: dict[str, Any] = {}  # the first value of each
    for value in axis.values:
        made = changed(preset, [axis], [value]).to_json()
        if made in seen and not (axis.field.endswith("seed") and value == -1):
            said = f"{shorten(value)} is there twice, for the same picture"
            if axis.field == STYLE:
                said = why_alike(preset, (seen[made], value), axis.styles)
            raise BadPreset(said, field=axis.field)
        seen[made] = value


def settings(axes: Sequence[Axis], number: int) -> tuple[Any, ...]:
    """The values of the setting with this number, the first axis changing fastest."""
    found = []
    for axis in axes:
        number, place = divmod(number, len(axis.values))
        found.append(axis.values[place])
    return tuple(found)


def cells(preset: Preset, x: Axis, y: Axis | None = None, z: Axis | None = None) -> list[Cell]:
    """Every combination, validated; all of one seed, one image each, page by page, line by line.

    Raises:
        BadPreset: a field or value that the preset cannot take or that is there twice, or too many
            cells.
    """
    total = count_of(x, y, z)
    if total > MAX_CELLS:
        raise BadPreset(f"{total} images; a sweep makes at most {MAX_CELLS}", field="sweep")
    named = [axis.varied for axis in (x, y, z) if axis is not None]
    if len(set(named)) < len(named):
        raise BadPreset(EQUAL, field="sweep")
    for axis in (x, y, z):
        if axis is not None:
            refuse_repeated(preset, axis)
    if preset.sampler.seed < 0:
        preset = preset.with_seed(secrets.randbelow(min(MAX_SEED, 2**32)))
    preset = _of_one_variation(preset, [axis for axis in (x, y, z) if axis is not None])
    found = []
    for page, deep in enumerate(z.values if z else (None,)):
        for line, down in enumerate(y.values if y else (None,)):
            for column, across in enumerate(x.values):
                made = changed(preset, [a for a in (x, y, z) if a], (across, down, deep))
                found.append(Cell(column, line, across, down, made, page, deep))
    return found


def _of_one_variation(preset: Preset, axes: Sequence[Axis]) -> Preset:
    """The preset whose variation seed of −1 is one for all cells, and the same when the sweep goes on:
    it follows from the seed."""
    sampler = preset.sampler
    varied = sampler.variation_strength > 0 or any(axis.field == VARIATION for axis in axes)
    if not varied or sampler.variation_seed >= 0:
        return preset
    drawn = int(hashlib.sha256(f"variation {sampler.seed}".encode()).hexdigest()[:8], 16)
    return with_fields(preset, [("sampler.variation_seed", drawn)])


def around(preset: Preset, axis: Axis, value: Any) -> Axis | None:
    """As many values centred on ``value`` with half the step, those that the field can take.

    Returns:
        ``None`` where the axis is not one of numbers.
    """
    numbers = [v for v in axis.values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(axis.values) or value not in numbers:
        return None
    gaps = [abs(one - value) for one in numbers if one != value]
    step = min(gaps, default=abs(value) or 1.0) / 2
    reach = max(1, len(numbers) // 2)
    found = [round(value + place * step, 10) for place in range(-reach, reach + 1)]
    whole = (int(v) if float(v).is_integer() else v for v in found)
    return Axis(axis.field, tuple(v for v in whole if _takes(preset, axis.field, v)))


def _takes(preset: Preset, field: str, value: Any) -> bool:
    try:
        with_fields(preset, [(field, value)])
    except BadPreset:
        return False
    return True


def axis_text(axis: Axis) -> str:
    """An axis's values as :func:`parse_axis` reads them: ``FROM:TO:STEP``, or a JSON list."""
    values = axis.values
    if len(values) > 2 and all(type(v) in (int, float) for v in values):
        step = round(values[1] - values[0], 10)
        text = ":".join(_plain(number) for number in (values[0], values[-1], step))
        even = step > 0 and round((values[-1] - values[0]) / step) + 1 == len(values)
        if even and parse_axis(f"{axis.field}={text}", "").values == values:
            return text
    if all(type(v) in (int, float, bool) for v in values):
        return ", ".join(json.dumps(v) for v in values)
    return json.dumps(list(values), ensure_ascii=False)


def _plain(number: float) -> str:
    return format(round(number, 10), "g") if abs(number) < 1e6 else repr(number)
