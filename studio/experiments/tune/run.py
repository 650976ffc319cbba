"""The search itself: settings of a preset tried on the same prompts and seeds.

Every finished picture and point is kept in the search's folder, so that one that was stopped goes
on where it was. A point that is worse in every score, beyond chance, is left unfinished: the
pictures that it would have cost go to others.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from studio.experiments.asked import Request
from studio.experiments.making import Makers, Making
from studio.experiments.tune.front import beaten
from studio.experiments.tune.points import Point, keep_points, key_of, read_points
from studio.experiments.tune.propose import next_values
from studio.experiments.tune.search import Search, Values, begin, check
from studio.metrics import METRICS, measure
from studio.metrics.intervals import bootstrap
from studio.preset import Preset


@dataclass(frozen=True)
class Picture:
    """A picture that is there: of which point, the how many of how many, all so far, made now or before."""

    values: Values
    number: int
    of: int
    spent: int
    made: bool


def run(search: Search, make: Makers) -> Generator[Picture | Point, None, None]:
    """Search: every picture as it is made, every point as it is measured.

    Closing the generator stops the search; what was made stays for the next time.

    Args:
        make: makes pictures; of a setting that is left unfinished some more than are counted,
            where several are made at once.
    """
    check(search)
    begin(search)
    points = read_points(search)
    signs, names = search.signs, search.metrics
    own = {one.field: _own(search.preset, one.field) for one in search.ranges}
    size = len(search.requests({}))
    while (spent := sum(len(p.paths) for p in points)) + size <= search.budget:
        known = [p for p in points if all(np.isfinite(p.scores(names, signs)))]
        record = [(p.values, [p.metrics[n].mean for n in names]) for p in known]
        tried = [p.values for p in points]
        order = [signs[n] for n in names]
        values = next_values(search.ranges, record, order, own, tried, search.guided)
        if values is None:
            return
        point = yield from _measured(search, values, points, make, spent)
        points.append(point)
        keep_points(search, points)
        yield point


def _measured(
    search: Search, values: Values, points: Sequence[Point], make: Makers, spent: int
) -> Generator[Picture | Point, None, Point]:
    """One point: its pictures one by one, as long as no other is better in every score."""
    asked = search.requests(values)
    folder = search.out / "pictures" / key_of(values)
    singles = all(METRICS[name].each for name in search.metrics)
    others = [p.each for p in points if not p.stopped]
    paths = [folder / f"{number:04d}-seed{one.seed}.png" for number, one in enumerate(asked)]
    missing = [n for n, path in enumerate(paths) if not search.beside.kept(path)]
    folder.mkdir(parents=True, exist_ok=True)
    each: dict[str, list[float]] = {name: [] for name in search.metrics}
    count = 0
    with closing(make([(asked[n].preset, paths[n]) for n in missing])) as making:
        for number, new in _in_order(len(asked), missing, making):
            count = number + 1
            yield Picture(values, count, len(asked), spent + count, new)
            if singles:
                for name, value in _scores(search, asked[number], paths[number]).items():
                    each[name].append(value)
                if count < len(asked) and beaten(each, others, search.signs):
                    break
    paths = paths[:count]
    return _point(search, values, asked[: len(paths)], paths, each if singles else None, len(asked))


def _in_order(count: int, missing: Sequence[int], making: Making) -> Iterator[tuple[int, bool]]:
    """Every picture's number, and whether it was made now; those that are ahead are waited with."""
    there: set[int] = set()
    for number in range(count):
        new = number in missing
        while new and number not in there:
            there.add(missing[next(making)[0]])
        yield number, new


def _scores(search: Search, one: Request, path: Path) -> dict[str, float]:
    scored = replace(search.scored, images=[path], prompts=[one.prompt], seeds=[one.seed])
    scored = search.beside.measured(scored, [one.preset])
    found = {}
    for name in search.metrics:
        each = METRICS[name].each
        assert each is not None  # asked for only where every score has one
        found[name] = float(np.asarray(each(scored))[0])
    return found


def _point(
    search: Search,
    values: Values,
    asked: Sequence[Request],
    paths: Sequence[Path],
    each: Mapping[str, Sequence[float]] | None,
    whole: int,
) -> Point:
    texts, seeds = [one.prompt for one in asked], [one.seed for one in asked]
    intervals, singles = {}, {}
    if each is not None:
        for name, row in each.items():
            if np.isfinite(row).any():
                intervals[name] = bootstrap(np.asarray(row), texts, seeds)
        singles = {name: tuple(row) for name, row in each.items()}
    else:
        scored = replace(search.scored, images=list(paths), prompts=texts, seeds=seeds)
        scored = search.beside.measured(scored, [one.preset for one in asked])
        for name in search.metrics:
            intervals[name], row = measure(name, scored)
            if row is not None:
                singles[name] = tuple(row.tolist())
    return Point(values, tuple(paths), singles, intervals, len(paths) < whole)


def _own(preset: Preset, path: str) -> Any:
    """The preset's own value of a field; ``None`` where it has none."""
    holder: Any = preset.model_dump(mode="json")
    for name in path.split("."):
        try:
            holder = holder[int(name)] if isinstance(holder, list) else holder[name]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return holder
