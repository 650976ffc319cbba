"""The parts of a preset: rows, their models, images and references.

Values with bounds and no behaviour; :mod:`studio.preset` puts them together and reports mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from studio.extensions import Table
from studio.preset.preprocessors import CANNY_THRESHOLDS, PREPROCESSORS
from studio.preset.refinements import REFINEMENTS

_APG = REFINEMENTS["apg"].settings
MOST_CONTROLS = 8  # of a row, all together


def named(table: Table[Any]) -> Any:
    """A field that holds a name of ``table``; its schema lists what the table holds at that time."""

    def known(name: str) -> str:
        if name not in table:
            raise ValueError(f"is not a {table.kind}; there is {', '.join(table)}")
        return name

    def listed(schema: dict[str, Any]) -> None:
        schema["enum"] = list(table)

    return Annotated[str, AfterValidator(known), Field(strict=True, json_schema_extra=listed)]


if TYPE_CHECKING:
    ControlType = str
else:
    ControlType = named(PREPROCESSORS)
ModelId = Annotated[str, Field(min_length=1, max_length=200)]
# A path under ``assets/`` or the studio's ``inputs/``, or a ``data:image/…`` URI.
ImageRef = Annotated[str, Field(max_length=12 * 2**20)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, strict=True)]


MODELS = "x-models"  # of a text in the schema: that it names a model of the library, of these kinds


class Document(BaseModel):
    """Frozen, no unknown fields, no silent conversion of a wrong type."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# Sliders, whose two ends are two signs, are run at 5 and more.
Strength = Annotated[float, Field(ge=-10.0, le=10.0, strict=True)]


TextStrength = Annotated[
    Strength | None,
    Field(
        description="Strength of the adapter in the text encoders alone; the same as strength where "
        "it is not given."
    ),
]


class AdapterRef(Document):
    """One of several adapters of a row; ``strength`` multiplies its weight change Δ.

    ``text_strength`` does so in the text encoders, where it differs.
    """

    lora: ModelId
    strength: Strength = 1.0
    text_strength: TextStrength = None


class ModelRef(Document):
    """A row's model when one id is not enough.

    ``lora`` at ``strength`` (which multiplies its weight change Δ; GCFG and Steering Guidance use
    1) and in the text encoders at ``text_strength`` where that differs, more of them in ``loras``, on ``model`` (a base or fine-tune; the preset's base without
    it). ``embeddings`` are learned words that only this row's prompts know.
    """

    lora: ModelId | None = None
    strength: Strength = 1.0
    text_strength: TextStrength = None
    loras: Annotated[tuple[AdapterRef, ...], Field(max_length=16)] = ()
    model: ModelId | None = None
    embeddings: Annotated[tuple[ModelId, ...], Field(max_length=32)] = ()

    @model_validator(mode="after")
    def _names_something(self) -> ModelRef:
        if not (self.lora or self.loras or self.model or self.embeddings):
            raise ValueError("it names no model: lora, loras, model and embeddings are all missing")
        return self

    def adapters(self) -> list[tuple[str, float]]:
        """Id and strength of every adapter."""
        first = [(self.lora, self.strength)] if self.lora else []
        return first + [(one.lora, one.strength) for one in self.loras]

    def text_strengths(self) -> list[float]:
        """Of every adapter in :meth:`adapters`, its strength in the text encoders."""
        given = [(self.text_strength, self.strength)] if self.lora else []
        given += [(one.text_strength, one.strength) for one in self.loras]
        return [strength if text is None else text for text, strength in given]


class Control(Document):
    """A control image for one row, through a ControlNet.

    ``type`` names the preprocessor; ``map`` takes the image as the finished map. ``image`` is a
    path under ``assets/`` or the studio's ``inputs/``, or a ``data:image/…`` URI.
    ``model`` names the ControlNet; without it, the one of the base for that type is taken.
    ``finished``: the image is a map of that type already, and is taken as it is. ``low``, ``high``: from
    how strong on an edge of ``canny`` is drawn where it goes on from another, and by itself.
    """

    type: ControlType
    image: ImageRef = ""
    strength: Annotated[float, Field(ge=0.0, le=4.0, strict=True)] = 1.0
    model: ModelId | None = None
    finished: StrictBool = False
    low: Annotated[int, Field(ge=0, le=1000, strict=True)] = CANNY_THRESHOLDS[0]
    high: Annotated[int, Field(ge=0, le=1000, strict=True)] = CANNY_THRESHOLDS[1]

    @model_validator(mode="after")
    def _reads_thresholds(self) -> Control:
        if (self.low, self.high) != CANNY_THRESHOLDS and not PREPROCESSORS[self.type].thresholds:
            raise ValueError("'low' and 'high' are of edges (canny) alone")
        return self


class ImagePrompt(Document):
    """A picture that a row sees besides its text, through an IP-Adapter of the library.

    ``blank``: no picture, as the adapter knows it (features of zero). The base term has it by
    itself; a negative prompt beside a row with a picture is given it here.
    """

    image: ImageRef = ""
    model: ModelId
    strength: Annotated[float, Field(ge=0.0, le=4.0, strict=True)] = 1.0
    blank: StrictBool = False

    @model_validator(mode="after")
    def _shows_something(self) -> ImagePrompt:
        if self.blank and self.image:
            raise ValueError("it is blank and has an image; leave one of them out")
        return self


class PromptReference(Document):
    """Another text as the row's reference, under the row's own model.

    With that text as a row of weight 1 besides, it is subject-agnostic guidance.
    """

    prompt: Annotated[str, Field(max_length=4000)]


Reference = Literal["unconditional", "autoguidance", "own", "perturbed"] | PromptReference

Factor = Annotated[float, Field(ge=0.0, le=10.0, strict=True)]
CurvePoints = Annotated[tuple[tuple[Fraction, Factor], ...], Field(min_length=1, max_length=64)]
CurveName = Literal["constant", "linear_up", "linear_down", "cosine_up", "cosine_down"]
Curve = CurveName | CurvePoints


def control_field(at: int) -> str:
    """The field of a row that holds its control image number ``at``, from 0."""
    return f"controls.{at - 1}" if at else "control"


class Row(Document):
    """One guidance: it adds ``weight · (prediction − reference)`` to the base term (GCFG, Eq. 3).

    ``range`` is the part of the denoising, from 0 (pure noise) to 1 (the finished image), in
    which the row takes part. ``curve`` multiplies the weight: a named shape over that part, or
    points ``[progress, factor]`` joined by straight lines. ``mask``: an image of the picture's
    aspect, white where the row acts, black where it contributes nothing. When any row is
    ``solo``, only solo rows take part. ``image``: the picture that an editing model
    (InstructPix2Pix) changes; it is part of the row's condition. ``controls``: control images
    besides ``control``, whose residuals are added to its (a depth map and a pose, for example).
    """

    prompt: Annotated[str, Field(max_length=4000)] = ""
    model: ModelId | ModelRef | None = None
    control: Control | None = None
    controls: Annotated[tuple[Control, ...], Field(max_length=MOST_CONTROLS - 1)] = ()
    image: ImageRef = ""
    image_prompt: ImagePrompt | None = None
    weight: Annotated[float, Field(ge=-1000.0, le=1000.0, strict=True)] = 5.0
    enabled: StrictBool = True
    solo: StrictBool = False
    range: tuple[Fraction, Fraction] = (0.0, 1.0)
    curve: Curve = "constant"
    mask: ImageRef = ""
    reference: Reference = "unconditional"

    @field_validator("curve")
    @classmethod
    def _rising(cls, value: Curve) -> Curve:
        if not isinstance(value, str) and any(b[0] <= a[0] for a, b in pairwise(value)):
            raise ValueError("its points must rise in progress")
        return value

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("its start must not lie after its end")
        return value

    @model_validator(mode="after")
    def _begins_with_one(self) -> Row:
        if self.controls and self.control is None:
            raise ValueError("'controls' are further ones; the first is 'control'")
        return self

    @property
    def all_controls(self) -> dict[str, Control]:
        """Every control image, the first first, by the field of the row that holds it."""
        first = (self.control,) if self.control else ()
        return {control_field(at): one for at, one in enumerate((*first, *self.controls))}


class Projection(Document):
    """Adaptive projected guidance (Sadat et al. 2024, Algorithm 1); the defaults change nothing."""

    eta: Annotated[float, _APG["eta"].field()] = float(_APG["eta"].neutral)
    norm_threshold: Annotated[float, _APG["norm_threshold"].field()] = float(
        _APG["norm_threshold"].neutral
    )
    momentum: Annotated[float, _APG["momentum"].field()] = float(_APG["momentum"].neutral)


def taking_part(rows: Sequence[Row]) -> list[tuple[int, Row]]:
    """Index and row of those that are enabled, solo respected, whatever they weigh."""
    solo = any(row.solo and row.enabled for row in rows)
    return [(at, row) for at, row in enumerate(rows) if row.enabled and (row.solo or not solo)]
