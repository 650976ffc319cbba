"""The picture that a preset starts from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from studio.errors import BadPreset
from studio.preset.rows import MODELS, Document, ImageRef

Upscaler = Annotated[
    str,
    Field(
        max_length=200,
        description="Id of a network in the library that enlarges pictures (ESRGAN and its kin). Empty: "
        "enlarged without one (Lanczos).",
        json_schema_extra={MODELS: ["upscaler"]},
    ),
]


def check_enlarging(upscaler: str, enlarge: str, strength: float, part: str) -> None:
    """See that latents are enlarged only where they are denoised, and by no upscaler.

    Raises:
        BadPreset: names the field of ``part``, the preset's ``init`` or ``second_pass``.
    """
    if enlarge != "latents":
        return
    if upscaler:
        raise BadPreset("enlarges pixels, and latents are to be enlarged", field=f"{part}.upscaler")
    if not strength:
        raise BadPreset(
            "latents are enlarged to be denoised; at strength 0 enlarge its pixels",
            field=f"{part}.enlarge",
        )


def check_steps(steps: int, strength: float, field: str) -> None:
    """See that a strength leaves a step of so many to run; 0 runs none on purpose.

    Raises:
        BadPreset: names ``field``.
    """
    if strength and int(steps * strength) < 1:
        raise BadPreset(f"{strength:g} of {steps} steps leaves none to run", field=field)


class Init(Document):
    """Start from a picture instead of pure noise (image-to-image, inpainting).

    ``strength``: the part of the steps that runs, 1 for all; 0 makes nothing anew, so that the picture
    is as large as the one to be made, and otherwise as it was. ``loops``: how many times it goes
    through, each result the start of the next round. ``mask``: an image of the picture's
    aspect, white where it is painted anew, black where it is kept; without one all of it is.
    ``under_mask``: whether the masked part begins as it is, with the colours around it, or in its
    latents with the seed's noise or with zeros.
    ``soft_inpainting``: the mask's grey is the part of ``strength`` by which a place is changed, faded in
    over ``feather`` as the pasted pixels are; without it, grey mixes both at every step.
    ``keep_pixels``: where the mask is black the result has the picture's own pixels, unchanged;
    without it they have passed through the autoencoder, as in diffusers' pipelines. ``feather``:
    over how many pixels, inside the mask, the new fades in. ``area``: paint on the whole picture, or
    on the part around its mask alone, which is then made at the full width and height and put back:
    the result is as large as the picture that it starts from. ``padding``: pixels around the mask
    that such a part shows besides. ``enlarge``: how a smaller picture becomes
    as large as the one to be made, in its pixels, or in its latents, softer and for a strength of 0.5
    and more. ``upscaler``: a model of the library that enlarges its pixels; "" for none.
    """

    image: Annotated[ImageRef, Field(min_length=1)]
    strength: Annotated[float, Field(ge=0.0, le=1.0, strict=True)] = 0.75
    loops: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            strict=True,
            description="How many times it goes through: each result is the start of the next round, at "
            "the next seed. 1 is off.",
        ),
    ] = 1
    mask: ImageRef = ""
    under_mask: Annotated[
        Literal["picture", "surroundings", "noise", "nothing"],
        Field(
            description="What the masked part begins with: what is there; the colours around it, as to "
            "take something away; or in its latents the seed's noise, or nothing (0), for something "
            "new. Shows below strength 1, and with soft inpainting at 1 too."
        ),
    ] = "picture"
    soft_inpainting: Annotated[
        StrictBool,
        Field(
            description="The mask's grey is how strongly a place is changed: white by the whole "
            "strength, grey in the last steps alone, black not at all. Its edges fade over the "
            "feather. At strength 1 it begins from the picture too, as image-to-image does. Off, grey is "
            "mixed at every step, and strength 1 begins from noise alone."
        ),
    ] = False
    keep_pixels: StrictBool = True
    feather: Annotated[int, Field(ge=0, le=64, strict=True)] = 4
    area: Literal["picture", "mask"] = "picture"
    padding: Annotated[int, Field(ge=0, le=512, strict=True)] = 32
    enlarge: Literal["pixels", "latents"] = "pixels"
    upscaler: Upscaler = ""

    @property
    def framed(self) -> bool:
        """Whether it is painted around its mask alone."""
        return self.area == "mask"

    @property
    def enlarged_later(self) -> bool:
        """Whether what enlarges it is no plain resizing, and needs it at its own size."""
        return self.enlarge == "latents" or bool(self.upscaler)

    def check(self) -> None:
        """See that its area can be, and that what an upscaler enlarges is its pixels.

        Raises:
            BadPreset: rounds would change nothing, there is no mask, what lies around its area would not be kept, or latents are
                enlarged.
        """
        check_enlarging(self.upscaler, self.enlarge, self.strength, "init")
        if self.loops > 1 and not self.strength:
            raise BadPreset(
                "at strength 0 no round makes anything anew; leave it at 1", field="init.loops"
            )
        if self.framed and not self.mask:
            raise BadPreset("the area around a mask needs a mask", field="init.area")
        if self.framed and not self.keep_pixels:
            raise BadPreset(
                "around the mask's area the picture keeps its own pixels; leave it on",
                field="init.keep_pixels",
            )
