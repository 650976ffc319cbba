"""The networks that enlarge a preset's pictures, by what the library says of them."""

from __future__ import annotations

from collections.abc import Mapping

from studio.errors import IncompatibleModels, MissingModel
from studio.library import ModelEntry
from studio.library.upscalers import UPSCALER
from studio.plan.row_models import look_up
from studio.preset import Preset


def check_upscalers(preset: Preset, catalogue: Mapping[str, ModelEntry]) -> None:
    """See that each that a preset names is there and is one.

    Raises:
        MissingModel: the library does not hold it; IncompatibleModels: it is no upscaler, or one that
            cannot be used. Both name the field.
    """
    for field, name in preset.upscalers():
        entry = look_up(catalogue, name, field)
        if not entry.path:  # what looks like the name of a hub's model
            raise MissingModel(f"{name!r} is not in the library", field=field)
        if entry.kind != UPSCALER:
            raise IncompatibleModels(f"{name!r} is {entry.a_kind} and no upscaler", field=field)
