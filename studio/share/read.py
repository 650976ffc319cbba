"""The preset in a file: a JSON document, an image of ours, or an image or text of another tool."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from studio.errors import BadPreset, MissingFile, NoPreset, StudioError
from studio.files import read_regular
from studio.images import decode_data_uri, open_checked, size_checked
from studio.library import ModelEntry
from studio.preset import MAX_JSON_BYTES, Preset, parse
from studio.share.embed import extract
from studio.share.link import unpack
from studio.share.texts import MAX_TEXT, Texts, json_object, peeked, texts_of
from studio.share.tools.foreign import read_foreign, to_preset
from studio.share.tools.named import Named, named
from studio.share.tools.table import find, unread
from studio.share.write import COMMENT_KEY, PNG_KEY

Models = Collection[str] | Mapping[str, ModelEntry]

# Of AUTOMATIC1111's ui-config.json and config.json.
_WEB_UI_FIELDS = ("txt2img/", "img2img/", "customscript/")
_WEB_UI_OPTIONS = {"samples_save", "samples_format", "sd_model_checkpoint", "outdir_samples"}
# What pictures call the text that their tools also keep as a JSON file: a graph, settings beside a picture.
_KEPT_AS_JSON = ("parameters", "invokeai_metadata")


def read_any(path: str | Path, models: Models = ()) -> tuple[Preset, list[str]]:
    """The preset in a JSON file, an image, or the text of another tool in a file ``….txt`` or
    ``….json``; whether it is JSON, its first bytes say.

    Args:
        path: the file.
        models: the library, to recognise another tool's models by name; from its ids alone,
            kinds and learned words are not known.

    Returns:
        The preset, and notes on what could not be carried over.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".json" or (_starts_like_json(path) and (kind != ".txt" or _is_json(path))):
        return _read_json(path, models)
    return read_text(path, models) if kind == ".txt" else read_image(path, models)


def _read_json(path: Path, models: Models) -> tuple[Preset, list[str]]:
    try:
        return extract(Preset.load(path)), []
    except BadPreset:
        found = _foreign_json(path, models)
        if found is None:
            raise
        return found


def _foreign_json(path: Path, models: Models) -> tuple[Preset, list[str]] | None:
    """What another tool keeps as JSON; ``None`` for a preset that is wrong somewhere.

    Raises:
        BadPreset: it says how something looks, not what was made; names the file.
    """
    try:
        text = read_regular(path, MAX_TEXT).decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    data = json_object(text)
    if data is None or "rows" in data or data.keys() <= Preset.model_fields.keys():
        return None
    notes: list[str] = []
    for name in _KEPT_AS_JSON:
        if found := read_foreign(Texts({name: text}, notes=notes), path.name, models):
            return found
    if notes:
        raise BadPreset("; ".join(notes[:3]), field=path.name)
    if isinstance(data.get("nodes"), list) and "links" in data:
        raise BadPreset(
            "is ComfyUI's drawing of a workflow, without what runs; export it in the API format, or "
            "open a picture that it made",
            field=path.name,
        )
    if any(isinstance(node, dict) and "class_type" in node for node in data.values()):
        raise BadPreset("is a graph of ComfyUI without a sampler that is read", field=path.name)
    if any(name.startswith(_WEB_UI_FIELDS) for name in data) or _WEB_UI_OPTIONS & data.keys():
        raise BadPreset(
            "holds how AUTOMATIC1111's own page is set up, not how a picture was made; open one of its "
            "pictures, its params.txt or its styles.csv",
            field=path.name,
        )
    return None


def read_text(path: Path, models: Models = ()) -> tuple[Preset, list[str]]:
    """The preset in the text that another tool writes into its pictures, as people copy it.

    Raises:
        MissingFile: there is no such file.
        BadPreset: too long, or no such text; names the file.
    """
    try:
        text = read_regular(path, MAX_TEXT).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise BadPreset(reason, field=path.name) from error
    if not text.strip():
        raise BadPreset("is empty", field=path.name)
    found = read_foreign(Texts({"parameters": text.replace("\r\n", "\n")}), path.name, models)
    if found is None:
        raise BadPreset("the text holds no settings of another tool", field=path.name)
    return found


def _is_json(path: Path) -> bool:
    """Of a text: prompts of other tools may begin with a brace too."""
    try:
        return json_object(read_regular(path, MAX_TEXT).decode("utf-8-sig")) is not None
    except (OSError, ValueError):
        return False


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
        NoPreset: it carries none.
        BadPreset: not an image, damaged, or too large. Both name the file.
    """
    path = Path(path)
    texts = _texts(path)
    own = _own(texts, path.name)
    if own is not None:
        return own, []
    found = read_foreign(texts, path.name, models)
    if found is None:
        raise _nothing(texts, path.name)
    return found


def _texts(path: Path) -> Texts:
    try:
        image = open_checked(path, path.name)
    except MissingFile:
        raise
    except StudioError as error:
        raise BadPreset(error.message, field=path.name) from error
    with image:
        return texts_of(image, path, whole=PNG_KEY)


def _nothing(texts: Texts, name: str) -> NoPreset:
    why = "; ".join(texts.notes[:3])
    said = f"the image carries no preset; {why}" if why else "the image carries no preset"
    return NoPreset(said, field=name)


def read_upload(uri: str, models: Models = ()) -> tuple[Preset, list[str]]:
    """:func:`read_image` of a picture file that came as a data URI.

    Raises:
        StudioError: it is no data URI of a picture, or carries no preset; names ``image``.
    """
    if not uri.startswith("data:"):
        raise BadPreset("a data URI (data:image/png;base64,…) is expected", field="image")
    with tempfile.TemporaryDirectory(prefix="guidance-studio-") as folder:
        path = Path(folder) / "image"
        path.write_bytes(decode_data_uri(uri, "image"))
        return read_image(path, models)


class Peeked(NamedTuple):
    """The preset in an image, its size in pixels, and, of another tool's, the models that it names."""

    preset: Preset
    size: tuple[int, int]
    named: Named | None = None


def peek(path: str | Path) -> Peeked:
    """The preset in an image and its size in pixels, without decoding it where it is our own.

    Embedded pictures stay in the preset as they are.

    Raises:
        MissingFile: there is no such file.
        BadPreset: not an image, damaged, too large, or without a preset; names the file.
    """
    path = Path(path)
    kept = peeked(path, PNG_KEY)
    if kept is not None:
        text, size = kept
        try:
            return Peeked(parse(text, source=PNG_KEY), size)
        except StudioError as error:
            raise BadPreset(f"its preset is not valid: {error}", field=path.name) from error
    texts = _texts(path)
    own = _own(texts, path.name)
    if own is not None:
        return Peeked(own, size_checked(path, path.name))
    found, failed = find(texts)
    if found is None:
        texts.notes.extend(unread(failed))
        raise _nothing(texts, path.name)
    preset, _ = to_preset(found, path.name, (), texts.size)
    return Peeked(preset, size_checked(path, path.name), named(found))


def _own(texts: Texts, name: str) -> Preset | None:
    own = carried(texts, name)
    try:
        return extract(own) if own else None
    except StudioError as error:
        raise BadPreset(f"its preset is not valid: {error}", field=name) from error


def carried(texts: Texts, name: str) -> Preset | None:
    """The studio's own preset among an image's texts, as it is there: its pictures stay in it.

    Raises:
        BadPreset: it is not valid; names the file.
    """
    try:
        chunk = texts.get(PNG_KEY)
        if chunk:
            return parse(chunk, source=PNG_KEY)
        _, found, packed = texts.get("UserComment").rpartition(f", {COMMENT_KEY}: ")
        return unpack(packed.strip(), COMMENT_KEY, MAX_JSON_BYTES) if found else None
    except StudioError as error:
        raise BadPreset(f"its preset is not valid: {error}", field=name) from error
