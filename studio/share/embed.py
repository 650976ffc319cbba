"""The images of a preset inside it, as ``data:`` URIs, and back to files.

What a document may embed is bounded as a whole, since a few hundred bytes can hold a picture of
64 megapixels, and a preset hundreds of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from studio.errors import BadPreset, StudioError
from studio.images import decode_data_uri, png_bytes, resolve, resolve_mask, size_checked, store
from studio.preset import Preset, Row

MAX_IMAGE_BYTES = 2**20
MAX_ALL_BYTES = 5 * 2**20  # base64 makes a third more of it; a preset holds at most 8 MiB
# Of all distinct pictures in one document. A picture alone may have as many pixels as it likes
# below the cap of :mod:`studio.images`, which is the same number.
MAX_ALL_PIXELS = 64_000_000
MAX_PICTURES = 256


def embed_images(preset: Preset, roots: Sequence[str | Path] = ()) -> Preset:
    """The preset with every image inside, so that it can be made again elsewhere.

    Images of ``assets/`` stay references, every studio has them; one that cannot be found stays
    a reference too. A picture above 1 MB as PNG is made smaller, and all of them together stay
    within what a preset may hold; one that is painted around its mask alone may take what the
    others leave of that, since the result is as large as it is.
    """
    given = [ref for ref, _ in preset.image_references() if _travels(ref)]
    cap = min(MAX_IMAGE_BYTES, MAX_ALL_BYTES // max(1, len(given)))
    pixels = MAX_ALL_PIXELS // max(1, len(set(given)))
    known: dict[tuple[str, bool], str] = {}
    framed = preset.init is not None and preset.init.framed
    rest = MAX_ALL_BYTES - cap * (len(given) - 1) if framed else cap

    def embedded(ref: str, field: str) -> str:
        if not _travels(ref):
            return ref
        key = (ref, _is_mask(field))
        if key not in known:
            if len(known) >= MAX_PICTURES:
                return ref
            read = resolve_mask if _is_mask(field) else resolve
            try:
                known[key] = _data_uri(
                    _within(read(ref, roots, field=field), pixels),
                    rest if field == "init.image" else cap,
                )
            except StudioError:
                known[key] = ref
        return known[key]

    return _map_images(preset, embedded)


def extract(preset: Preset) -> Preset:
    """The preset with every ``data:`` URI kept as ``inputs/<hash>.png`` instead; each read once.

    Raises:
        StudioError: a picture that cannot be read, or more of them than a document may hold;
            names the field.
    """
    check_embedded(preset)
    known: dict[tuple[str, bool], str] = {}

    def extracted(ref: str, field: str) -> str:
        if not ref.startswith("data:"):
            return ref
        key = (ref, _is_mask(field))
        if key not in known:
            known[key] = store(decode_data_uri(ref, field), field, mask=_is_mask(field))
        return known[key]

    return _map_images(preset, extracted)


def check_embedded(preset: Preset, pixels: int | None = None) -> None:
    """Refuse a document whose embedded pictures are too many or too large, before any is decoded.

    Args:
        pixels: how many all distinct pictures may have together, by their headers
            (``MAX_ALL_PIXELS`` without it).

    Raises:
        StudioError: names the field at which it is too much, or of a picture that is none.
    """
    pixels = MAX_ALL_PIXELS if pixels is None else pixels
    seen: set[str] = set()
    total = 0
    for ref, field in preset.image_references():
        if not ref.startswith("data:") or ref in seen:
            continue
        seen.add(ref)
        if len(seen) > MAX_PICTURES:
            raise BadPreset(f"more than {MAX_PICTURES} embedded pictures", field=field)
        width, height = size_checked(decode_data_uri(ref, field), field)
        total += width * height
        if total > pixels:
            raise BadPreset(
                f"embedded pictures of {total / 1e6:.0f} megapixels up to here; "
                f"all together may have {pixels / 1e6:.0f}",
                field=field,
            )


def drop_images(preset: Preset, *, keep_files: bool = False) -> tuple[Preset, list[str]]:
    """The preset without the images that only this studio has, and a note for each.

    With ``keep_files``, references to files stay and only embedded images are dropped.
    """
    notes: list[str] = []

    def dropped(ref: str, field: str) -> str:
        if not _travels(ref) or (keep_files and not ref.startswith("data:")):
            return ref
        notes.append(f"{field}: {_name(field)} is left out")
        return ""

    return _map_images(preset, dropped), notes


def _is_mask(field: str) -> bool:
    return field.endswith(".mask")


def _name(field: str) -> str:
    if _is_mask(field):
        return "the mask"
    if field.startswith("init"):
        return "the picture to start from"
    return "the control image" if ".control" in field else "the row's picture"


def _travels(ref: str) -> bool:
    """Whether the image has to travel with the preset."""
    return bool(ref) and not ref.startswith("assets/")


def _within(image: Image.Image, pixels: int) -> Image.Image:
    """``image``, made smaller where it has more than ``pixels``."""
    scale = (pixels / (image.width * image.height)) ** 0.5
    if scale >= 1:
        return image
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _data_uri(image: Image.Image, cap: int) -> str:
    data = png_bytes(image)
    while len(data) > cap and min(image.size) > 1:
        scale = max(0.25, min(0.9, (cap / len(data)) ** 0.5))
        size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
        data = png_bytes(image)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _map_images(preset: Preset, change: Callable[[str, str], str]) -> Preset:
    """``preset`` with each image reference changed; a picture to start from may be dropped."""
    rows = tuple(_changed(row, index, change) for index, row in enumerate(preset.rows))
    init = preset.init
    if init is not None:
        image, mask = change(init.image, "init.image"), init.mask and change(init.mask, "init.mask")
        area = init.area if mask else "picture"  # one around a mask goes with it
        changes = {"image": image, "mask": mask, "area": area}
        init = init.model_copy(update=changes) if image else None
    if (rows, init) == (preset.rows, preset.init):
        return preset
    return preset.model_copy(update={"rows": rows, "init": init})


def _changed(row: Row, index: int, change: Callable[[str, str], str]) -> Row:
    if row.mask:
        row = row.model_copy(update={"mask": change(row.mask, f"rows.{index}.mask")})
    if row.image:
        row = row.model_copy(update={"image": change(row.image, f"rows.{index}.image")})
    if row.image_prompt is not None:
        image = change(row.image_prompt.image, f"rows.{index}.image_prompt.image")
        row = row.model_copy(
            update={"image_prompt": row.image_prompt.model_copy(update={"image": image})}
        )
    if row.control is None:
        return row
    first, *others = (
        one.model_copy(update={"image": change(one.image, f"rows.{index}.{name}.image")})
        for name, one in row.all_controls.items()
    )
    return row.model_copy(update={"control": first, "controls": tuple(others)})
