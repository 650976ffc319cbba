"""Whose terms count at which step: the base's, and from the refiner's part on those of the model that takes
its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from studio.library import ModelEntry
from studio.plan.base_reads import check_reads
from studio.plan.moments import RANGE_TOLERANCE
from studio.plan.notes import notes_of
from studio.plan.places import Meeting
from studio.plan.row_models import check_shared
from studio.plan.terms import Terms
from studio.preset import Preset
from studio.preset.mistakes import fields_renamed
from studio.preset.refiner import Refiner

IS_BASE = "refiner.model: is the base, and changes nothing"


def finishing(preset: Preset) -> Preset:
    """The preset as it is once its refiner is the base."""
    once = {"base": preset.refiner.model, "refiner": Refiner()}
    return preset.model_copy(update=once)


class Turns:
    """The terms of a preset's rows, under its base and under its refiner.

    Raises:
        StudioError: as :class:`~studio.plan.terms.Terms` and
            :func:`~studio.plan.base_reads.check_reads`; what only the refiner cannot names
            ``refiner.model`` or the row.
    """

    def __init__(
        self, preset: Preset, catalogue: Mapping[str, ModelEntry], meeting: Meeting
    ) -> None:
        self.first = Terms(preset, catalogue, meeting)
        check_reads(preset, self.first.base_model, self.first.models, catalogue)
        self.last = self.first
        self._at = preset.refiner.at
        self._catalogue = catalogue
        if preset.refiner.on and preset.refiner.model != preset.base:
            follower = finishing(preset)
            with fields_renamed({"base": "refiner.model"}):
                self.last = Terms(follower, catalogue, meeting)
                check_shared(self.last.base_model, self.first.base_model, "refiner.model")
                check_reads(follower, self.last.base_model, self.last.models, catalogue)

    def at(self, now: float) -> Terms:
        """The terms at progress ``now``."""
        return self.last if now >= self._at - RANGE_TOLERANCE else self.first

    def notes(self, rows: Collection[int]) -> Iterator[str]:
        """What to know of the models before they run, a line each.

        Args:
            rows: those that act at some step.
        """
        for terms in dict.fromkeys((self.first, self.last)):
            yield from notes_of(terms.preset, terms.models, self._catalogue, rows)
        if self.first.preset.refiner.model == self.first.preset.base:
            yield IS_BASE
