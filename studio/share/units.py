"""Control images as the web UI's ControlNet units, which act on the whole picture there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from studio.preset import Control, Preset, Row
from studio.preset.preprocessors import PREPROCESSORS
from studio.share.turns import is_said

Span = tuple[float, float]
USUAL_UNITS = 3  # of both web UIs, unless their settings say otherwise
MOST_WEIGHT, MOST_THRESHOLD = 2.0, 255


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
    rows = [(at, row) for at, row in preset.active_rows() if is_said(row)]
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


def _everywhere(control: Control, span: Span, rows: Sequence[tuple[int, Row]]) -> bool:
    """Whether all that acts in a part of the denoising has it, the base's place taken by negative rows."""
    beside = [row for _, row in rows if row.range[0] < span[1] and span[0] < row.range[1]]
    negative = _joined([row.range for row in beside if row.weight < 0])
    covered = any(start <= span[0] and span[1] <= end for start, end in negative)
    return covered and all(control in row.all_controls.values() for row in beside)


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
    pairs = {
        "Module": "none" if control.finished else kind.a1111 or control.type,
        **({"Model": name} if (name := _model(control)) else {}),
        "Weight": f"{control.strength:g}",
        "Resize Mode": "Just Resize",
        **(edges if _reads_edges(control) else {}),
        "Guidance Start": f"{start:g}",
        "Guidance End": f"{end:g}",
        "Pixel Perfect": "True",
        "Control Mode": "Balanced",
    }
    return ", ".join(f"{name}: {value}" for name, value in pairs.items())


def _model(control: Control) -> str:
    """Its ControlNet's name; "" for the base's own, and for one that the unit's text would be cut at."""
    name = PurePath(control.model or "").name
    return "" if "," in name or ":" in name else name


def units_unsaid(preset: Preset) -> list[str]:
    """What those texts leave out or change; names the fields."""
    found: list[str] = []
    for number, unit in enumerate(units_of(preset)):
        control, field = unit.control, unit.field
        found.append(f"{field}: there, its picture is chosen anew, and in Forge its ControlNet")
        if number >= USUAL_UNITS:
            found.append(
                f"{field}: there, it is left out but where the settings have more units than three"
            )
        if not _model(control):
            found.append(f"{field}: there, its ControlNet is chosen anew")
        if not unit.everywhere:
            found.append(f"{field}: there, it acts on every prompt, the negative one too")
        if control.strength > MOST_WEIGHT:
            found.append(f"{field}.strength: there, it is at most {MOST_WEIGHT:g}")
        if _reads_edges(control) and max(control.low, control.high) > MOST_THRESHOLD:
            found.append(f"{field}: there, thresholds are at most {MOST_THRESHOLD}")
    return found


def _reads_edges(control: Control) -> bool:
    return PREPROCESSORS[control.type].thresholds and not control.finished
