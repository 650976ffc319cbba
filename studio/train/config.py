"""From given settings and the methods' defaults to one frozen result, checked.

Defaults for networks of Stable Diffusion's size are the papers' (each method's file names its
source), but for what draws on more than a person's own pictures and is off unless asked for: prior
preservation (part of DreamBooth, and of the LoRA of Steering Guidance, Supplement A) and ACCORD's
losses (A.4: DDLoss 0.1-0.3, PDLoss 0.001-0.003). Small families such as the shipped one learn
faster at higher rates and larger batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from studio.errors import IncompatibleModels, MissingModel, StudioError, in_plain_words, shorten
from studio.library import Library, ModelEntry, family_of
from studio.train import methods as _own  # noqa: F401 - registers the studio's own
from studio.train.checks import check
from studio.train.method import METHODS, methods_on, trainable_families
from studio.train.settings import BEFORE_NORMS, MAX_STEPS, TrainConfig, differences

__all__ = [
    "BEFORE_NORMS",
    "METHODS",
    "TrainConfig",
    "defaults",
    "differences",
    "is_small",
    "resolve",
]

SMALL_EDGE = 256  # families whose native edge is at most this train with the small defaults
SMALL = {"time_power": 0.6, "sample_weight": 5.0}
# Where a loss is asked for without a weight. ACCORD, A.4: 0.1-0.3 and 0.001-0.003.
DDLOSS, PDLOSS = 0.1, 0.002


def defaults(method: str, small: bool) -> dict[str, Any]:
    """The method's own defaults, where they differ from :class:`TrainConfig`'s."""
    record = METHODS[method]
    return {**record.defaults, **(SMALL | dict(record.small) if small else {})}


def is_small(entry: ModelEntry) -> bool:
    """Whether a base trains with the defaults of small families."""
    return 0 < entry.size <= SMALL_EDGE


def resolve(given: Mapping[str, Any], library: Library) -> TrainConfig:
    """``given`` settings (``None`` means the default) with the rest filled in, and checked.

    Raises:
        StudioError: a setting that is missing, out of range or does not fit the method; names it.
        MissingModel, IncompatibleModels: a base that is not there or cannot be trained.
    """
    method = given.get("method")
    if not isinstance(method, str) or method not in METHODS:
        raise StudioError(
            f"{shorten(method)} is no method; known are {', '.join(METHODS)}", field="method"
        )
    entry = trainable_base(library, str(given.get("base") or "starter"))
    settings = defaults(method, is_small(entry))
    for field, unfit in family_of(entry.family).unfit.items():
        if settings.get(field) not in unfit.allowed:
            settings.pop(field, None)
    settings |= {key: value for key, value in given.items() if value is not None}
    settings["edition"] = entry.edition
    settings.setdefault("size", entry.size or 512)
    if given.get("minutes") is not None and given.get("steps") is None:
        settings["steps"] = MAX_STEPS  # the minutes end it
    try:
        config = TrainConfig.model_validate(settings)
    except ValidationError as error:
        raise _one_line(error) from error
    check(config, entry)
    return config


def trainable_base(library: Library, name: str) -> ModelEntry:
    """The base's entry.

    Raises:
        MissingModel, IncompatibleModels: not there, no whole pipeline, or of a family that does
            not train here.
    """
    entry = library[name]
    if entry.kind not in ("base", "finetune"):
        raise IncompatibleModels(
            f"{name!r} is {entry.a_kind}; training starts from a base", field="base"
        )
    if not methods_on(entry.family):
        raise IncompatibleModels(
            f"{name!r} is of family {entry.family!r}; what trains here is "
            f"{', '.join(trainable_families())}",
            field="base",
        )
    return entry


def entry_of(config: TrainConfig, library: Library) -> ModelEntry:
    """The base, or where it has another edition by now than the training was begun on, the model
    that keeps that one: ``starter-1`` for the first of ``starter``.

    Raises:
        MissingModel: absent or damaged; names the model.
    """
    entry = library[config.base]
    if entry.edition == config.edition:
        return entry
    kept = f"{config.base}-{config.edition}"
    if kept not in library:
        raise MissingModel(
            f"begun on edition {config.edition} of {config.base}, which is edition {entry.edition} "
            f"by now, and the base {kept}, which would have those weights, is not here",
            field="base",
            model=kept,
        )
    return library[kept]


def _one_line(error: ValidationError) -> StudioError:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "missing":
        return StudioError("is needed", field=field)
    if first["type"] == "extra_forbidden":
        return StudioError("is no setting of a training", field=field)
    return StudioError(
        f"{in_plain_words(first['msg'])}, got {shorten(first['input'])}", field=field
    )
