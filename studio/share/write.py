"""Images that carry their preset.

PNG: an iTXt chunk ``guidance_studio`` holds the versioned preset, images included; a
``parameters`` chunk beside it says what other tools can read of it. JPEG and WebP: both in one
EXIF UserComment, in the ``parameters`` grammar with a last key for the packed preset; control
images that do not fit into its 64 KB stay references.
"""

from __future__ import annotations

import io
import re
import struct
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio.errors import StudioError
from studio.files import slug, write_atomically, write_new
from studio.preset import Preset
from studio.settings import value_of
from studio.settings.file_names import filled
from studio.share.embed import drop_images, embed_images
from studio.share.exif import EXIF_IFD, UNICODE_PREFIX, USER_COMMENT
from studio.share.link import pack
from studio.share.parameters import parameters_text, settings_line

UNSAVED = "guidance-studio-unsaved"  # in the temporary folder
PNG_KEY = "guidance_studio"
COMMENT_KEY = "Guidance Studio"
JPEG_QUALITY = 95
PNG = ".png"
FORMATS = {"png": PNG, "jpeg": ".jpg", "webp": ".webp"}
MAX_COMMENT_BYTES = 65_000  # of UTF-16, with what names them within 64 KiB, one segment of a JPEG


@dataclass(frozen=True)
class Naming:
    """What a picture's file is called.

    ``pattern``: of :mod:`studio.settings.file_names`; without one the name is new and sorts by time.
    ``taken``: whether a name is not to be had though no file has it, as that of a picture in the bin.
    ``suffix``: of the format, where all that belongs to the picture fits into such a file.
    """

    pattern: str = ""
    taken: Callable[[Path], bool] = lambda path: False
    suffix: str = PNG

    @classmethod
    def of_settings(cls) -> Naming:
        """As a person has set it."""
        suffix = FORMATS[str(value_of("picture_format"))]
        return cls(str(value_of("file_names")), suffix=suffix)


BY_TIME = Naming()


def save_image(
    image: Image.Image,
    preset: Preset,
    folder: str | Path,
    roots: Sequence[str | Path] = (),
    naming: Naming = BY_TIME,
) -> Path:
    """Save a picture that carries ``preset``, under a name that no file has: as a PNG, or in the format of
    ``naming``.

    Args:
        preset: makes this image again (its seed, count 1), as :class:`studio.events.Done` has it.
        roots: folders that the preset's relative control images may lie in.
    """
    data, suffix = _whole(image, preset, naming.suffix, roots)
    return save_encoded(data, preset, image.size, folder, replace(naming, suffix=suffix))


def _whole(
    image: Image.Image, preset: Preset, suffix: str, roots: Sequence[str | Path]
) -> tuple[bytes, str]:
    """The bytes of a file, and its suffix: a PNG where the other format takes less than all of it."""
    if suffix != PNG and not image.has_transparency_data:
        full = embed_images(preset, roots)
        if "data:image/" not in full.to_json():
            with suppress(StudioError):  # a longer preset or more pixels than it holds
                parameters = parameters_text(preset, image.size, finished=True)
                return _encoded(image, suffix, _whole_comment(full, parameters)), suffix
    return encode(image, preset, PNG, roots), PNG


def save_encoded(
    data: bytes,
    preset: Preset,
    size: tuple[int, int],
    folder: str | Path,
    naming: Naming = BY_TIME,
) -> Path:
    """Save a file of the suffix of ``naming`` that carries ``preset`` already as :func:`save_image` does.

    Args:
        size: of the picture, width and height in pixels.
    """
    now = datetime.now()
    stem = filled(naming.pattern, _values(preset, size, now), _stem(preset, now))
    return write_new(Path(folder), stem, naming.suffix, data, naming.taken)


def _stem(preset: Preset, now: datetime) -> str:
    """The studio's own: its beginning is what :data:`studio.outputs.STAMP` reads."""
    stamp = now.strftime("%Y%m%d-%H%M%S-%f")
    words = slug(preset.name or _prompt(preset))
    return "-".join(filter(None, [stamp, f"seed{preset.sampler.seed}", words]))


def _values(preset: Preset, size: tuple[int, int], now: datetime) -> dict[str, str]:
    """Of each token of a pattern."""
    sampler = preset.sampler
    return {
        "date": now.strftime("%Y-%m-%d"),
        "time": now.strftime("%H-%M-%S"),
        "seed": str(sampler.seed),
        "model": re.sub(r"\.(safetensors|sft|ckpt|gguf)$", "", PurePath(preset.base).name),
        "prompt": _prompt(preset),
        "preset": preset.name,
        "width": str(size[0]),
        "height": str(size[1]),
        "steps": str(sampler.steps),
        "sampler": sampler.scheduler,
    }


def _prompt(preset: Preset) -> str:
    return next((row.prompt for row in preset.rows if row.prompt), "")


def save_or_keep(
    image: Image.Image,
    preset: Preset,
    folder: str | Path,
    roots: Sequence[str | Path] = (),
    naming: Naming = BY_TIME,
) -> tuple[Path, str]:
    """:func:`save_image`; where that fails, the picture is kept in the temporary folder instead.

    Returns:
        Its path, and "" or what went wrong and where it is now.

    Raises:
        StudioError: neither folder can be written to.
    """
    try:
        return save_image(image, preset, folder, roots, naming), ""
    except StudioError as error:
        kept = Path(tempfile.gettempdir()) / UNSAVED
        path = save_image(image, preset, kept, roots)
        return path, f"{error}; the picture is kept as {path} instead"


def write_metadata(
    image: Image.Image, preset: Preset, path: str | Path, roots: Sequence[str | Path] = ()
) -> Path:
    """Save ``image`` with its preset to ``path``, as PNG, JPEG or WebP by its suffix."""
    path = Path(path)
    return write_atomically(path, encode(image, preset, path.suffix, roots))


def encode(
    image: Image.Image, preset: Preset, suffix: str, roots: Sequence[str | Path] = ()
) -> bytes:
    """The bytes of an image file that carries ``preset``."""
    full = embed_images(preset, roots)
    parameters = parameters_text(preset, image.size, finished=True)
    if suffix.lower() == PNG:
        return saved(image, "PNG", pnginfo=_chunks(full, parameters))
    return _encoded(image, suffix, _comment(preset, full, parameters))


def _encoded(image: Image.Image, suffix: str, exif: Image.Exif) -> bytes:
    match suffix.lower():
        case ".jpg" | ".jpeg":
            return as_jpeg(image, exif)
        case ".webp":
            return saved(image, "WEBP", quality=95, exif=exif, icc_profile=_rgb_profile(image))
        case other:
            raise StudioError(f"cannot write {other or 'no suffix'}; png, jpg, webp", field="path")


def as_jpeg(image: Image.Image, exif: Image.Exif) -> bytes:
    """The bytes of a JPEG with these tags, and with the picture's colour profile.

    Raises:
        StudioError: a JPEG cannot hold it.
    """
    rgb, profile = image.convert("RGB"), _rgb_profile(image)
    return saved(rgb, "JPEG", quality=JPEG_QUALITY, exif=exif, icc_profile=profile)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of a picture's file.

    Raises:
        StudioError: files of this form cannot hold it, as a JPEG of more than 65,500 pixels a side.
    """
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=form, **options)
    except (OSError, ValueError, struct.error) as error:
        raise StudioError(f"the picture cannot be saved as {form}", field="path") from error
    return buffer.getvalue()


def _rgb_profile(image: Image.Image) -> bytes | None:
    """What its colours mean, where that is said of red, green and blue: other profiles end with the
    colours that they are of."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


def _chunks(full: Preset, parameters: str) -> PngInfo:
    chunks = PngInfo()
    # Not compressed: readers refuse compressed text of more than 1 MiB.
    chunks.add_itxt(PNG_KEY, full.to_json())
    chunks.add_itxt("parameters", parameters)
    return chunks


def _comment(preset: Preset, full: Preset, parameters: str) -> Image.Exif:
    packed = pack(full)
    if _long(f"{parameters}, {COMMENT_KEY}: {packed}"):
        packed = pack(drop_images(preset, keep_files=True)[0])
    text = f"{parameters}, {COMMENT_KEY}: {packed}"
    if _long(text):
        text = f"{settings_line(full, None)}, {COMMENT_KEY}: {packed}"
    if _long(text):
        raise StudioError("the preset is too long for a JPEG or WebP; save a PNG", field="rows")
    return comment_of(text)


def _whole_comment(full: Preset, parameters: str) -> Image.Exif:
    """The comment that holds all of it.

    Raises:
        StudioError: it takes more than there is room for.
    """
    text = f"{parameters}, {COMMENT_KEY}: {pack(full)}"
    if _long(text):
        raise StudioError("the preset is too long for a JPEG or WebP; save a PNG", field="rows")
    return comment_of(text)


def _long(text: str) -> bool:
    return utf_16_length(text) > MAX_COMMENT_BYTES


def utf_16_length(text: str) -> int:
    """The bytes that a text takes in a comment."""
    return len(_utf_16(text))


def _utf_16(text: str) -> bytes:
    return text.encode("utf_16_be", "replace")  # emoji take four bytes


def comment_of(text: str) -> Image.Exif:
    """The text as a picture's user comment, where the web UIs write theirs; what is longer than a JPEG
    holds is cut."""
    exif = Image.Exif()
    shown = _utf_16(text)[:MAX_COMMENT_BYTES].decode("utf_16_be", "ignore")  # no half a letter
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = UNICODE_PREFIX + _utf_16(shown)
    return exif
