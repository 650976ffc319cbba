"""What ``img2img`` starts from, and the mask on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps

from studio import images
from studio.errors import StudioError
from studio.library import Library
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.preset import Init, Preset
from studio.preset.bounds import bounds
from studio.preset.fields import with_fields
from studio.share.tools.soft_inpainting import left_out
from studio.ui.webui.units import soft_inpainting
from studio.ui.webui.values import among, listed, picture, switch, whole

PLAIN_STRENGTH = 0.75  # its own, which a client leaves out
_UNDER_MASK = ("surroundings", "picture", "noise", "nothing")  # its "masked content", by number


def with_start(
    preset: Preset, asked: Mapping[str, Any], library: Library, notes: list[str]
) -> Preset:
    """The preset with the picture that a request starts from; ``notes``: what became of a value.

    Raises:
        StudioError: no picture, or a value that cannot be; names the field.
    """
    given = listed(asked, "init_images")
    if not given:
        raise StudioError("expected a list with one picture", field="init_images")
    start = images.open_checked(picture(given[0], "init_images"), "init_images")
    mask = asked.get("mask")
    framed = bool(mask) and switch(asked, "inpaint_full_res", True)
    if not framed and whole(asked, "resize_mode", 0) == 0:
        size = picture_size(preset, check_base(library.catalogue(), preset.base, preset.vae))
        start = images.to_rgb(start).resize(size, Image.Resampling.LANCZOS)
    init: dict[str, Any] = {
        "image": images.store(images.png_bytes(start)),
        "strength": float(among(asked, "denoising_strength", PLAIN_STRENGTH, 1)),
    }
    if mask:
        init |= _masked(asked, start.size, framed, notes)
    return with_fields(preset, [("init", init)])


def _masked(
    asked: Mapping[str, Any], size: tuple[int, int], framed: bool, notes: list[str]
) -> dict[str, Any]:
    """The fields of a start that a mask brings."""
    mask = images.to_mask(images.open_checked(picture(asked["mask"], "mask"), "mask"))
    if switch(asked, "inpainting_mask_invert"):
        mask = ImageOps.invert(mask)
    content = whole(asked, "inpainting_fill", 0)
    if content not in range(len(_UNDER_MASK)):
        raise StudioError(f"0 to {len(_UNDER_MASK) - 1}, got {content}", field="inpainting_fill")
    blur = whole(asked, "mask_blur", whole(asked, "mask_blur_x", 4))
    padding = whole(asked, "inpaint_full_res_padding", 0)
    soft = soft_inpainting(asked)
    notes += [] if soft is None else left_out(soft)
    return {
        "mask": images.store(images.png_bytes(mask.resize(size)), mask=True),
        "under_mask": _UNDER_MASK[content],
        "soft_inpainting": soft is not None,
        "feather": _capped("feather", "mask_blur", blur, notes),
        "area": "mask" if framed else "picture",
        "padding": _capped("padding", "inpaint_full_res_padding", padding, notes),
    }


def _capped(field: str, name: str, given: int, notes: list[str]) -> int:
    """A number of pixels as large as the preset's field takes."""
    least, most = bounds(Init, field)
    made = int(max(least, min(most, given)))
    if made != given:
        notes.append(f"{name}: {given} became {made}")
    return made
