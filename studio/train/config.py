"""What a training is asked to do: given settings, the papers' defaults, and one frozen result.

Defaults for networks of Stable Diffusion's size are the papers': GCFG, Appendix D (concept);
Steering Guidance, Supplement A (LoRA rank 4 and 1e-4, two vectors with textual inversion, 500
steps of batch 1); ACCORD, A.4 (1000 steps, DDLoss 0.1-0.3, PDLoss 0.001-0.003). Small families
such as the shipped one learn faster at higher rates and larger batches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.errors import IncompatibleModels, StudioError, shorten
from studio.library import FAMILIES, Library, ModelEntry, family_of

Method = Literal[
    "concept", "dreambooth", "lora", "ti", "lora+ti", "custom-diffusion", "oft", "visual-encoder"
]
METHODS: tuple[str, ...] = get_args(Method)
PERSONAL = METHODS[1:]
WORD_METHODS = ("ti", "lora+ti", "custom-diffusion", "visual-encoder")  # PDLoss acts on these
SMALL_EDGE = 256  # families whose native edge is at most this train with the small defaults

Weight = Annotated[float, Field(ge=0.0, le=1e6)]
MAX_STEPS = 1_000_000
Count = Annotated[int, Field(ge=1, le=MAX_STEPS)]


class TrainConfig(BaseModel):
    """Every setting of one training, resolved. Times of day and folders of results are not here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method
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

_PAPERS: dict[str, dict[str, Any]] = {
    "concept": {"rate": 1e-5, "batch": 4, "accumulation": 8, "steps": 5000, "ema": 0.9999},
    "dreambooth": {"rate": 5e-6, "steps": 500},
    "lora": {"rate": 1e-4, "rank": 4, "steps": 500},
    "ti": {"token_rate": 5e-4, "steps": 1000, "weight_decay": 0.0},
    "lora+ti": {"rate": 1e-4, "token_rate": 1e-4, "rank": 4, "vectors": 2, "steps": 500},
    "custom-diffusion": {"rate": 1e-5, "token_rate": 1e-5, "batch": 2, "steps": 1000},
    "oft": {"rate": 6e-5, "steps": 1000, "weight_decay": 0.0},
    "visual-encoder": {"rate": 1e-4, "steps": 1000},
}
_SMALL: dict[str, dict[str, Any]] = {
    "concept": {"rate": 4e-4, "batch": 32, "accumulation": 1, "steps": 1500, "ema": 0.995},
    "dreambooth": {"rate": 2e-4, "batch": 8, "steps": 200},
    "lora": {"rate": 2e-3, "batch": 8, "rank": 8, "steps": 300, "targets": "attention+mlp"},
    "ti": {"token_rate": 5e-3, "batch": 8, "steps": 300, "vectors": 2},
    "lora+ti": {
        "rate": 2e-3,
        "token_rate": 5e-3,
        "batch": 8,
        "rank": 8,
        "steps": 300,
        "targets": "attention+mlp",
    },
    "custom-diffusion": {"rate": 1e-3, "token_rate": 5e-3, "batch": 8, "steps": 300},
    "oft": {"rate": 2e-3, "batch": 8, "steps": 300},
    "visual-encoder": {"rate": 1e-3, "batch": 8, "steps": 300},
}


def defaults(method: str, small: bool) -> dict[str, Any]:
    """The method's own defaults, where they differ from :class:`TrainConfig`'s."""
    found = dict(_PAPERS[method])
    if method in ("ti", "visual-encoder"):
        found["template"] = "a {word}"  # the word stands for the whole target
    if small:
        found |= {"time_power": 0.6, "sample_weight": 5.0, **_SMALL[method]}
    return found


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
    if method not in METHODS:
        raise StudioError(
            f"{shorten(method)} is no method; known are {', '.join(METHODS)}", field="method"
        )
    entry = trainable_base(library, str(given.get("base") or "starter"))
    settings = defaults(str(method), is_small(entry))
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
    _check(config, entry)
    _check_family(config, entry)
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
    if entry.family and (entry.family not in FAMILIES or not FAMILIES[entry.family].methods):
        known = ", ".join(name for name, family in FAMILIES.items() if family.methods)
        raise IncompatibleModels(
            f"{name!r} is of family {entry.family!r}; what trains here is {known}", field="base"
        )
    return entry


def _check_family(config: TrainConfig, entry: ModelEntry) -> None:
    """What a family's networks or text towers do not allow for.

    Raises:
        IncompatibleModels: names the setting.
    """
    family = family_of(entry.family)
    if config.method not in family.methods:
        raise IncompatibleModels(
            f"{config.method!r} does not train on {family.title}; what does is "
            f"{', '.join(family.methods)}",
            field="method",
        )
    for field, unfit in family.unfit.items():
        given = getattr(config, field)
        if given and given not in unfit.allowed:
            raise IncompatibleModels(
                f"{given!r}: {unfit.why}" if unfit.allowed else unfit.why, field=field
            )


def _check(config: TrainConfig, entry: ModelEntry) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", config.name):
        raise StudioError(
            f"{shorten(config.name)} cannot be a model's name; letters, digits, - _ and . can",
            field="name",
        )
    if config.size is not None and config.size % entry.multiple:
        raise StudioError(
            f"must be a multiple of {entry.multiple}, got {config.size}", field="size"
        )
    if config.caption_dropout and config.pdloss:
        raise StudioError(
            "PDLoss reads the target in every caption; leave one of the two out",
            field="caption_dropout",
        )
    if config.method == "concept":
        for field in ("caption_dropout", "ddloss", "pdloss", "prior_weight"):
            if getattr(config, field):
                raise StudioError(
                    "a concept network has no text, so there is nothing to decouple or preserve; "
                    "leave it out",
                    field=field,
                )
        return
    if not config.word.strip():
        raise StudioError(
            'needs the word that will call the target, such as "<hero>"', field="word"
        )
    if re.search(r"[\s()\[\]\\]", config.word):
        raise StudioError(f"{shorten(config.word)} must be one word without brackets", field="word")
    if config.method in WORD_METHODS and not re.fullmatch(r"<[^<>]+>", config.word):
        raise StudioError(
            f"{shorten(config.word)}: a word that is learned stands in angle brackets, such as <hero>",
            field="word",
        )
    needs_class = config.pdloss > 0 or config.prior_weight > 0 or config.method in WORD_METHODS
    if needs_class and not config.superclass.strip():
        raise StudioError(
            "needs the kind of thing that the target is, such as ghost", field="superclass"
        )


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
