"""Whose terms count at which step: the base's, and from the refiner's part on those of the model that takes
its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from studio.errors import IncompatibleModels
from studio.library import ModelEntry, title_of
from studio.plan.base_reads import check_reads
from studio.plan.moments import RANGE_TOLERANCE
from studio.plan.notes import notes_of
from studio.plan.places import Meeting
from studio.plan.row_models import check_shared, look_up
from studio.plan.terms import Terms
from studio.preset import Preset
from studio.preset.mistakes import fields_renamed
from studio.preset.refiner import Refiner

IS_BASE = "refiner.model: is the base, and changes nothing"
TOO_LATE = "refiner.at: begins behind the last step, and changes nothing"
_FIELDS = {"base": "refiner.model", "vae": "refiner.model"}


def finishing(preset: Preset) -> Preset:
    """The preset as it is once its refiner is the base; the autoencoder stays."""
    once = {
        "base": preset.refiner.model,
        "vae": preset.vae or preset.base,
        "refiner": Refiner(),
    }
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
            _check_follows(preset, self.first.base_model, catalogue)
            with fields_renamed(_FIELDS):
                self.last = Terms(follower, catalogue, meeting)
                check_reads(follower, self.last.base_model, self.last.models, catalogue)

    def at(self, now: float) -> Terms:
        """The terms at progress ``now``."""
        return self.last if now >= self._at - RANGE_TOLERANCE else self.first

    def notes(self, acting: Iterable[Terms], rows: Collection[int]) -> Iterator[str]:
        """What to know of the models before they run, a line each.

        Args:
            acting: the terms that have a step. rows: those that act at some step.
        """
        turns = list(dict.fromkeys(acting))
        found = (
            note
            for terms in turns or [self.first]
            for note in notes_of(terms.preset, terms.models, self._catalogue, rows)
        )
        yield from dict.fromkeys(found)
        if self.first.preset.refiner.model == self.first.preset.base:
            yield IS_BASE
        elif turns and self.last not in turns:
            yield TOO_LATE


def _check_follows(preset: Preset, base: ModelEntry, catalogue: Mapping[str, ModelEntry]) -> None:
    """See that a refiner works on the base's latents, and needs no other control networks than the base.

    Raises:
        MissingModel, IncompatibleModels: names ``refiner.model``.
    """
    field = "refiner.model"
    entry = look_up(catalogue, preset.refiner.model, field)
    check_shared(entry, base, field)
    alike = not entry.family or not base.family or entry.family == base.family
    for index, row in preset.active_rows():
        if row.control is not None and not alike:
            raise IncompatibleModels(
                f"{entry.id!r} is {title_of(entry.family)}, and the control network of row {index + 1} "
                f"is for {title_of(base.family)}",
                field=field,
            )
