"""The mask of a picture to start from: its size, its fading edges, its map at the latents' size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.ndimage import maximum_filter
from torch import Tensor

from studio import images
from studio.diffusion.sampling import Picture
from studio.engine.inputs.frame import Size
from studio.preprocessors.parts import FAINT
from studio.preset import Init

LEAST_GREY = 0.01  # of a mask's area; less of a grey is an edge
FEW_STEPS = 10  # nobody sees more strengths than these as bands


def inside(mask: Image.Image, image: Image.Image) -> Image.Image:
    """A mask (L) in the size of the picture that it is of."""
    return mask.convert("L").resize(image.size, Image.Resampling.BOX)


def as_map(image: Image.Image, latent: Size) -> Tensor:
    """Brightness in [0, 1] at the latents' size, each the mean of the pixels under it."""
    return torch.from_numpy(images.coverage(image, latent))[None, None]


def faded(init: Init, mask: Image.Image) -> Image.Image:
    """A mask (L) whose edges fade: how much of the new shows at each pixel, or how strongly it is
    changed."""
    if init.soft_inpainting:
        return strengths(mask, init.feather)
    return feathered(mask, init.feather)


def showing(init: Init, fading: Image.Image) -> Image.Image:
    """How much of the new shows at each pixel (L), of a mask as :func:`faded`: so much as it says;
    of strengths wholly from one half on, since what is changed that far is no longer where it was,
    and both would be seen."""
    if not init.soft_inpainting:
        return fading
    return fading.point([min(255, 2 * level) for level in range(256)])


def replaced_in(init: Init, mask: Image.Image, image: Image.Image) -> Image.Image:
    """Where the colours around a mask replace a picture, in its size (L): where it is masked; where
    greys say how strongly it is changed, in what was drawn wholly white, as the others begin later."""
    whole = inside(mask, image)
    return white(strengths(whole)) if init.soft_inpainting else whole


def notes_of(init: Init, mask: Image.Image, fading: Image.Image, steps: int) -> Iterator[str]:
    """What of the start is not as it reads, of a mask whose greys say how strongly a place is changed.

    Args:
        mask: (L) as it was drawn. fading: the same as :func:`faded`. steps: that run.
    """
    if not init.soft_inpainting or not steps:
        return
    drawn = strengths(mask).histogram()
    if init.under_mask != "picture":
        left = fading.histogram()[255] / max(1, drawn[255])
        if not drawn[255]:
            yield "init.under_mask: the mask is nowhere wholly white, so that all of it begins as it is"
        elif init.under_mask != "surroundings" and left < 0.5:
            yield (
                f"init.under_mask: only {100 * left:.0f} % of the mask's white is white inside its "
                "feather, and the rest begins as it is; a smaller feather leaves more"
            )
    greys = sum(count > sum(drawn[1:]) * LEAST_GREY for count in drawn[1:])
    if steps < min(greys, FEW_STEPS):
        yield (
            f"init.soft_inpainting: {greys} greys of the mask become {steps} strengths at most, one "
            "for each step that runs; more steps tell more apart"
        )


def unjoined(picture: Picture | None, steps: int) -> tuple[str, ...]:
    """A note where greys are too dark for any of so many steps to paint a place."""
    if picture is None or picture.mask is None or not picture.soft:
        return ()
    last = picture.joined(steps, steps)
    if isinstance(last, Tensor) and bool(last.any()):
        return ()
    return (
        f"init.mask: too dark for the {steps} steps that run, so that nothing is painted anew; "
        "a brighter mask, more steps or a larger strength changes it",
    )


def strengths(mask: Image.Image, feather: float = 0) -> Image.Image:
    """How strongly each pixel is changed (L), of a mask whose greys say so: faded in over ``feather``
    pixels inside its edges, and with what is nearly black or white, a trace of how a file was
    saved, wholly so."""
    between = list(range(FAINT + 1, 255 - FAINT))
    levels = [0] * (FAINT + 1) + between + [255] * (FAINT + 1)
    return feathered(mask.convert("L").point(levels), round(feather))


def white(mask: Image.Image) -> Image.Image:
    """What is wholly white in a mask (L), and black for the rest."""
    return mask.point([0] * 255 + [255])


def feathered(mask: Image.Image, pixels: int) -> Image.Image:
    """``mask`` (L) that rises from its black edges over some ``pixels``, and is black where it was.

    A blurred mask is one half at a straight edge and one far inside; its upper half is stretched
    over the fade. Measured against the largest blur near by, so that a thin stroke stays whole.
    """
    if not pixels:
        return mask
    blurred = np.asarray(mask.filter(ImageFilter.GaussianBlur(pixels / 3)), np.float32)
    ridge = maximum_filter(blurred.astype(np.uint8), 2 * pixels + 1, mode="nearest")
    share = blurred / np.maximum(ridge.astype(np.float32), 1.0)
    given = np.asarray(mask, np.float32)
    faded = np.minimum(given, 255 * np.clip(2 * share - 1, 0, 1))
    return Image.fromarray(faded.round().astype(np.uint8))
