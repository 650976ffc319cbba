"""One field of a preset as a Gradio component, drawn by a script from the schema's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from studio.ui.widgets import given

MOUNT = "studio.mountField(element.firstElementChild, props, watch, %s); /* 'change' */"
TYPES = {"choice": "string", "text": "string"}


class Field(gr.HTML):
    """A number, choice, switch or text with its label, help and, in red, what is wrong with it.

    The value is what was typed: a number where it is one, else the text, which the preset's
    validation refuses by the field's name.

    Args:
        leaf: the record of :func:`studio.ui.schema.leaves`.
        slider: (low, high, step) of a slider beside the box; the box goes as far as the schema.
        lines: to which a box for text grows.
        bare: without its title over it.
        varied: whether a press on its title makes it an axis of a sweep.
        written: how texts begin that the studio writes there itself: they come in the page's language.
    """

    def __init__(
        self,
        leaf: Mapping[str, Any],
        value: Any = None,
        *,
        slider: tuple[float, float, float] | None = None,
        placeholder: str = "",
        lines: int = 1,
        bare: bool = False,
        varied: bool = False,
        written: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        # Gradio reads an attribute for each argument; HTML makes up those that are not set.
        self.leaf, self.slider, self.placeholder = dict(leaf), slider, placeholder
        self.lines, self.bare, self.varied, self.written = lines, bare, varied, written
        kwargs.setdefault("html_template", "<div></div>")
        record = {"field": self.leaf, "slider": slider, "placeholder": placeholder}
        record |= {"lines": lines, "bare": bare, "varied": varied, "written": [*written]}
        kwargs.setdefault("js_on_load", MOUNT % given(**record))
        kwargs.setdefault("apply_default_css", False)
        kwargs.setdefault("label", leaf["title"])
        kwargs.setdefault("elem_id", f"gs-field-{leaf['name'].replace('_', '-')}")
        super().__init__(value, **kwargs)

    def preprocess(self, payload: Any) -> Any:  # type: ignore[override]
        """What was typed; a whole 25.0 of a client is 25 where the field wants whole numbers."""
        whole = self.leaf["kind"] == "integer" and isinstance(payload, float)
        return int(payload) if whole and payload.is_integer() else payload

    def postprocess(self, value: Any) -> Any:  # type: ignore[override]
        """The value as it is."""
        return value

    def api_info(self) -> dict[str, Any]:
        """The field's part of the schema."""
        kind = self.leaf["kind"]
        described = {"description": self.leaf["path"]}
        return {**described, **({} if kind == "json" else {"type": TYPES.get(kind, kind)})}

    def example_payload(self) -> Any:
        """What the API's documentation shows."""
        return self.leaf["default"]

    example_value = example_payload
