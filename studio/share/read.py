"""The preset in a file: a JSON document, an image of ours, or an image of another tool."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from PIL import Image

from studio.errors import BadPreset, MissingFile, StudioError
from studio.images import open_checked
from studio.library import ModelEntry
from studio.preset import MAX_JSON_BYTES, Preset, parse
from studio.share.embed import extract
from studio.share.link import unpack
from studio.share.tools.foreign import read_foreign
from studio.share.write import COMMENT_KEY, EXIF_IFD, PNG_KEY, UNICODE_PREFIX, USER_COMMENT

Models = Collection[str] | Mapping[str, ModelEntry]


def read_any(path: str | Path, models: Models = ()) -> tuple[Preset, list[str]]:
    """The preset in a JSON file or in an image; which of them it is, its first bytes say.

    Args:
        path: the file.
        models: the library, to recognise another tool's models by name; from its ids alone,
            kinds and learned words are not known.

    Returns:
        The preset, and notes on what could not be carried over.
    """
    path = Path(path)
    if path.suffix.lower() == ".json" or _starts_like_json(path):
        return extract(Preset.load(path)), []
    return read_image(path, models)


def _starts_like_json(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise MissingFile(reason, field=str(path)) from error


def read_image(path: str | Path, models: Models = ()) -> tuple[Preset, list[str]]:
    """The preset in an image: the studio's own, else another tool's, brought over in rows.

    Raises:
        MissingFile: there is no such file.
        BadPreset: not an image, damaged, too large, or without a preset; names the file.
    """
    path = Path(path)
    try:
        image = open_checked(path, path.name)
    except MissingFile:
        raise
    except StudioError as error:
        raise BadPreset(error.message, field=path.name) from error
    with image:
        own = _own(image, path.name)
        if own is not None:
            return own, []
        found = read_foreign(image, path.name, models)
    if found is None:
        raise BadPreset("the image carries no preset", field=path.name)
    return found


def _own(image: Image.Image, name: str) -> Preset | None:
    try:
        chunk = image.info.get(PNG_KEY) or getattr(image, "text", {}).get(PNG_KEY)
        if isinstance(chunk, str):
            return extract(parse(chunk, source=PNG_KEY))
        packed = _packed(image)
        return None if packed is None else extract(unpack(packed, COMMENT_KEY, MAX_JSON_BYTES))
    except StudioError as error:
        raise BadPreset(f"its preset is not valid: {error}", field=name) from error


def _packed(image: Image.Image) -> str | None:
    _, found, packed = _user_comment(image).rpartition(f", {COMMENT_KEY}: ")
    return packed.strip() if found else None


def _user_comment(image: Image.Image) -> str:
    try:
        raw = image.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT)
    except Exception:  # a damaged EXIF block: no comment to be had
        return ""
    if not isinstance(raw, bytes) or not raw.startswith(UNICODE_PREFIX):
        return ""
    return raw[len(UNICODE_PREFIX) :].decode("utf_16_be", "replace")
