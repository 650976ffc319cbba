"""The preset: everything needed to make an image again, as one validated document.

This module is the only validator in the studio. Unknown fields are refused, every number has
bounds, and :func:`validate` turns pydantic's report into one :class:`~studio.errors.BadPreset`
line that names the field.
"""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializationInfo,
    StrictBool,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from studio.errors import BadPreset, MissingFile, shorten
from studio.files import read_regular, shown
from studio.preset.detail import Detail
from studio.preset.freeu import FreeU
from studio.preset.mistakes import one_line
from studio.preset.refinements import (
    OWN_FIELDS,
    REFINEMENTS,
    Refine,
    checked_others,
    completed_others,
    list_others,
)
from studio.preset.refiner import Refiner
from studio.preset.rows import (
    MODELS,
    Document,
    Fraction,
    ModelId,
    Projection,
    Row,
    taking_part,
)
from studio.preset.sampler import Sampler
from studio.preset.scheduler_checks import SINGLE_STEP, check_scheduler
from studio.preset.seamless import OFF, Seamless, check_seamless
from studio.preset.second_pass import SecondPass
from studio.preset.start import Init, check_steps

__all__ = ["MAX_JSON_BYTES", "SCHEMA_VERSION", "SINGLE_STEP", "Preset", "parse", "validate"]

SCHEMA_VERSION = 1
MAX_JSON_BYTES = 8 * 2**20


def _setting(name: str) -> Any:
    """The bounds and words of a refinement of one setting."""
    (setting,) = REFINEMENTS[name].settings.values()
    return setting.field()


class Preset(Document):
    """The whole document. ``sampler.width/height`` ``None`` means the base's native size.

    ``distilled_guidance``: what a network that was distilled from a guided one reads of its scale,
    ``None`` for its family's own; the rows' weights guide beside it.

    ``clip_skip``: the layer of the base's CLIP towers whose states are read, counted from the end as web
    UIs count, 1 for the last; ``None`` for the one that its networks were trained on.

    ``seamless``: along which axes opposite edges of the picture meet. ``freeu``: how every network
    weighs its own features against what skips past them.
    ``refiner``: another model in the base's place for the last part of the denoising.
    ``second_pass``: makes the finished picture again, larger; ``detail``: then parts of it.

    ``vae``: a model of the library whose autoencoder decodes the picture; "" for the base's own.

    ``guidance_rescale``, ``apg`` and ``cfgpp`` refine the combined prediction, each off by
    default; ``refinements`` holds those that are registered besides. With several rows their
    reference is ``ε_0 + Σ (ε_i − r_i)`` over the rows of positive weight; the renoising term of
    ``cfgpp`` is the base term, ``θ_ω`` included.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    name: Annotated[str, Field(max_length=200)] = ""
    description: Annotated[str, Field(max_length=2000)] = ""
    base: ModelId = "starter"
    vae: Annotated[str, Field(max_length=200, json_schema_extra={MODELS: ["vae"]})] = ""
    rows: tuple[Row, ...] = ()
    omega: Fraction = 0.0
    decoupling: Fraction = 1.0
    guidance_rescale: Annotated[float, _setting("guidance_rescale")] = 0.0
    apg: Projection = Projection()
    cfgpp: Annotated[StrictBool, _setting("cfgpp")] = False
    distilled_guidance: (
        Annotated[
            float,
            Field(
                ge=0,
                le=100,
                allow_inf_nan=False,
                description="The guidance that a distilled network (FLUX.1 [dev]) reads as a number in "
                "every pass; the rows guide beside it. Empty: as on its card.",
            ),
        ]
        | None
    ) = None
    clip_skip: (
        Annotated[
            int,
            Field(
                ge=1,
                le=24,
                strict=True,
                description="Layer of the text encoder that is read, counted from its end: 1 the last, "
                "2 the last but one, which many anime models want. Empty: the base's own.",
            ),
        ]
        | None
    ) = None
    seamless: Seamless = OFF
    freeu: FreeU = FreeU()
    refinements: Annotated[dict[str, Any], Field(json_schema_extra=list_others)] = Field(
        default_factory=dict
    )
    init: Init | None = None
    refiner: Refiner = Refiner()
    second_pass: SecondPass = SecondPass()
    detail: Detail = Detail()
    sampler: Sampler = Sampler()

    @model_validator(mode="after")
    def _few_enough_rows(self) -> Preset:
        if len(self.rows) > 200:
            raise BadPreset(f"at most 200 rows, got {len(self.rows)}", field="rows")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Preset:
        """Fields that exclude each other; raised as what names them."""
        sampler = self.sampler
        if self.init:
            self.init.check()
            check_steps(sampler.steps, self.init.strength, "init.strength")
        masked = bool(self.init and self.init.mask)
        self.second_pass.check(sampler.steps, masked)
        self.detail.check(sampler.steps, masked)
        init, again = self.init, self.second_pass
        parts = sampler.tiles or (again.on and again.tiles) or bool(init and init.framed)
        parts = parts or self.detail.on
        check_seamless(self.seamless, parts)
        check_scheduler(sampler, self.refine)
        return self

    @field_validator("refinements", mode="after")
    @classmethod
    def _known_refinements(cls, value: dict[str, Any]) -> dict[str, Any]:
        return checked_others(value)

    @field_serializer("refinements")
    def _all_refinements(self, value: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
        return value if info.exclude_defaults else completed_others(value)

    @property
    def refine(self) -> Refine:
        """What is applied to the sum, from the preset to the engine."""
        own = {name: getattr(self, name) for name in OWN_FIELDS}
        plain = {k: v.model_dump() if isinstance(v, Document) else v for k, v in own.items()}
        return Refine.of({**plain, **self.refinements})

    @property
    def first_step(self) -> int:
        """The step that starts the denoising: 0, or later when it starts from a picture."""
        if self.init is None:
            return 0
        return self.sampler.steps - int(self.sampler.steps * self.init.strength)

    @property
    def once(self) -> bool:
        """Whether one pass makes each picture: no second one, no further round, no part again."""
        looped = self.init is not None and self.init.loops > 1
        return not (looped or self.second_pass.on or self.detail.on)

    @property
    def paints(self) -> bool:
        """Whether any step runs; without one the picture that it starts from is only enlarged."""
        return self.init is None or self.init.strength > 0

    def upscalers(self) -> list[tuple[str, str]]:
        """Field and id of each network that enlarges a picture of this preset."""
        found = [("init.upscaler", self.init.upscaler if self.init else "")]
        if self.second_pass.on:
            found.append(("second_pass.upscaler", self.second_pass.upscaler))
        return [(field, name) for field, name in found if name]

    def followers(self) -> list[tuple[str, str]]:
        """Field and id of each whole model that takes the base's place."""
        again = self.second_pass.model if self.second_pass.paints else ""
        found = [("refiner.model", self.refiner.model), ("second_pass.model", again)]
        return [(field, name) for field, name in found if name]

    def beside_rows(self) -> list[tuple[str, str]]:
        """Field and id of each model besides the base that no row names: autoencoder, refiner, upscalers."""
        vae = [("vae", self.vae)] if self.vae else []
        return [*vae, *self.followers(), *self.upscalers()]

    def active_rows(self) -> list[tuple[int, Row]]:
        """Index and row of those that take part: enabled, of non-zero weight, solo respected."""
        return [(index, row) for index, row in taking_part(self.rows) if row.weight != 0]

    def image_references(self, active: bool = False) -> list[tuple[str, str]]:
        """Every image that is named and its field; of the rows that take part when ``active``."""
        rows = self.active_rows() if active else list(enumerate(self.rows))
        found = []
        for index, row in rows:
            found += [(row.mask, f"rows.{index}.mask"), (row.image, f"rows.{index}.image")]
            if row.image_prompt:
                found.append((row.image_prompt.image, f"rows.{index}.image_prompt.image"))
            for name, control in row.all_controls.items():
                found.append((control.image, f"rows.{index}.{name}.image"))
        if self.init:
            found += [(self.init.image, "init.image"), (self.init.mask, "init.mask")]
        return [(ref, field) for ref, field in found if ref]

    def with_seed(self, seed: int) -> Preset:
        """The same preset with another seed."""
        return self.model_copy(update={"sampler": self.sampler.model_copy(update={"seed": seed})})

    def to_json(self) -> str:
        """Compact to read, complete to parse: fields left at their defaults are not written."""
        data = {"schema_version": self.schema_version}
        given = self.model_dump(mode="json", exclude_defaults=True)
        data.update({k: v for k, v in given.items() if k != "refinements" or v})
        return json.dumps(data, ensure_ascii=False, indent=2)

    @staticmethod
    def load(path: str | Path) -> Preset:
        """Read a preset from a JSON file.

        Raises:
            MissingFile: there is no such file, or it cannot be read.
            BadPreset: too large, not JSON, or not valid; names the field.
        """
        path = Path(path)
        try:
            data = read_regular(path, MAX_JSON_BYTES)
            text = data.decode("utf-8-sig")  # editors on Windows write a BOM
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise BadPreset(error.strerror or "too large", field=path.name) from error
            raise MissingFile(error.strerror or "cannot be read", field=shown(path)) from error
        except UnicodeDecodeError as error:
            raise BadPreset("is not UTF-8 text; save it as UTF-8", field=path.name) from error
        return parse(text, source=path.name)


def parse(text: str, source: str = "preset") -> Preset:
    """Parse JSON text. Raises :class:`BadPreset` that names ``source`` or the field."""
    if len(text) > MAX_JSON_BYTES:
        raise BadPreset(f"longer than {MAX_JSON_BYTES} bytes", field=source)
    if not text.strip():
        raise BadPreset("is empty", field=source)
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise BadPreset("is JSON nested too deeply", field=source) from error
    except ValueError as error:  # also integers of 4300 digits
        raise BadPreset(f"is not JSON ({error})", field=source) from error
    if data == {}:
        raise BadPreset("is empty", field=source)
    return validate(data)


def validate(data: Any) -> Preset:
    """Validate plain data (as from JSON) into a :class:`Preset`.

    Raises:
        BadPreset: names the fields at fault, what was given and what is allowed.
    """
    if not isinstance(data, dict):
        raise BadPreset(f"expected a JSON object, got {shorten(data)}", field="preset")
    try:
        return Preset.model_validate(_migrated(data))
    except ValidationError as error:
        raise one_line(error) from error


def _migrated(data: dict[str, Any]) -> dict[str, Any]:
    """Bring an older document to today's schema. Version 1 is the first."""
    version = data.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BadPreset(
            f"got version {shorten(version)}; this studio reads up to {SCHEMA_VERSION}, please update it",
            field="schema_version",
        )
    return data
