"""What the page asks to sweep: its axes read, what is wrong with each, and what it would cost."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from studio.errors import StudioError, shorten
from studio.experiments.sweep_cost import Cost, cost, refuse_too_many
from studio.experiments.sweeping import stem_of
from studio.experiments.swept_styles import held_in
from studio.preset import Preset
from studio.preset.prompt_search import PROMPTS, holds
from studio.preset.schedulers import SCHEDULERS
from studio.preset.style_axis import STYLE, styles_of
from studio.preset.sweep import EQUAL, Axis, changed, in_plain_digits, parse_axis, refuse_repeated
from studio.ui.describe import check_images, plan_of, seconds
from studio.ui.errors import one_line
from studio.ui.schema import leaves, start_leaves
from studio.ui.space import Limits
from studio.ui.sweep.habits import called_here, refuse_two_in_one, spelled_out
from studio.ui.sweep.idle import idle_axes, style_lines

MOST_AXES = 3
MOST_TEXT = 20_000  # characters of one axis's values
SWITCHED = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
SCHEDULER_FIELDS = ("sampler.scheduler", "second_pass.scheduler")
_END = r"([-−+]?(?:\d+[.,٫]?\d*|[.,٫]\d+))"
_NO_STEP = re.compile(rf"{_END}\s*:\s*{_END}")
Axes = tuple[Axis, Axis | None, Axis | None]


@dataclass(frozen=True)
class Looked:
    """What a look at the page's axes found. ``faults``: one line by the number of the axis;
    ``refused``: one line on the whole; ``cost``: where nothing is wrong; ``idle``: a line for each
    axis along which all pictures are the same."""

    axes: tuple[Axis, ...] = ()
    faults: dict[int, str] = field(default_factory=dict)
    refused: str = ""
    cost: Cost | None = None
    idle: tuple[str, ...] = ()


def lines_of(given: Any) -> list[tuple[str, str]]:
    """The axes as the page sends them: a field and the text of its values each.

    Raises:
        StudioError: none, too many, or no axes at all.
    """
    lines = given if isinstance(given, list) else []
    if not 1 <= len(lines) <= MOST_AXES:
        raise StudioError(f"1 to {MOST_AXES} fields to vary, got {len(lines)}", field="sweep")
    plain = [line if isinstance(line, dict) else {} for line in lines]
    return [(str(one.get("field", "")), str(one.get("values", ""))) for one in plain]


def read_axis(name: str, text: str) -> Axis:
    """One axis, by the verb's own parser; values may be called as the page calls them.

    Raises:
        StudioError: no field, no values, or values that are no list and no range.
    """
    if not name:
        raise StudioError("choose a field", field="values")
    kind, called = _calls(name)
    if not text.strip():
        raise _none(kind, called)
    if len(text) > MOST_TEXT:
        raise StudioError(f"{len(text)} characters; at most {MOST_TEXT}", field="values")
    if kind in ("number", "integer") and (ends := _NO_STEP.fullmatch(text.strip())):
        example = _with_step(*ends.groups(), whole=kind == "integer")
        raise StudioError(f"a range has a step as well, such as {example}", field="values")
    axis = parse_axis(f"{name}={spelled_out(name, kind, text.strip())}", "values")
    return replace(axis, values=tuple(_meant(name, one, called) for one in axis.values))


def _meant(name: str, value: Any, called: Mapping[str, Any]) -> Any:
    """A value as the preset has it; one that nothing is called as it is, to be refused by its field."""
    if not isinstance(value, str):
        return value
    if value.casefold() in called:
        return called[value.casefold()]
    if name in SCHEDULER_FIELDS:
        refuse_two_in_one(value, called)
    return called_here(name, value)


def _with_styles(axis: Axis, line: Any) -> Axis:
    """With what its styles held in an earlier sweep, which the page gives back, else as they are now."""
    if axis.field != STYLE:
        return axis
    line = line if isinstance(line, dict) else {}
    return replace(axis, styles=styles_of(axis.values, held_in(line)))


def _with_step(first: str, last: str, whole: bool) -> str:
    """A range as it was begun, with a step of a quarter of its way; any other where it has no way."""
    ends = [float(in_plain_digits(one).replace(",", ".")) for one in (first, last)]
    way = ends[1] - ends[0]
    if not way:
        return "0:1:0.25"
    step = math.copysign(max(1, abs(way) // 4), way) if whole and abs(way) >= 1 else way / 4
    return ":".join(f"{one:.10f}".rstrip("0").rstrip(".") for one in (*ends, step))


def _calls(name: str) -> tuple[str, dict[str, Any]]:
    """The kind of a field, and what its values are called, in small letters."""
    if name.endswith((".enabled", ".solo")):
        return "boolean", SWITCHED
    if name in (PROMPTS, STYLE) or name.endswith((".prompt", ".model", ".lora")):
        return "text", {}
    known = [*leaves().values(), *start_leaves().values()]
    leaf = next((leaf for leaf in known if leaf["path"] == name), {"kind": "number"})
    if leaf["kind"] == "boolean":
        return "boolean", SWITCHED
    titles = {title.casefold(): value for value, title, *_ in leaf.get("choices", ())}
    values = {value.casefold(): value for value in titles.values()}
    others = {}
    if name in SCHEDULER_FIELDS:  # as the web UIs and ComfyUI call it
        called = [(one, value) for value in titles.values() for one in _elsewhere(value)]
        others = {one.casefold(): value for one, value in called if one}
    return leaf["kind"], {**others, **titles, **values}


def _elsewhere(name: str) -> tuple[str, ...]:
    """What other tools call a scheduler."""
    kind = SCHEDULERS[name]
    return kind.a1111, kind.comfyui, *kind.also


def _none(kind: str, called: Mapping[str, Any]) -> StudioError:
    """What an axis without values needs, in an example that its field takes."""
    if kind == "text":
        return StudioError("expected values, one a line", field="values")
    if kind in ("number", "integer"):
        return StudioError("expected values, such as 0, 0.5, 1 or 0:1:0.25", field="values")
    shown = "false, true" if kind == "boolean" else ", ".join([*dict.fromkeys(called.values())][:2])
    return StudioError(f"expected values, such as {shown}", field="values")


def look(preset: Preset, given: Any, limits: Limits, pace: Callable[[], float | None]) -> Looked:
    """Look at the axes as somebody types them: each by itself, then all of them together.

    Args:
        pace: seconds of one pass, by earlier pictures.
    """
    axes, faults = [], {}
    for number, (name, text) in enumerate(lines_of(given)):
        try:
            axis = _with_styles(read_axis(name, text), given[number])
            if axis.varied in [one.varied for one in axes]:
                raise StudioError(EQUAL, field=name)
            axes.append(axis)
            check_values(preset, axis, limits)
            if axis.field == PROMPTS:  # beside those before it
                changed(preset, axes, [one.values[0] for one in axes])
        except StudioError as error:
            faults[number] = said(error, name)
    if faults:
        return Looked(tuple(axes), faults)
    try:
        refuse_too_many(preset, axes, plan_of, pace, most=limits.cells)
        found = cost(preset, axes, plan_of, pace())
        return Looked(
            tuple(axes), cost=found, idle=(*idle_axes(preset, axes), *style_lines(preset, axes))
        )
    except StudioError as error:
        return Looked(tuple(axes), refused=said(error, "sweep"))


def check_values(preset: Preset, axis: Axis, limits: Limits) -> None:
    """See that the preset takes each value, and none twice; of more than a sweep makes, the first.

    Raises:
        StudioError: names the field.
    """
    if axis.field == PROMPTS:
        _check_searched(preset, axis)
    few = axis if len(axis.values) <= limits.cells else replace(axis, values=axis.values[:1])
    for value in few.values:
        limits.check(changed(preset, [few], [value]))
    refuse_repeated(preset, few)


def _check_searched(preset: Preset, axis: Axis) -> None:
    """Say of a text that is not there what may be: another of the axis, after one of its cells was
    used; or all of them, on one line."""
    searched, *others = axis.values
    if holds(preset, searched):
        return
    now = next((text for text in others if text and holds(preset, text)), "")
    if now:
        raise StudioError(
            f"no prompt of the rows holds {shorten(searched)}; they hold {shorten(now)}: "
            "Undo brings back what is searched",
            field=PROMPTS,
        )
    if not others and "," in searched:
        raise StudioError(
            f"no prompt of the rows holds {shorten(searched)}; one text a line", field=PROMPTS
        )


def check_cell(preset: Preset, limits: Limits) -> None:
    """See that a cell can be made: its size, its models, its pictures.

    Raises:
        StudioError: names the field.
    """
    limits.check(preset)
    plan_of(preset)
    check_images(preset)


def said(error: StudioError, place: str) -> str:
    """An error's line, without the name of the field under which it stands."""
    return error.message if error.field in (place, "values") else one_line(error)


def three(axes: Sequence[Axis]) -> Axes:
    """The axes as the verb has them: columns, lines and pages."""
    x, y, z = (*axes, None, None)[:3]
    if x is None:
        raise StudioError("1 to 3 fields to vary, got 0", field="sweep")
    return x, y, z


def here(preset: Preset, axes: Sequence[Axis], folder: Path) -> int:
    """How many of the pictures are in the folder from before."""
    stem = stem_of(preset, three(axes), [], folder)
    return sum(1 for _ in folder.glob(f"{stem}-x*-seed*.png"))


def in_words(looked: Looked, known: int) -> str:
    """The cost in a line."""
    found = looked.cost
    if found is None:
        return looked.refused
    sides = " × ".join(str(len(axis.values)) for axis in looked.axes)
    shape = f" ({sides})" if len(looked.axes) > 1 else ""
    about = "" if found.exact else "about "
    words = [f"{_many(found.pictures, 'picture')}{shape}", f"{about}{found.passes} passes"]
    left = max(0, found.pictures - known)
    if not left:
        words.append("all are here already")
    elif found.seconds is None:
        words.append("the first picture will tell how long")
    else:
        words.append(f"about {seconds(found.seconds * left / found.pictures)}")
    if known and left:
        words.append(f"{known} {'is' if known == 1 else 'are'} here already")
    return " · ".join([*words, *looked.idle])


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
