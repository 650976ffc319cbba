"""The part of a picture around its mask, made anew alone and put back ("only masked")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from studio.errors import BadPreset
from studio.preprocessors.parts import FAINT

Size = tuple[int, int]  # width, height


@dataclass(frozen=True)
class AtHand:
    """What a pass starts from where the run itself has made it: a picture (RGB), and the mask (L, of
    its size) of the part of it that is made again; ``None`` for all of it."""

    image: Image.Image
    mask: Image.Image | None = None


@dataclass(frozen=True)
class Frame:
    """A part of ``whole``: ``box`` is its left, top, right and bottom in pixels."""

    whole: Image.Image
    box: tuple[int, int, int, int]

    @staticmethod
    def around(image: Image.Image, mask: Image.Image, size: Size, padding: int) -> Frame:
        """What a mask holds and ``padding`` pixels more, grown to the aspect of ``size``.

        At an edge it moves inwards; where the picture is too small for the aspect it is squeezed.

        Args:
            mask: of the picture's size (L), brighter than black inside; what is nearly black may be
                a trace of how a file was saved.

        Raises:
            BadPreset: the mask holds nothing.
        """
        from diffusers.image_processor import VaeImageProcessor

        holds = mask.point([0] * (FAINT + 1) + [255] * (255 - FAINT))
        if holds.getextrema()[1] == 0:
            raise BadPreset("is black all over, so there is no area around it", field="init.mask")
        box = VaeImageProcessor.get_crop_region(holds, *size, pad=padding)
        return Frame(image, box)

    def part(self, image: Image.Image) -> Image.Image:
        """The same part of another picture of the same view, at that one's own scale."""
        scales = [other / own for other, own in zip(image.size, self.whole.size, strict=True)]
        left, top, right, bottom = (
            round(edge * scales[index % 2]) for index, edge in enumerate(self.box)
        )
        return image.crop((left, top, max(left + 1, right), max(top + 1, bottom)))

    def near(
        self, image: Image.Image, pixels: int, change: Callable[[Image.Image], Image.Image]
    ) -> Image.Image:
        """The box of what ``change`` makes of a picture, where it looks no further than ``pixels``."""
        left, top, right, bottom = self.box
        width, height = image.size
        wide = (
            max(0, left - pixels),
            max(0, top - pixels),
            min(width, right + pixels),
            min(height, bottom + pixels),
        )
        within = (left - wide[0], top - wide[1], right - wide[0], bottom - wide[1])
        return change(image.crop(wide)).crop(within)

    def filled(self, made: Image.Image, paste: Image.Image) -> Image.Image:
        """The whole picture with ``made`` in its place, where ``paste`` (of the box) is white."""
        left, top, right, bottom = self.box
        fitted = made.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        whole = self.whole.copy()
        whole.paste(fitted, (left, top), paste)
        return whole
