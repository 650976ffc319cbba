"""A look at what came from elsewhere, by a link or out of a gallery: what it loads, what is missing.

Where the form holds nothing of a person's own, such as a first visitor's, the preset is on the page at
once, and the look is a note above it. Where the form was edited, it stays, and the look asks first.
"""

from __future__ import annotations

from typing import Any

from studio.library.missing import missing
from studio.preset import ModelRef, Preset, Row
from studio.preset.document import MAX_JSON_BYTES
from studio.share import encode_link
from studio.share.link import unpack
from studio.ui.library.missing import as_html
from studio.ui.library.models import library
from studio.ui.space import Limits
from studio.ui.widgets import Drawn, fresh

MOST_ROWS = 12  # that are said one by one
MOST_LETTERS = 200  # of a prompt


class Look(Drawn):
    """The look; *Open it* triggers ``select`` with the link's ``code``."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.mountLook(element.firstElementChild, props, trigger, watch); /* 'select' */"
        super().__init__({}, mount, elem_id="gs-look", **kwargs)


def asked(preset: Preset, limits: Limits, code: str) -> dict[str, Any]:
    """Of a preset that is not on the page: whether to open it.

    Args:
        code: its link's own, which may hold pictures that a new one would leave out.
    """
    return _shown(preset, limits, "asked", code)


def opened(preset: Preset, limits: Limits, notes: dict[str, Any], code: str = "") -> dict[str, Any]:
    """Of a preset that has just come on the page, with these notes: it goes when others come.

    Args:
        code: its link's own; made here where it came by none.
    """
    shown = _shown(preset, limits, "opened", code or encode_link(preset)[0])
    return {**shown, "with": notes["nonce"]}


def again(shown: Any, limits: Limits) -> dict[str, Any]:
    """The same look once the library has changed: a model may have come or gone.

    Raises:
        StudioError: what the page showed was no preset's link.
    """
    if not isinstance(shown, dict) or not shown.get("code"):
        return {}
    code = str(shown["code"])
    preset = unpack(code, "link", MAX_JSON_BYTES)  # it was shown: however long, it is no news
    return {**shown, **_shown(preset, limits, str(shown.get("state", "")), code), "again": True}


def _shown(preset: Preset, limits: Limits, state: str, code: str) -> dict[str, Any]:
    taking_part = dict(preset.active_rows())
    rows = [_row(row, index in taking_part) for index, row in enumerate(preset.rows[:MOST_ROWS])]
    return fresh(
        {
            "state": state,
            "code": code,
            "name": preset.name,
            "base": preset.base,
            "rows": rows,
            "more": len(preset.rows) - len(rows),
            "missing": as_html(missing(preset, library()), not limits.shared, can_choose=False),
        }
    )


def _row(row: Row, takes_part: bool) -> dict[str, Any]:
    """A row's way, prompt, weight and models, and what else of it is out of the ordinary."""
    control = "control" if row.control else ""
    seen = "image prompt" if row.image_prompt else ""
    mask = "mask" if row.mask else ""
    return {
        "way": "" if not takes_part else "from" if row.weight < 0 else "to",
        "prompt": row.prompt.strip()[:MOST_LETTERS],
        "weight": f"{row.weight:g}".replace("-", "−"),
        "models": _models(row),
        "parts": [part for part in (control, seen, mask) if part],
    }


def _models(row: Row) -> list[str]:
    """Ids of what a row runs on, as far as it names any."""
    if not isinstance(row.model, ModelRef):
        return [row.model] if row.model else []
    return [name for name, _ in row.model.adapters()] + (
        [row.model.model] if row.model.model else []
    )
