"""The picture that the denoising starts from, as one Gradio component."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.errors import BadPreset, StudioError, shorten
from studio.preset import Init, validate
from studio.ui.editor.stack import stored
from studio.ui.editor.thumbs import thumbs
from studio.ui.errors import refusal
from studio.ui.schema import Leaf, init_leaves
from studio.ui.widgets import given

TEMPLATE = '<div class="gs-start-root"></div>'
MOUNT = "studio.mountStart(element.firstElementChild, props, watch, %s); /* 'change' */"


class StartPicture(gr.HTML):
    """Image, strength and mask. In the browser: ``{"init": {…} or null, "thumbs": {…}}``."""

    def __init__(
        self, value: Init | None = None, leaves: dict[str, Leaf] | None = None, **kwargs: Any
    ) -> None:
        """``leaves``: its fields with what the page allows; by default what a preset does."""
        kwargs.setdefault("html_template", TEMPLATE)
        kwargs.setdefault("js_on_load", MOUNT % given(leaves=leaves or init_leaves()))
        kwargs.setdefault("apply_default_css", False)
        super().__init__(value, **kwargs)  # type: ignore[arg-type]

    def preprocess(self, payload: Any) -> Any:  # type: ignore[override]
        """The field as it was sent, its images taken in; the preset is validated later."""
        try:
            return plain_init(payload)
        except StudioError as error:
            raise refusal(error) from error

    def postprocess(self, value: Any) -> dict[str, Any]:  # type: ignore[override]
        """The field, and small pictures of its images."""
        init = value.model_dump(mode="json") if isinstance(value, Init) else value
        return {
            "init": init,
            "thumbs": thumbs([init.get("image"), init.get("mask")] if init else []),
        }

    def api_info(self) -> dict[str, Any]:
        """Clients send the field ``init`` of a preset, or null."""
        return {"type": {}, "description": "the field init of a preset, or null"}

    def example_payload(self) -> None:
        """What the API's documentation shows."""
        return

    example_value = example_payload


def init_from_payload(payload: Any) -> Init | None:
    """The field ``init`` from the component's value: itself, or an object whose ``init`` it is.

    Raises:
        BadPreset: not such a field, or a file that was not uploaded through the page.
    """
    plain = plain_init(payload)
    if plain is None:
        return None
    # The steps are known only with the whole form, so that a small strength is judged there.
    return validate({"init": plain, "sampler": {"steps": 200}}).init


def plain_init(payload: Any) -> dict[str, Any] | None:
    """The same before validation: uploaded images are taken in.

    Raises:
        BadPreset: no object, or a file that was not uploaded through the page.
    """
    if isinstance(payload, dict) and "init" in payload:
        payload = payload["init"]
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise BadPreset(f"expected an object, got {shorten(payload)}", field="init")
    return {
        name: stored(value, f"init.{name}") if isinstance(value, dict) else value
        for name, value in payload.items()
    }
