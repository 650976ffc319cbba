"""The preset: the document a person owns, its fields, and what is saved of it. No torch.

:mod:`~studio.preset.document` is the only validator in the studio; :mod:`~studio.preset.rows`
holds the parts it is made of.
"""

from studio.preset.detail import Detail
from studio.preset.document import (
    MAX_JSON_BYTES,
    SCHEMA_VERSION,
    SINGLE_STEP,
    Preset,
    parse,
    validate,
)
from studio.preset.freeu import FreeU
from studio.preset.rows import (
    Control,
    ControlType,
    Curve,
    ImagePrompt,
    ModelRef,
    Projection,
    PromptReference,
    Reference,
    Row,
)
from studio.preset.sampler import MAX_SEED, Sampler, Scheduler
from studio.preset.second_pass import SecondPass
from studio.preset.start import Init

__all__ = [
    "MAX_JSON_BYTES",
    "MAX_SEED",
    "SCHEMA_VERSION",
    "SINGLE_STEP",
    "Control",
    "ControlType",
    "Curve",
    "Detail",
    "FreeU",
    "ImagePrompt",
    "Init",
    "ModelRef",
    "Preset",
    "Projection",
    "PromptReference",
    "Reference",
    "Row",
    "Sampler",
    "Scheduler",
    "SecondPass",
    "parse",
    "validate",
]
