"""Strokes of colour over a picture, at the size that it has."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from studio import images
from studio.errors import StudioError


def painted_over(reference: str, strokes: Path) -> str:
    """The reference of a preset's image with strokes over it, kept among the studio's inputs; that without
    them stays.

    Args:
        strokes: a picture of the same aspect, transparent where nothing is painted.

    Raises:
        StudioError: a picture that cannot be read, or strokes of another aspect.
    """
    picture = images.to_rgb(images.resolve(reference, field="picture"))
    over = images.open_checked(strokes, "strokes").convert("RGBA")
    if not images.same_aspect(over.size, picture.size):
        raise StudioError(
            f"{over.width}x{over.height} pixels over a picture of {picture.width}x{picture.height}",
            field="strokes",
        )
    # Of colours that are multiplied by their opacity none bleeds from where nothing is painted.
    over = over.convert("RGBa").resize(picture.size, Image.Resampling.BICUBIC).convert("RGBA")
    picture.paste(over, mask=over.getchannel("A"))
    return images.store(images.png_bytes(picture))
