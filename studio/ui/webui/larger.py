"""One picture enlarged (*Extras*), at exactly the size that is asked for."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio import images
from studio.errors import StudioError, shorten
from studio.library import Library
from studio.library.upscalers import UPSCALER
from studio.plan.row_models import check_base
from studio.preset import Preset, Sampler, validate
from studio.preset.bounds import bounds
from studio.share.model_names import Shelf
from studio.share.upscaler_names import file_of
from studio.ui.session import Run
from studio.ui.webui.answers import encoded
from studio.ui.webui.values import picture, real, switch, text, whole

MOST_TIMES = 8
# What else that tool does to a picture there: by how much it is seen.
_FURTHER = ("gfpgan_visibility", "codeformer_visibility", "extras_upscaler_2_visibility")


@dataclass(frozen=True)
class Larger:
    """What is made of a picture.

    Args:
        preset: makes it, on sides that the base can make.
        scaled: the picture's own sides as many times as asked for.
        size: the sides that are asked for, the middle of that.
    """

    preset: Preset
    scaled: tuple[int, int]
    size: tuple[int, int]

    def cut(self, file: Path) -> str:
        """The picture that was made, at its size, in base64: as its file where it has it, else as PNG."""
        data = file.read_bytes()
        with Image.open(io.BytesIO(data)) as made:
            if made.size == self.size:
                return base64.b64encode(data).decode("ascii")
            (wide, high), (width, height) = self.scaled, self.size
            left, top = (wide - width) // 2, (high - height) // 2
            return encoded(made.convert("RGB").crop((left, top, left + width, top + height)))


def larger(body: Mapping[str, Any], library: Library, base: str) -> Larger:
    """What ``extra-single-image`` asks for.

    Raises:
        StudioError: no picture, a size that cannot be, or what is not done here; names the field.
    """
    for name in _FURTHER:
        if real(body, name, 0.0):
            raise StudioError("is not done here", field=name)
    image = images.to_rgb(images.open_checked(picture(body.get("image"), "image"), "image"))
    times, size = _size(body, image.size)
    scaled = tuple(max(1, round(side * times)) for side in image.size)
    size = size or (scaled[0], scaled[1])
    multiple = check_base(library.catalogue(), base).multiple
    least = int(bounds(Sampler, "width")[0])
    sides = [-(-max(side, least) // multiple) * multiple for side in scaled]
    # Edges go on to a side that the base can make, and are cut off again.
    more = [-(-side // times) - own for side, own in zip(sides, image.size, strict=True)]
    wide, high = (max(0, int(one)) for one in more)
    padded = np.pad(np.asarray(image), ((0, high), (0, wide), (0, 0)), mode="edge")
    init = {
        "image": images.store(images.png_bytes(Image.fromarray(padded))),
        "strength": 0.0,
        "upscaler": _upscaler(text(body, "upscaler_1"), library),
    }
    sampler = {"width": sides[0], "height": sides[1]}
    preset = validate({"base": base, "init": init, "sampler": sampler})
    return Larger(preset, (scaled[0], scaled[1]), size)


def enlarged(asked: Larger, run: Callable[[Preset], Run]) -> dict[str, Any]:
    """The answer, once it is made.

    Raises:
        StudioError: it was cancelled.
    """
    done = run(asked.preset)
    if not done.moments:
        raise StudioError("was cancelled")
    return {"html_info": "", "image": asked.cut(Path(done.moments[0].path))}


def _size(body: Mapping[str, Any], own: tuple[int, int]) -> tuple[float, tuple[int, int] | None]:
    """How many times as large, and the sides that are left of it; ``None`` for all of it."""
    if whole(body, "resize_mode", 0) == 0:
        times = real(body, "upscaling_resize", 2)
        if not 0 < times <= MOST_TIMES:
            raise StudioError(f"over 0 to {MOST_TIMES}, got {times:g}", field="upscaling_resize")
        return times, None
    sides = [whole(body, f"upscaling_resize_{side}", 512) for side in "wh"]
    ratios = [side / one for side, one in zip(sides, own, strict=True)]
    if min(sides) < 1 or max(ratios) > MOST_TIMES:
        given = shorten(f"{sides[0]}x{sides[1]}")
        raise StudioError(
            f"at most {MOST_TIMES} times as large, got {given}", field="upscaling_resize_w"
        )
    cropped = switch(body, "upscaling_crop", True)
    return max(ratios), (sides[0], sides[1]) if cropped else None


def _upscaler(name: str, library: Library) -> str:
    """The library's upscaler of that name; "" for none."""
    if name.lower() in ("", "none", "lanczos"):
        return ""
    found = Shelf(library).find(file_of(name), (UPSCALER,))
    if found is None:
        raise StudioError(
            f"{shorten(name)} is not in the library; /sdapi/v1/upscalers lists what is",
            field="upscaler_1",
        )
    return found
