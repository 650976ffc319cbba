"""Control images as the web UI's ControlNet units, which act on the whole picture there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from studio.preset import Control, Preset, Row
from studio.preset.preprocessors import PREPROCESSORS

Span = tuple[float, float]


@dataclass(frozen=True)
class Unit:
    """One control image in one part of the denoising.

    ``field`` is where a row first has it; ``everywhere``: all that is predicted there has it too.
    """

    control: Control
    range: Span
    field: str
    everywhere: bool


def units_of(preset: Preset) -> list[Unit]:
    """The controls of active rows, once each; rows that take turns have theirs in one part or several."""
    rows = [(at, row) for at, row in preset.active_rows() if row.prompt or only_controls(row)]
    places: dict[tuple[Control, int], list[tuple[str, Span]]] = {}
    for index, row in rows:
        seen: list[Control] = []
        for field, control in row.all_controls.items():
            key = (control, seen.count(control))
            seen.append(control)
            places.setdefault(key, []).append((f"rows.{index}.{field}", row.range))
    return [
        Unit(control, span, held[0][0], _everywhere(control, span, rows))
        for (control, _), held in places.items()
        for span in _joined([one for _, one in held])
    ]


def only_controls(row: Row) -> bool:
    """Whether a row is the empty prompt beside control images, as a picture without a negative prompt
    has it there."""
    plain = Row(control=row.control, controls=row.controls, weight=row.weight, range=row.range)
    return row.weight < 0 and row.control is not None and row == plain


def _everywhere(control: Control, span: Span, rows: Sequence[tuple[int, Row]]) -> bool:
    beside = [row for _, row in rows if row.range[0] < span[1] and span[0] < row.range[1]]
    negative = any(row.weight < 0 for row in beside)
    return negative and all(control in row.all_controls.values() for row in beside)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Parts of the denoising, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(set(spans)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def unit_texts(preset: Preset) -> dict[str, str]:
    """The units under the names of a picture's text. The pictures themselves have no place in it."""
    return {f"ControlNet {number}": _text(unit) for number, unit in enumerate(units_of(preset))}


def _text(unit: Unit) -> str:
    control, (start, end) = unit.control, unit.range
    kind = PREPROCESSORS[control.type]
    edges = {"Threshold A": f"{control.low}", "Threshold B": f"{control.high}"}
    read = kind.thresholds and not control.finished
    pairs = {
        "Module": "none" if control.finished else kind.a1111 or control.type,
        **({"Model": PurePath(control.model).name} if control.model else {}),
        "Weight": f"{control.strength:g}",
        "Resize Mode": "Just Resize",
        **(edges if read else {}),
        "Guidance Start": f"{start:g}",
        "Guidance End": f"{end:g}",
        "Pixel Perfect": "True",
        "Control Mode": "Balanced",
    }
    return ", ".join(f"{name}: {value}" for name, value in pairs.items())


def units_unsaid(preset: Preset) -> list[str]:
    """What those texts leave out or change; names the fields."""
    found: list[str] = []
    for unit in units_of(preset):
        found.append(f"{unit.field}: there, its picture is chosen anew")
        if not unit.control.model:
            found.append(
                f"{unit.field}: there, its ControlNet is chosen, which is the base's own here"
            )
        if not unit.everywhere:
            found.append(f"{unit.field}: there, it acts on every prompt, the negative one too")
    return found
