"""Whether models were trained alike, so that weights between them mean something; of files' texts alone."""

from __future__ import annotations

from studio.diffusion.training import Training
from studio.errors import MissingModel, StudioError, shorten
from studio.library import Library, ModelEntry
from studio.library.merging import Ingredients, Recipe
from studio.library.merging import check as check_files
from studio.library.noise import scheduler_config


def check(recipe: Recipe, library: Library, named: bool = True) -> Ingredients:
    """Refuse what cannot be merged, before a weight is read.

    Args:
        named: whether it needs its name already.

    Raises:
        StudioError: what :func:`studio.library.merging.check` refuses, or models of another prediction
            or noise; names the field.
        MissingModel: a model is not in the library.
    """
    found = check_files(recipe, library, named)
    known = {place: trained(one, library) for place, one in found.models.items()}
    told = {place: one for place, one in known.items() if one is not None}
    for place, one in told.items():
        first = next(iter(told))
        _check_alike(found.models[first], told[first], found.models[place], one, place)
    return found


def trained(entry: ModelEntry, library: Library) -> Training | None:
    """How a model was trained: by its own files, else by those of the base that it names.

    Raises:
        MissingModel: its scheduler's config cannot be understood.
    """
    config = scheduler_config(entry)
    base = library.get(entry.base) if entry.base and not config else None
    config = config or (scheduler_config(base) if base is not None else {})
    try:
        return Training.of(config) if config else None
    except (TypeError, ValueError) as error:
        raise MissingModel(
            f"{shorten(entry.id)}: its scheduler's config cannot be understood; fetch it again"
        ) from error


def _check_alike(
    first: ModelEntry, own: Training, other: ModelEntry, theirs: Training, place: str
) -> None:
    if own.prediction != theirs.prediction:
        raise StudioError(
            f"{shorten(other.id)} predicts {theirs.prediction}, {shorten(first.id)} {own.prediction}; "
            "weights between the two mean nothing: choose models that predict the same",
            field=place,
        )
    if what := own.difference(theirs):
        raise StudioError(
            f"{shorten(other.id)} was trained with another {what} than {shorten(first.id)}; "
            "weights between the two mean nothing: choose models of one kind",
            field=place,
        )
