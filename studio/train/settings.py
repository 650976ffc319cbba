"""The settings of one training: the document that every part of it reads. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from studio.errors import shorten
from studio.extensions import TABLES
from studio.library.naming import MOST_OF_NAME

METHOD = "training method"  # the kind of the table that holds them
# Of trainings that were begun before ``ddloss_norm`` was a setting.
BEFORE_NORMS = {"ddloss_norm": "mean"}


def _known(method: str) -> str:
    known = TABLES.get(METHOD, {})
    if method not in known:
        raise ValueError(f"no method of that name; known are {', '.join(known)}")
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
    edition: Annotated[int, Field(ge=1)] = 1  # the base's own; filled in, nothing to choose
    name: Annotated[str, Field(min_length=1, max_length=MOST_OF_NAME)]
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
    pdloss_target: Literal["superclass", "0", "-1"] = "superclass"
    clip: str | None = None
    prior_weight: Weight = 0.0
    class_images: str | None = None
    class_count: Annotated[int, Field(ge=1, le=10_000)] = 100
    # What is shown and kept on the way; none of these changes the numbers.
    checkpoint_every: Count = 100
    sample_every: Annotated[int, Field(ge=0)] = 0
    sample_prompts: tuple[str, ...] = ()
    sample_weight: Annotated[float, Field(ge=-1000.0, le=1000.0)] = 7.5  # a row's
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


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Settings that changed since a training began and would change its numbers, one line each."""
    return [
        f"{key} was {shorten(before.get(key), 40)}, now {shorten(now.get(key), 40)}"
        for key in sorted({*before, *now})
        if key not in FREE and before.get(key) != now.get(key)
    ]
