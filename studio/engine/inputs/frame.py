"""The part of a picture around its mask, made anew alone and put back ("only masked")."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from studio.errors import BadPreset

Size = tuple[int, int]  # width, height


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
            mask: of the picture's size, anything but black inside.

        Raises:
            BadPreset: the mask holds nothing.
        """
        from diffusers.image_processor import VaeImageProcessor

        if mask.getextrema()[1] == 0:
            raise BadPreset("is black all over, so there is no area around it", field="init.mask")
        box = VaeImageProcessor.get_crop_region(mask, *size, pad=padding)
        return Frame(image, box)

    def part(self, image: Image.Image) -> Image.Image:
        """The same part of another picture of the same view, at that one's own scale."""
        scales = [other / own for other, own in zip(image.size, self.whole.size, strict=True)]
        left, top, right, bottom = (
            round(edge * scales[index % 2]) for index, edge in enumerate(self.box)
        )
        return image.crop((left, top, max(left + 1, right), max(top + 1, bottom)))

    def filled(self, made: Image.Image, paste: Image.Image) -> Image.Image:
        """The whole picture with ``made`` in its place, where ``paste`` (of the whole) is white."""
        left, top, right, bottom = self.box
        fitted = made.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        whole = self.whole.copy()
        whole.paste(fitted, (left, top), paste.crop(self.box))
        return whole
