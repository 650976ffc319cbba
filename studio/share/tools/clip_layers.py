"""Clip skip as other tools count it: from 1 or from 0, upwards or downwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.preset import Preset
from studio.preset.bounds import bounds
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number


def take_layer(
    fields: Fields,
    name: str,
    own: tuple[Any, ...] = (),
    counted: Callable[[int], int] = lambda count: count,
) -> int | None:
    """The layer of CLIP, counted from its end, that a tool's field asks for; ``None`` for its own.

    Args:
        fields: a value that is no layer stays in them, to be noted.
        own: values by which the tool says that it leaves the layer to the model.
        counted: from the tool's number to the count from the end, 1 for the last layer.
    """
    value = fields.take(name)
    count = number(value)
    if value is None or (count is not None and count in own):
        return None
    layer = as_layer(None if count is None or count != int(count) else counted(int(count)))
    if layer is None:
        fields.put(name, value)
    return layer


def as_layer(count: int | None) -> int | None:
    """``count`` where a preset can hold it."""
    low, high = bounds(Preset, "clip_skip")
    return count if count is not None and low <= count <= high else None
