"""The pictures of a training, as cards: a caption, its split, and a crop. Originals are only read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from studio.errors import StudioError, shorten
from studio.files import write_atomically
from studio.images import open_checked, to_rgb
from studio.preprocessors.faces import Box
from studio.ui.crops import box_of, cut
from studio.ui.errors import refusal
from studio.ui.widgets import given, jpeg_uri

MOST_CARDS = 40  # each costs a small picture; further ones are trained on without a card
THUMB_EDGE = 512  # also what a crop is chosen on
LONGEST = 4000  # characters of one caption
TEXTS = ("caption", "target", "general")
MOUNT = "studio.mountPictures(element.firstElementChild, props, watch, %s); /* 'change' */"


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, its texts, and its crop.

    ``crop`` is (left, top, right, bottom) in parts of the upright picture's width and height;
    ``None`` keeps the whole. ``split`` is what :func:`studio.ui.train.form.filled` last made of the
    caption: target and general text; others are a person's. ``filled`` is the caption that it last made
    of the template.
    """

    name: str
    caption: str = ""
    target: str = ""
    general: str = ""
    crop: Box | None = None
    split: tuple[str, str] = ("", "")
    filled: str = ""


class PictureCards(gr.HTML):
    """In the browser: ``{"pictures": […], "thumbs": {name: data URI}}``; thumbs only come down."""

    def __init__(self, value: Sequence[Picture] = (), **kwargs: Any) -> None:
        kwargs.setdefault("html_template", "<div></div>")
        kwargs.setdefault("js_on_load", MOUNT % given(most=MOST_CARDS, longest=LONGEST))
        kwargs.setdefault("apply_default_css", False)
        super().__init__(value, **kwargs)  # type: ignore[arg-type]

    def preprocess(self, payload: Any) -> list[Picture]:  # type: ignore[override]
        """Validate what a browser or a client sent."""
        try:
            return from_payload(payload)
        except StudioError as error:
            raise refusal(error) from error

    def postprocess(self, value: Any) -> dict[str, Any]:  # type: ignore[override]
        """Pictures alone, or what :func:`shown` made of them."""
        return value if isinstance(value, dict) else as_value(value or ())

    def api_info(self) -> dict[str, Any]:
        """Clients send a list of pictures."""
        return {"type": "array", "items": {"type": "object"}, "description": "pictures by name"}

    def example_payload(self) -> list[dict[str, Any]]:
        """What the API's documentation shows."""
        return [asdict(Picture("a.png", "a <hero> ghost"))]

    example_value = example_payload


def from_payload(payload: Any) -> list[Picture]:
    """Pictures from the component's value: a list, or an object whose ``pictures`` is one.

    Raises:
        StudioError: not pictures, or a crop that is none; names the picture.
    """
    found = payload.get("pictures") if isinstance(payload, dict) else payload
    if not isinstance(found or [], list | tuple):
        raise StudioError(f"expected a list, got {shorten(found)}", field="pictures")
    return [_picture(item, index) for index, item in enumerate(found or ())]


def _picture(item: Any, index: int) -> Picture:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise StudioError("expected an object with a name", field=f"pictures.{index}")
    texts = {name: " ".join(str(item.get(name) or "").split()) for name in TEXTS}
    for name, text in texts.items():
        if len(text) > LONGEST:
            raise StudioError(
                f"has {len(text)} characters; at most {LONGEST}", field=f"{name} of {item['name']}"
            )
    crop = item.get("crop")
    box = None if crop is None else box_of(crop, f"crop of {item['name']}")
    split = item.get("split")
    pair = split if isinstance(split, list | tuple) and len(split) == 2 else ("", "")
    made = (str(pair[0])[:LONGEST], str(pair[1])[:LONGEST])
    filled = item.get("filled")
    filled = filled[:LONGEST] if isinstance(filled, str) else ""
    return Picture(item["name"], **texts, crop=box, split=made, filled=filled)


def as_value(pictures: Sequence[Picture]) -> dict[str, Any]:
    """What the cards hold; small pictures that the page has already stay there."""
    return {"pictures": [asdict(picture) for picture in pictures], "thumbs": {}}


def shown(pictures: Sequence[Picture], files: Sequence[str] | None) -> dict[str, Any]:
    """The same with a small picture for each card; one that cannot be read has none."""
    paths = {path.name: path for path in uploaded(files)}
    value = as_value(pictures)
    for name in (p.name for p in pictures[:MOST_CARDS] if p.name in paths):
        try:
            value["thumbs"][name] = _thumb(paths[name])
        except StudioError:
            continue  # the training skips it and says why
    return value


def check(path: Path, number: int) -> None:
    """Look at a picture before it is taken.

    Args:
        number: its place among those that come; the first ones' cards show what was looked at.

    Raises:
        StudioError: empty, damaged, too large, or none; names the file.
    """
    if number < MOST_CARDS:
        _thumb(path)
    else:
        open_checked(path, path.name)


@lru_cache(maxsize=2 * MOST_CARDS)
def _thumb(path: Path) -> str:
    return jpeg_uri(to_rgb(open_checked(path, path.name)), edge=THUMB_EDGE)


def uploaded(files: Sequence[str] | None) -> list[Path]:
    """Files that were really uploaded to this page.

    Raises:
        StudioError: a path that a client made up.
    """
    folder = Path(get_upload_folder()).resolve()
    paths = [Path(str(file)) for file in files or ()]
    for path in paths:
        if not path.resolve().is_relative_to(folder):
            raise StudioError("is no uploaded file", field=path.name)
    return paths


def kept_name(picture: Picture) -> str:
    """The name under which a picture is trained on: a cropped one is a PNG of its own."""
    if picture.crop is None or picture.name.lower().endswith(".png"):
        return picture.name
    return f"{picture.name}.png"


def keep(paths: Mapping[str, Path], pictures: Sequence[Picture], folder: Path) -> None:
    """Copy the pictures into ``folder``, cropped ones as what is left of them.

    Args:
        paths: each picture's file by its name.
        pictures: those to keep.
        folder: made anew.

    Raises:
        StudioError: the folder cannot be written to, or a crop cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        for picture in pictures:
            kept = folder / kept_name(picture)
            if picture.crop is None:
                shutil.copyfile(paths[picture.name], kept)
            else:
                write_atomically(kept, cropped(paths[picture.name], picture.crop))
    except OSError as error:
        raise StudioError(
            f"cannot be kept ({error.strerror or error})", field=str(folder)
        ) from error


def cropped(path: Path, crop: Box) -> bytes:
    """The part ``crop`` of the upright picture in ``path``, as a PNG without metadata.

    Raises:
        StudioError: the picture cannot be read, or hardly anything of it would be left.
    """
    return cut(to_rgb(open_checked(path, path.name)), crop, f"crop of {path.name}")
