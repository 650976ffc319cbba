"""Whether a training's settings fit its method, its base and each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studio.errors import IncompatibleModels, StudioError, shorten
from studio.library import ModelEntry, family_of
from studio.library.naming import check_spelling
from studio.plan.row_models import PAINTING_CHANNELS
from studio.train.method import METHODS, methods_on

if TYPE_CHECKING:
    from studio.train.settings import TrainConfig

OF_TEXT = ("caption_dropout", "ddloss", "pdloss", "prior_weight")


def check(config: TrainConfig, entry: ModelEntry) -> None:
    """Refuse what cannot be.

    Args:
        entry: the base.

    Raises:
        StudioError: a setting that does not fit the method or another setting; names it.
        IncompatibleModels: a setting that the base's family does not allow for, or a base that is
            an inpainting network.
    """
    _check_names(config, entry)
    if entry.channels == PAINTING_CHANNELS:
        raise IncompatibleModels(
            f"{entry.id!r} paints into pictures by a mask, which no caption trains; train on the model "
            "that it was made from",
            field="base",
        )
    if METHODS[config.method].without_text:
        _check_without_text(config)
    else:
        _check_word(config)
        _check_losses(config)
    _check_family(config, entry)


def unread(config: TrainConfig) -> list[str]:
    """Settings with a value of their own that the method does not read."""
    method = METHODS[config.method]
    return [
        name
        for name, field in type(config).model_fields.items()
        if not field.is_required()
        and getattr(config, name) != field.default
        and not method.reads(name)
    ]


def _check_names(config: TrainConfig, entry: ModelEntry) -> None:
    check_spelling(config.name)
    if config.size is not None and config.size % entry.multiple:
        raise StudioError(
            f"must be a multiple of {entry.multiple}, got {config.size}", field="size"
        )
    if config.caption_dropout and config.pdloss:
        raise StudioError(
            "PDLoss reads the target in every caption; leave one of the two out",
            field="caption_dropout",
        )


def _check_without_text(config: TrainConfig) -> None:
    for field in OF_TEXT:
        if getattr(config, field):
            why = METHODS[config.method].without_text
            raise StudioError(f"{why}; leave it out", field=field)


def check_word(word: str, learned: bool) -> None:
    """Refuse what cannot call the target in a prompt.

    Args:
        learned: whether the method learns the word itself.

    Raises:
        StudioError: names ``word``.
    """
    if not word.strip():
        raise StudioError(
            'needs the word that will call the target, such as "<hero>"', field="word"
        )
    if re.search(r"[\s()\[\]\\]", word):
        raise StudioError(f"{shorten(word)} must be one word without brackets", field="word")
    if learned and not re.fullmatch(r"<[^<>]+>", word):
        raise StudioError(
            f"{shorten(word)}: a word that is learned stands in angle brackets, such as <hero>",
            field="word",
        )


def check_superclass(superclass: str, needed: bool) -> None:
    """Refuse an empty one where something reads it.

    Raises:
        StudioError: names ``superclass``.
    """
    if needed and not superclass.strip():
        raise StudioError(
            "needs the kind of thing that the target is, such as ghost", field="superclass"
        )


def _check_word(config: TrainConfig) -> None:
    learned = METHODS[config.method].learns_word
    check_word(config.word, learned)
    check_superclass(config.superclass, learned or config.pdloss > 0 or config.prior_weight > 0)


def _check_losses(config: TrainConfig) -> None:
    if config.prior_weight > 0 and "prior_weight" not in METHODS[config.method].losses:
        raise StudioError(
            f"{config.method} trains nothing that reads a caption without the word, so pictures of "
            "the superclass teach it nothing; leave it out",
            field="prior_weight",
        )


def _check_family(config: TrainConfig, entry: ModelEntry) -> None:
    family, fitting = family_of(entry.family), methods_on(entry.family)
    if config.method not in fitting:
        raise IncompatibleModels(
            f"{config.method!r} does not train on {family.title}; what does is {', '.join(fitting)}",
            field="method",
        )
    for field, unfit in family.unfit.items():
        given = getattr(config, field)
        if given and given not in unfit.allowed:
            raise IncompatibleModels(
                f"{given!r}: {unfit.why}" if unfit.allowed else unfit.why, field=field
            )
