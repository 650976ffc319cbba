"""What a training is asked to do: given settings, the methods' defaults, and one frozen result.

Defaults for networks of Stable Diffusion's size are the papers' (each method's file names its
source), but for what draws on more than a person's own pictures and is off unless asked for: prior
preservation (part of DreamBooth, and of the LoRA of Steering Guidance, Supplement A) and ACCORD's
losses (A.4: DDLoss 0.1-0.3, PDLoss 0.001-0.003). Small families such as the shipped one learn
faster at higher rates and larger batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from studio.errors import IncompatibleModels, StudioError, shorten
from studio.library import Library, ModelEntry, family_of
from studio.train import methods as _own  # noqa: F401 - registers the studio's own
from studio.train.checks import check
from studio.train.method import METHODS, methods_on, trainable_families

__all__ = ["METHODS", "TrainConfig", "defaults", "differences", "is_small", "resolve"]

SMALL_EDGE = 256  # families whose native edge is at most this train with the small defaults
SMALL = {"time_power": 0.6, "sample_weight": 5.0}
# Where a loss is asked for without a weight. ACCORD, A.4: 0.1-0.3 and 0.001-0.003.
DDLOSS, PDLOSS = 0.1, 0.002
# Of trainings that were begun before ``ddloss_norm`` was a setting.
BEFORE_NORMS = {"ddloss_norm": "mean"}


def _known(method: str) -> str:
    if method not in METHODS:
        raise ValueError(f"no method of that name; known are {', '.join(METHODS)}")
    return method


Weight = Annotated[float, Field(ge=0.0, le=1e6)]
MAX_STEPS = 1_000_000
Count = Annotated[int, Field(ge=1, le=MAX_STEPS)]


class TrainConfig(BaseModel):
    """Every setting of one training, resolved. Times of day and folders of results are not here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Annotated[str, AfterValidator(_known)]
    images: Annotated[str, Field(min_length=1, max_length=4000)]
    base: Annotated[str, Field(min_length=1, max_length=200)] = "starter"
    name: Annotated[str, Field(min_length=1, max_length=60)]
    # What the pictures show.
    word: Annotated[str, Field(max_length=60)] = ""
    superclass: Annotated[str, Field(max_length=100)] = ""
    captions: str | None = None
    template: Annotated[str, Field(min_length=1, max_length=1000)] = "a {word} {superclass}"
    size: Annotated[int, Field(ge=16, le=4096)] | None = None
    flips: bool = False
    masks: bool = True
    caption_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    # What trains, and how.
    steps: Count = 500
    minutes: Annotated[float, Field(gt=0.0, le=1e5)] | None = None
    batch: Annotated[int, Field(ge=1, le=4096)] = 1
    accumulation: Annotated[int, Field(ge=1, le=4096)] = 1
    rate: Annotated[float, Field(gt=0.0)] = 1e-4
    token_rate: Annotated[float, Field(gt=0.0)] = 1e-4
    rate_schedule: Literal["constant", "cosine"] = "constant"
    warmup: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    rank: Annotated[int, Field(ge=1, le=1024)] = 4
    targets: Literal["attention", "attention+mlp"] = "attention"
    vectors: Annotated[int, Field(ge=1, le=64)] = 1
    null_text: Literal["uniform", "calibrated"] = "uniform"
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] = 0.01
    beta2: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.999
    gradient_clip: Annotated[float, Field(gt=0.0)] = 1.0
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    time_power: Annotated[float, Field(gt=0.0, le=4.0)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    precision: Literal["no", "fp16", "bf16"] | None = None
    gradient_checkpointing: bool = False
    eight_bit: bool = False
    # Losses.
    ddloss: Weight = 0.0
    ddloss_norm: Literal["sum", "mean"] = "sum"
    pdloss: Weight = 0.0
    clip: str | None = None
    prior_weight: Weight = 0.0
    class_images: str | None = None
    class_count: Annotated[int, Field(ge=1, le=10_000)] = 100
    # What is shown and kept on the way; none of these changes the numbers.
    checkpoint_every: Count = 100
    sample_every: Annotated[int, Field(ge=0)] = 0
    sample_prompts: tuple[str, ...] = ()
    sample_weight: float = 7.5
    sample_omega: Annotated[float, Field(ge=0.0, le=1.0)] = 0.4
    sample_steps: Annotated[int, Field(ge=1, le=200)] = 20
    measure_every: Annotated[int, Field(ge=0)] = 0


# Settings that may differ when a training is resumed: they change no step's numbers, or (how long it
# is, on which a falling learning rate depends) are what one resumes for.
FREE = frozenset(
    {
        "images",
        "captions",
        "class_images",
        "steps",
        "minutes",
        "checkpoint_every",
        "sample_every",
        "sample_prompts",
        "sample_weight",
        "sample_omega",
        "sample_steps",
        "measure_every",
    }
)


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


def _one_line(error: ValidationError) -> StudioError:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "missing":
        return StudioError("is needed", field=field)
    if first["type"] == "extra_forbidden":
        return StudioError("is no setting of a training", field=field)
    message = first["msg"].removeprefix("Value error, ")
    return StudioError(
        f"{message[0].lower()}{message[1:]}, got {shorten(first['input'])}", field=field
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Settings that changed since a training began and would change its numbers, one line each."""
    return [
        f"{key} was {shorten(before.get(key), 40)}, now {shorten(now.get(key), 40)}"
        for key in sorted({*before, *now})
        if key not in FREE and before.get(key) != now.get(key)
    ]
