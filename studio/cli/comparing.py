"""The comparison of results: each less the first, paired by prompt and seed."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from studio.cli.common import say
from studio.errors import StudioError, shorten

if TYPE_CHECKING:
    from studio.metrics.intervals import Pair


def compare_results(paths: list[str]) -> None:
    """Each result less the first, for each metric that every picture has in both."""
    from studio.metrics import compare

    if len(paths) < 2:
        raise StudioError("compare takes two results or more, A.json B.json …", field="evaluate")
    first, *others = [_table(Path(path)) for path in paths]
    _note_differences(paths)
    found = {}
    for path, other in zip(paths[1:], others, strict=True):
        names = [name for name in first if name in other]
        if not names:
            raise StudioError(
                f"{paths[0]} and {path} have no metric of single pictures in common",
                field="compare",
            )
        _note_left_out(paths[0], path, names)
        found[path] = {name: compare(first[name], other[name]).as_dict() for name in names}
    _show(found)
    if len(found) == 1:
        say({"difference": found[paths[1]]})
    else:
        say({"first": paths[0], "differences": found})


def _note_differences(paths: list[str]) -> None:
    """A line on stderr for each result that other networks or cut-outs scored than the first."""
    first, *others = [_part(Path(path), "settings") for path in paths]
    for path, other in zip(paths[1:], others, strict=True):
        differing = [
            f"{name} {first.get(name, 'none')} and {other.get(name, 'none')}"
            for name in ("clip", "vision", "cut_out", "masks")
            if first.get(name) != other.get(name)
        ]
        if differing:
            print(f"note: {path} was scored otherwise: {', '.join(differing)}", file=sys.stderr)


def _note_left_out(first: str, second: str, compared: list[str]) -> None:
    """A line on stderr that names the scores of either result that are not compared, and why."""
    one, other = (list(_part(Path(path), "metrics")) for path in (first, second))
    reasons = {
        f"only in {first}": [name for name in one if name not in other],
        f"only in {second}": [name for name in other if name not in one],
        "of whole sets, which have no pairs": [
            name for name in one if name in other and name not in compared
        ],
    }
    said = [f"{', '.join(names)} ({reason})" for reason, names in reasons.items() if names]
    if said:
        print(f"note: not compared: {'; '.join(said)}", file=sys.stderr)


def _part(path: Path, name: str) -> dict[str, Any]:
    """A part of a result: its ``settings``, how it was scored, or its ``metrics``.

    Raises:
        StudioError: the file holds no result.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudioError("is no result of evaluate", field=str(path)) from error


def _show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """The differences as a table, for a person at a terminal."""
    if not sys.stderr.isatty():
        return
    for path, metrics in found.items():
        print(f"{path} less the first", file=sys.stderr)
        for name, of in metrics.items():
            text = f"{of['mean']:+.4f}  ({of['low']:+.4f} to {of['high']:+.4f}, n = {of['n']})"
            print(f"  {name:18} {text}", file=sys.stderr)


def _table(path: Path) -> dict[str, dict[Pair, float]]:
    """Metric → (prompt, seed) → value, from the CSV beside a ``results.json``.

    The picture's name stands for the seed of pictures that have none.

    Raises:
        StudioError: no such result, or two pictures of the same prompt and seed.
    """
    beside = path.parent / "pictures.csv"
    if not path.is_file() or not beside.is_file():
        raise StudioError("is no result of evaluate with its pictures.csv", field=str(path))
    found: dict[str, dict[Pair, float]] = {}
    seen: set[Pair] = set()
    with beside.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            name_of, seed = PurePath(line.pop("picture")).name, line.pop("seed")
            key: Pair = (line.pop("prompt"), seed or name_of)
            if key in seen:
                raise StudioError(
                    f"holds two pictures of {shorten(key[0])} and {key[1]}, so what is paired with "
                    "which is not clear",
                    field=str(path),
                )
            seen.add(key)
            for name, value in line.items():
                found.setdefault(name, {})[key] = float(value)
    return found
