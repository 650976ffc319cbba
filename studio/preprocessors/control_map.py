"""Preprocessors by name: from a person's picture to the map that a ControlNet reads."""

from __future__ import annotations

from PIL import Image

from studio.errors import BadPreset
from studio.extensions import resolved
from studio.preprocessors.learned import ALLOW_DOWNLOAD, detect
from studio.preprocessors.plain import canny
from studio.preset import Control
from studio.preset.preprocessors import CANNY_THRESHOLDS, FINISHED, PREPROCESSORS

__all__ = ["ALLOW_DOWNLOAD", "CANNY_THRESHOLDS", "canny", "prepare"]


def prepare(control: Control, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The map for ``control``: ``image`` brought to ``size``, then preprocessed.

    An image of another size is resized as diffusers' pipelines do it: to the size asked for,
    whatever its aspect, so that a map made elsewhere for this size is taken pixel by pixel.

    Args:
        control: names the preprocessor (``type``), which a ``finished`` map does not go through.
        image: the person's picture, or the finished map.
        size: width and height of the map, in pixels.

    Raises:
        StudioError: the preprocessor's weights are not here and may not be fetched, or it gave
            something else than a picture of that size.
    """
    fitted = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    entry = PREPROCESSORS[FINISHED if control.finished else control.type]
    edges = (control.low, control.high) if entry.thresholds else ()
    found = resolved(entry.run)(fitted, *edges) if entry.run else detect(control.type, fitted)
    if not isinstance(found, Image.Image) or found.size != size:
        raise BadPreset(
            f"{control.type!r} gave no picture of {size[0]}x{size[1]}", field="control.type"
        )
    return found.convert("RGB")
