"""The stack of guidance rows as one Gradio component: its value is the rows of a preset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import gradio as gr
from PIL import Image

from studio import images
from studio.errors import BadPreset, StudioError, shorten
from studio.library import ADAPTERS
from studio.plan.curves import SHAPES, factor
from studio.preset import Curve, Row, prompt_hints, validate
from studio.preset.preprocessors import PREPROCESSORS
from studio.ui.captions import words_of
from studio.ui.crops import find_face, find_parts, kept_part
from studio.ui.editor.maps import preview_map
from studio.ui.editor.sent import seed_of, settings_in, uploaded
from studio.ui.editor.tags import tags_like
from studio.ui.editor.thumbs import as_uri, thumb, thumbs
from studio.ui.editor.wildcards import (
    prompt_choices,
    wildcard_keep,
    wildcard_names,
    wildcard_text,
)
from studio.ui.errors import one_line, refusal
from studio.ui.library.wording import model_words
from studio.ui.presets.back import bring_back
from studio.ui.presets.styles import style_words
from studio.ui.schema import choices_of, preset_schema, row_leaves
from studio.ui.sketches import painted_over
from studio.ui.widgets import given

IMAGE_FIELDS = ("mask", "image")  # of a row
IMAGE_PARTS = ("control", "image_prompt")  # parts of a row that have an image
FIRST = "It holds several pictures, of which the first is taken."
CURVE_STEPS = 32  # between them straight lines are near enough to draw
CANVAS = 768  # edge of what a mask is painted on
# Not built from user text: the script fills it with textContent and .value alone.
TEMPLATE = '<div class="gs-stack-root"></div>'
MOUNT = (
    "studio.mountStack(element.firstElementChild, props, server, upload, watch, %s); /* 'change' */"
)


class GuidanceStack(gr.HTML):
    """Rows as cards. In the browser the value is ``{"rows": […], "thumbs": {image: data URI}}``.

    Its server functions serve the whole page: taking in an image, showing one, naming wildcards; where
    it ``keeps`` files, writing them.
    """

    def __init__(
        self, value: Sequence[Row] = (), max_rows: int = 200, keeps: bool = False, **kwargs: Any
    ) -> None:
        self.max_rows, self.keeps = max_rows, keeps  # Gradio reads an attribute for each argument
        kwargs.setdefault("html_template", TEMPLATE)
        kwargs.setdefault("js_on_load", MOUNT % given(max_rows=max_rows, served=served()))
        kwargs.setdefault("apply_default_css", False)
        kwargs.setdefault("server_functions", [*SERVES, *(KEEPS if keeps else ())])
        super().__init__(value, **kwargs)  # type: ignore[arg-type]

    def preprocess(self, payload: Any) -> list[Any]:  # type: ignore[override]
        """Rows as they were sent, their images taken in; the whole preset is validated later."""
        try:
            return plain_rows(payload)
        except StudioError as error:
            raise refusal(error) from error

    def postprocess(self, value: Any) -> dict[str, Any]:  # type: ignore[override]
        """Rows, and a small picture for each of their images."""
        rows = [row.model_dump(mode="json") if isinstance(row, Row) else row for row in value or ()]
        named = [row for row in rows if isinstance(row, dict)]
        parts = [row.get(part) for row in named for part in IMAGE_PARTS]
        parts += [one for row in named for one in row.get("controls") or ()]
        names = [(part or {}).get("image") for part in parts]
        names += [row.get(field) for row in named for field in IMAGE_FIELDS]
        return {"rows": rows, "thumbs": thumbs(names)}

    def api_info(self) -> dict[str, Any]:
        """Clients send the rows of a preset as they stand in its JSON."""
        return {"type": "array", "items": {"type": "object"}, "description": "rows of a preset"}

    def example_payload(self) -> list[dict[str, Any]]:
        """What the API's documentation shows."""
        return [{"prompt": "a red apple", "weight": 5.0}]

    example_value = example_payload


def served() -> dict[str, Any]:
    """What the row editor's scripts get: schema, a blank row, choices, fields without an editor."""
    samples = [step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
    return {
        "defs": preset_schema().get("$defs", {}),
        "blank": Row().model_dump(mode="json"),
        "leaves": row_leaves(),
        "preprocessors": choices_of("Control", "type"),
        "thresholds": [name for name, one in PREPROCESSORS.items() if one.thresholds],
        "adapters": list(ADAPTERS),
        "hints": prompt_hints.served(),
        "curves": {name: [factor(cast(Curve, name), at) for at in samples] for name in SHAPES},
    }


def rows_from_payload(payload: Any) -> tuple[Row, ...]:
    """Rows from the component's value: a list, or an object whose ``rows`` is one.

    An image may be a file that this client uploaded; any other file is refused.

    Raises:
        BadPreset: not rows, or a file that was not uploaded through the page.
    """
    return validate({"rows": plain_rows(payload)}).rows


def plain_rows(payload: Any) -> list[Any]:
    """The same before validation: plain rows with their uploaded images taken in.

    Raises:
        BadPreset: no list, or a file that was not uploaded through the page.
    """
    rows = payload.get("rows", ()) if isinstance(payload, dict) else payload
    if rows is not None and not isinstance(rows, list | tuple):
        raise BadPreset(f"expected a list of rows, got {shorten(rows)}", field="rows")
    return [_with_stored_image(row, index) for index, row in enumerate(rows or ())]


def _with_stored_image(row: Any, index: int) -> Any:
    if not isinstance(row, dict):
        return row
    row = {**row}
    for field in IMAGE_FIELDS:
        if isinstance(row.get(field), dict):
            row[field] = stored(row[field], f"rows.{index}.{field}")
    for name in IMAGE_PARTS:
        if name in row:
            row[name] = _with_image(row[name], f"rows.{index}.{name}")
    if isinstance(row.get("controls"), list | tuple):
        row["controls"] = [
            _with_image(part, f"rows.{index}.controls.{at}")
            for at, part in enumerate(row["controls"])
        ]
    return row


def _with_image(part: Any, field: str) -> Any:
    """A part of a row whose image may be a file that was uploaded."""
    if not (isinstance(part, dict) and isinstance(part.get("image"), dict)):
        return part
    return {**part, "image": stored(part["image"], f"{field}.image")}


def stored(value: Any, field: str) -> str:
    """The reference of an uploaded image, kept among the studio's inputs."""
    mask = field.endswith(".mask") or bool(value.get("mask"))
    return images.store(uploaded(value, field), mask=mask)


def store_image(value: Any) -> dict[str, str]:
    """Take an uploaded image, or with ``mask`` a mask, into the inputs (called from the script).

    Returns:
        ``{"image": reference, "thumb": data URI}``, with a ``note`` where the file holds more than was
        taken, or ``{"error": one line}``.
    """
    try:
        reference = stored(value, "image")
        said = {"note": FIRST} if _several(uploaded(value, "image")) else {}
        return {"image": reference, "thumb": thumb(reference), **said}
    except StudioError as error:
        return {"error": one_line(error)}


def _several(path: Path) -> bool:
    """Whether a file that was taken moves, or has pages; a camera's own second picture is none."""
    try:
        with Image.open(path) as image:
            return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Exception:  # the rest of it is damaged, whatever Pillow makes of that
        return False


def crop_image(value: Any) -> dict[str, str]:
    """Keep a part of an image of a preset as another (called from the script): see
    :func:`studio.ui.crops.kept_part`; returns what :func:`store_image` does.
    """
    try:
        reference = kept_part(value)
        return {"image": reference, "thumb": thumb(reference)}
    except StudioError as error:
        return {"error": one_line(error)}


def paint_over(value: Any) -> dict[str, str]:
    """Keep an image of a preset with uploaded strokes over it as another (called from the script, with
    ``image``): see :func:`studio.ui.sketches.painted_over`; returns what :func:`store_image` does.
    """
    try:
        strokes = uploaded(value, "strokes")
        reference = painted_over(str(value.get("image")), strokes)
        return {"image": reference, "thumb": thumb(reference)}
    except StudioError as error:
        return {"error": one_line(error)}


def caption_picture(asked: Any) -> dict[str, Any]:
    """What an uploaded picture shows (called from the script).

    Args:
        asked: ``{"picture": the uploaded file, "base": id of the base that the words are for,
            "fetch": whether what it needs may be fetched}``.

    Returns:
        as :func:`studio.ui.captions.words_of`.
    """
    given = asked if isinstance(asked, dict) else {}
    try:
        picture = uploaded(given.get("picture"), "picture")
        return words_of(picture, str(given.get("base") or ""), given.get("fetch") is True)
    except StudioError as error:
        return {"error": one_line(error)}


def check_picture(value: Any) -> dict[str, str]:
    """Whether an uploaded file is a picture that can be read (called from the script).

    Returns:
        ``{}``, or ``{"error": one line}``.
    """
    try:
        images.open_checked(uploaded(value, "picture"), "picture")
        return {}
    except StudioError as error:
        return {"error": one_line(error)}


def show_image(reference: Any) -> dict[str, str]:
    """An image of a preset, large enough to paint on (called from the script).

    Returns:
        ``{"src": data URI}``, or ``{"error": one line}``.
    """
    try:
        # Without loss: a mask that is painted on again must not grow grey edges.
        return {"src": as_uri(images.resolve(str(reference)), CANVAS, "PNG")}
    except StudioError as error:
        return {"error": one_line(error)}


def mask_fits(value: Any) -> dict[str, Any]:
    """Whether a mask has the aspect of a picture (called from the script, with their references).

    Returns:
        ``{"fits": bool}``, or ``{"error": one line}`` where one of them cannot be read.
    """
    given = value if isinstance(value, dict) else {}
    try:
        sizes = [images.resolve(str(given.get(name))).size for name in ("mask", "image")]
        return {"fits": images.same_aspect(*sizes)}
    except StudioError as error:
        return {"error": one_line(error)}


def image_size(reference: Any) -> dict[str, Any]:
    """How large an image of a preset is (called from the script).

    Returns:
        ``{"size": [width, height]}`` in pixels, or ``{"error": one line}``.
    """
    try:
        return {"size": list(images.resolve(str(reference)).size)}
    except StudioError as error:
        return {"error": one_line(error)}


SERVES = (
    store_image,
    crop_image,
    paint_over,
    seed_of,
    settings_in,
    check_picture,
    show_image,
    mask_fits,
    image_size,
    preview_map,
    find_face,
    find_parts,
    caption_picture,
    wildcard_names,
    prompt_choices,
    tags_like,
)
# To the scripts as well, but not on a page that others share:
KEEPS = (wildcard_text, wildcard_keep, model_words, style_words, bring_back)
