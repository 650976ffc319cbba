"""Images that come from outside: opened with care, kept by content, found by a short reference.

A preset names an image as ``assets/…`` (shipped), ``inputs/…`` (kept in the studio's home), a
``data:image/…`` URI, or, for a preset file on disk, a path beside that file. Nothing else is
ever opened, so that a shared preset stays data.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

from studio.errors import MissingFile, StudioError, shorten
from studio.files import read_regular, write_atomically
from studio.home import ASSETS, inputs_folder
from studio.image_files import PLUGINS, bound_info, plugin_of, with_bounded_exif, without_texts

MAX_EDGE = 4096
MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 64 * 2**20
ASPECT_TOLERANCE = 0.02  # a mask painted on a smaller copy is off by a rounded pixel
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
KNOWN = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
# Of files in these formats, and of those that a plugin of Pillow opens.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"),
    *(suffix for plugin in PLUGINS for suffix in plugin.suffixes),
)
ALLOWED = "allowed are assets/…, inputs/…, data:image/… and paths beside the preset's own file"

_DATA_URI = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
# Larger than our own cap in any case: as an error, it does not print on the way to it.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# One text of a PNG, unpacked: workflows of other tools pass the decoder's own cap of 1 MiB.
PngImagePlugin.MAX_TEXT_CHUNK = 16 * 2**20

Source = Image.Image | str | Path | bytes


def open_checked(source: str | Path | bytes | BinaryIO, field: str) -> Image.Image:
    """Open and decode one image (of an animation, the first frame); caps come before decoding.

    Raises:
        MissingFile: there is no such file.
        StudioError: empty, too large, not an image of a known format, or damaged; names ``field``.
    """
    data = with_bounded_exif(_bytes_of(source, field))
    if not data:
        raise StudioError("is empty", field=field)
    try:
        return _decoded(data, field)
    except StudioError as error:
        plain = without_texts(data)
        if len(plain) == len(data):
            raise
        try:  # texts that are damaged or too long: the picture is none the worse
            return _decoded(plain, field)
        except StudioError:
            raise error from None


def size_checked(source: str | Path | bytes | BinaryIO, field: str) -> tuple[int, int]:
    """Width and height that a file's header states, at most ``MAX_PIXELS``; nothing is decoded.

    Raises:
        MissingFile: there is no such file.
        StudioError: too large, or not an image of a known format; names ``field``.
    """
    with _opened(with_bounded_exif(_bytes_of(source, field)), field) as image:
        return image.size


def _bytes_of(source: str | Path | bytes | BinaryIO, field: str) -> bytes:
    if isinstance(source, bytes):
        return source
    if not isinstance(source, str | Path):
        return source.read(MAX_FILE_BYTES + 1)[:MAX_FILE_BYTES]
    _check_file(Path(source), field)
    try:
        return read_regular(source, MAX_FILE_BYTES)
    except OSError as error:
        raise MissingFile(error.strerror or "cannot be read", field=field) from error


def _decoded(data: bytes, field: str) -> Image.Image:
    image = _opened(data, field)
    try:
        image.load()
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error …
        raise _damaged(error, field) from error
    bound_info(image.info)
    return image


def _opened(data: bytes, field: str) -> Image.Image:
    try:
        plugin = plugin_of(data)
        formats = (plugin.opened(field),) if plugin else FORMATS
        image = Image.open(io.BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise StudioError("too many pixels; at most 64 megapixels", field=field) from error
    except StudioError:
        raise
    except Image.UnidentifiedImageError as error:
        raise StudioError(f"is not a {KNOWN} image", field=field) from error
    except Exception as error:
        raise _damaged(error, field) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise StudioError(f"{width}x{height} pixels; at most 64 megapixels", field=field)
    return image


def _damaged(error: Exception, field: str) -> StudioError:
    return StudioError(f"is a damaged image ({shorten(str(error))})", field=field)


def _check_file(path: Path, field: str) -> None:
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise MissingFile("there is no such image", field=field) from error
    if not path.is_file():
        raise MissingFile("is not a file", field=field)
    if size > MAX_FILE_BYTES:
        raise StudioError(f"{size} bytes; an image holds at most {MAX_FILE_BYTES}", field=field)


def to_rgb(image: Image.Image, most: int = MAX_EDGE) -> Image.Image:
    """Upright (EXIF), RGB, transparency over white, no edge above ``most`` pixels."""
    upright = _upright(image)
    if upright.mode.startswith("I"):  # 16-bit depth maps: keep the upper byte, do not clip
        values = np.asarray(upright).astype(np.int64)
        upright = Image.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8))
    if upright.mode == "F":  # of floats as they are usual: from 0 to 1
        values = np.nan_to_num(np.asarray(upright))
        scale = 255.0 if values.max(initial=0.0) <= 1.0 else 1.0
        upright = Image.fromarray(np.clip(values * scale, 0, 255).round().astype(np.uint8))
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    rgb = upright.convert("RGB")
    if max(rgb.size) > most:
        rgb.thumbnail((most, most), Image.Resampling.LANCZOS)
    rgb.info.clear()
    return rgb


def to_mask(image: Image.Image) -> Image.Image:
    """A mask's brightness (L), upright, no edge above ``MAX_EDGE``.

    An alpha channel that varies is the mask, as in a layer of a paint program; else transparency
    lies over white, as everywhere.
    """
    upright = _upright(image)
    if upright.has_transparency_data:
        alpha = upright.convert("RGBA").getchannel("A")
        low, high = alpha.getextrema()
        if low != high:
            if max(alpha.size) > MAX_EDGE:
                alpha.thumbnail((MAX_EDGE, MAX_EDGE), Image.Resampling.LANCZOS)
            return alpha
    return to_rgb(image).convert("L")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says; one whose EXIF cannot be read stays as it lies."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # readers of a damaged block raise anything
        image.info.pop("exif", None)
        return image


def png_bytes(image: Image.Image) -> bytes:
    """``image`` as a PNG file without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def store(source: Source, field: str = "image", mask: bool = False) -> str:
    """Keep an image among the studio's inputs; equal pixels give an equal name.

    Args:
        mask: it is one, so that its transparency may be what it says (:func:`to_mask`).

    Returns:
        Its reference, ``inputs/<hash>.png``.
    """
    image = source if isinstance(source, Image.Image) else open_checked(source, field)
    rgb = to_mask(image).convert("RGB") if mask else to_rgb(image)
    digest = hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes())
    path = inputs_folder() / f"{digest.hexdigest()[:32]}.png"
    if not path.is_file():
        write_atomically(path, png_bytes(rgb))
    return f"inputs/{path.name}"


def resolve(ref: str, roots: Sequence[str | Path] = (), *, field: str = "image") -> Image.Image:
    """The RGB image that a reference names.

    Args:
        ref: as in a preset's ``control.image``.
        roots: folders that relative paths may lie under (the preset file's own folder).
        field: what to name in an error, such as ``rows.0.control.image``.
    """
    return to_rgb(_named(ref, roots, field))


def resolve_mask(ref: str, roots: Sequence[str | Path] = (), *, field: str = "mask") -> Image.Image:
    """The mask (L) that a reference names, as :func:`to_mask`; the rest as :func:`resolve`."""
    return to_mask(_named(ref, roots, field))


def _named(ref: str, roots: Sequence[str | Path], field: str) -> Image.Image:
    if ref.startswith("data:"):
        return open_checked(decode_data_uri(ref, field), field)
    return open_checked(locate(ref, roots, field=field), field)


def locate(ref: str, roots: Sequence[str | Path] = (), *, field: str = "image") -> Path:
    """The file that a reference names, never outside the folders that it may lie in."""
    if not ref:
        raise MissingFile("no image is given", field=field)
    parts = PurePosixPath(ref).parts
    if not _is_relative(ref, parts):
        raise MissingFile(f"{shorten(ref)} may not be read; {ALLOWED}", field=field)
    for root, rest in _candidates(parts, roots):
        try:
            top, path = root.resolve(), (root / rest).resolve()
            if path.is_relative_to(top) and path.is_file():
                return path
        except (OSError, RuntimeError, ValueError):
            continue
    if parts[0] == "inputs":  # where the studio itself keeps them
        raise MissingFile(
            f"there is no image {shorten(ref)} any more; choose it again", field=field
        )
    raise MissingFile(f"there is no image {shorten(ref)}; {ALLOWED}", field=field)


def _is_relative(ref: str, parts: tuple[str, ...]) -> bool:
    if not parts:
        return False
    unsafe = "\\" in ref or "\0" in ref or ":" in parts[0] or "~" in parts[0]
    return not (unsafe or ".." in parts or ref.startswith("/"))


def _candidates(
    parts: tuple[str, ...], roots: Sequence[str | Path]
) -> list[tuple[Path, PurePosixPath]]:
    rest = PurePosixPath(*parts[1:])
    known = {"assets": ASSETS, "inputs": inputs_folder()}.get(parts[0])
    first = [(known, rest)] if known else []
    return first + [(Path(root), PurePosixPath(*parts)) for root in roots]


def decode_data_uri(uri: str, field: str) -> bytes:
    """The bytes inside ``data:image/…;base64,…``."""
    match = _DATA_URI.match(uri)
    if match is None:
        raise StudioError(f"{shorten(uri)} is not a data:image/…;base64 URI", field=field)
    try:
        return base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise StudioError("its base64 data is damaged", field=field) from error


def same_aspect(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are of one shape, as a mask is of what it lies on, but for a rounded pixel."""
    close = abs(one[0] / one[1] / (other[0] / other[1]) - 1) <= ASPECT_TOLERANCE
    (a, b), (width, height) = small, large = sorted((one, other), key=max)
    scale = max(small) / max(large) if max(small) >= 256 else 0.0
    return close or max(abs(a - width * scale), abs(b - height * scale)) <= 0.51


def misfit(given: tuple[int, int], of: str, size: tuple[int, int]) -> str:
    """Why a mask is refused that is not of the shape of what it lies on, which is called ``of``."""
    return f"is {given[0]}x{given[1]}; a mask has the aspect of {of}, {size[0]}x{size[1]}"


def coverage(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """A mask's brightness in [0, 1] at ``size`` (width, height), each the mean of what is under it.

    Returns:
        float32 of shape (height, width).
    """
    small = image.convert("L").convert("F").resize(size, Image.Resampling.BOX)
    return np.asarray(small) / np.float32(255)
