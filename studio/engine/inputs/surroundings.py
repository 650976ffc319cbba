"""A picture to start from whose masked part begins with something else than what is there."""

from __future__ import annotations

from dataclasses import replace

import torch
from PIL import Image, ImageFilter, ImageOps, ImageStat
from torch import Tensor

from studio.diffusion.sampling import Picture
from studio.preset import Init

# Pixels that are looked around, and how often what is found is laid over what was found farther off:
# AUTOMATIC1111's, for its masked content "fill".
_LOOKS = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))


def replaced(picture: Picture | None, init: Init | None, noise: Tensor) -> Picture | None:
    """``picture`` that begins with what its mask holds replaced in its latents, where ``init`` asks for
    it: ``(1 − m)·z + m·fill``, ``fill`` being ``noise`` or 0 (AUTOMATIC1111's masked content *latent
    noise* and *latent nothing*). What is kept around it stays the picture's own, and so, where greys say
    how strongly a place is changed, does all that is not wholly white and joins later.

    Args:
        noise: (batch, channels, h, w), that the run begins with.
    """
    fill = {"noise": noise, "nothing": torch.zeros_like(noise)}.get(init.under_mask if init else "")
    if picture is None or picture.mask is None or fill is None:
        return picture
    mask, latent = picture.joined(0, 1), picture.latent  # of a single step: what the first paints
    return replace(picture, begun=(1 - mask) * latent + mask * fill.to(latent))


def surrounded(image: Image.Image, mask: Image.Image) -> Image.Image:
    """``image`` (RGB) with what is white in ``mask`` (L, of its size) blurred over from the rest.

    Where the mask is black every pixel stays; grey ones are mixed. What is too far from the rest to
    see of it has its mean colour.
    """
    keeps = ImageOps.invert(mask)
    seen = Image.new("RGBa", image.size)
    seen.paste(image.convert("RGBA").convert("RGBa"), mask=keeps)
    found = Image.new("RGBA", image.size, (*_mean(image, keeps), 255))
    for radius, times in _LOOKS:
        blurred = seen.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            found.alpha_composite(blurred)
    return Image.composite(image, found.convert("RGB"), keeps)


def _mean(image: Image.Image, keeps: Image.Image) -> tuple[int, int, int]:
    """The mean colour of what is kept; grey where nothing is."""
    half = keeps.point([0] * 128 + [255] * 128)
    if half.getextrema()[1] == 0:
        return (128, 128, 128)
    red, green, blue = (round(one) for one in ImageStat.Stat(image, half).mean)
    return red, green, blue
