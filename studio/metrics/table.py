"""The table of metrics, and what each is given."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from studio.errors import StudioError
from studio.extensions import Table
from studio.metrics.backbones import Backbones
from studio.metrics.intervals import Interval, bootstrap, jackknife

if TYPE_CHECKING:
    from studio.metrics.cutout import CutOut

_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER}) (?:and up|to (?:({_NUMBER})|[a-z]))")

Need = Literal["prompts", "references", "controls", "source", "drifts"]


@dataclass
class Scored:
    """Pictures to score and what they are compared with.

    Args:
        images: the pictures' files.
        prompts: the text of each picture, where there is one.
        seeds: the seed of each, which pairs pictures of the same noise.
        references: pictures of the subject, the style or the real distribution.
        controls: the control map of each picture.
        maps: of pictures with several, those of each kind that a score reads, by
            :attr:`studio.preset.Control.type`.
        source: the text that describes the references.
        drifts: how far each picture's run drifted from the prior, as the engine measured it.
        backbones: the networks whose features are compared, by name.
        few: let a score be taken from fewer pictures than it needs to be sound.
        cut: how the subject is cut out for scores of a subject; whole pictures without it.
    """

    images: Sequence[Path]
    prompts: Sequence[str] = ()
    seeds: Sequence[int] = ()
    references: Sequence[Path] = ()
    controls: Sequence[Path] = ()
    backbones: Backbones = field(default_factory=Backbones)
    few: bool = False
    source: str = ""
    drifts: Sequence[float] = ()
    cut: CutOut | None = None
    maps: Mapping[str, Sequence[Path]] = field(default_factory=dict)

    def maps_of(self, kind: str) -> Sequence[Path]:
        """The control map of each picture that says what its ``kind`` says, as far as that is known."""
        return self.maps.get(kind, self.controls)

    def subjects(self, paths: Sequence[Path]) -> Sequence[Path]:
        """The files that scores of a subject compare: cut out where that is asked for."""
        return paths if self.cut is None else self.cut(paths)

    def check(self, metric: Metric) -> None:
        """Raise :class:`StudioError` where ``metric`` lacks what it needs."""
        if not self.images:
            raise StudioError("there is no picture to score", field="images")
        for need in metric.needs:
            given = getattr(self, need)
            if not given:
                raise StudioError(f"needs {need}; {HOW[need]}", field=metric.name)
            if need not in ("references", "source") and len(given) != len(self.images):
                raise StudioError(
                    f"{len(given)} {need} for {len(self.images)} pictures", field=metric.name
                )

    def check_networks(self, metric: Metric) -> None:
        """Raise :class:`studio.errors.MissingModel` where its networks are not here; loads none."""
        if metric.at_hand is not None:
            metric.at_hand(self.backbones)


HOW = {
    "prompts": "give --prompts, or pictures that carry their preset",
    "references": "give --reference DIR with pictures of what was wanted",
    "controls": "score pictures that a control row made",
    "source": "give --source, the text that describes the references",
    "drifts": "score a preset's pictures, which are then made anew with it",
}


@dataclass(frozen=True)
class Metric:
    """One score.

    Args:
        name: as ``--metrics`` and files name it.
        better: whether a higher or a lower value is better; "" where neither is.
        values: the range, in words: ``0 to 1``, ``0 and up``. What it says outright, :meth:`bounds`
            holds intervals to; ``about`` 0 is no bound.
        needs: what :class:`Scored` must hold.
        help: one sentence for a person.
        source: the paper that defines it.
        each: one value per picture, shape (n,); or
        whole: one value of the whole set, given the rows of the pictures to take, each once.
        at_hand: raises :class:`studio.errors.MissingModel` where its networks are not here.
        subject: whether it compares subjects alone where they are cut out.
        most: the most that it can be, where that depends on the pictures.
        reads: the kind of control map that it compares with; "" for none.
    """

    name: str
    better: Literal["higher", "lower", ""]
    values: str
    needs: tuple[Need, ...]
    help: str
    source: str
    each: Callable[[Scored], np.ndarray] | None = None
    whole: Callable[[Scored], Callable[[np.ndarray], float]] | None = None
    at_hand: Callable[[Backbones], object] | None = None
    subject: bool = False
    most: Callable[[Scored], float] | None = None
    reads: str = ""

    def bounds(self, scored: Scored | None = None) -> tuple[float, float]:
        """The least and the most that a value can be; infinite where nothing says so.

        >>> Metric("a", "higher", "1 to the pictures of a prompt", (), "", "").bounds()
        (1.0, inf)
        """
        found = _RANGE.match(self.values)
        least = float(found[1]) if found else -math.inf
        most = float(found[2]) if found and found[2] else math.inf
        if self.most is not None and scored is not None:
            most = min(most, self.most(scored))
        return least, most


METRICS: Table[Metric] = Table("metric")


def measure(name: str, scored: Scored) -> tuple[Interval, np.ndarray | None]:
    """A metric's mean with its 95 % interval, and its value for every picture where it has one.

    Means of pictures have a bootstrap's percentiles, which lie where values do; a set's score has a
    jackknife's interval, whose ends are held to the score's own range (:meth:`Metric.bounds`).

    Raises:
        StudioError: an unknown metric, or something that it needs is missing; names it.
    """
    metric = METRICS.require(name, "metrics")
    scored.check(metric)
    if metric.each is not None:
        values = np.asarray(metric.each(scored), np.float64)
        return bootstrap(values, scored.prompts, scored.seeds), values
    if metric.whole is None:
        raise StudioError("scores neither pictures nor sets", field=name)
    interval = jackknife(metric.whole(scored), len(scored.images), name)
    return interval.within(*metric.bounds(scored)), None
