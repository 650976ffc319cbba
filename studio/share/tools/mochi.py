"""Mochi Diffusion: ``Include in Image: …; Exclude from Image: …; Model: …`` in the IPTC caption.

Version 2 writes a line for each field, with ``\\\\n`` for a line break. macOS puts a PNG's caption
into its XMP packet as the description.
"""

from __future__ import annotations

import re

from studio.share.texts import Texts
from studio.share.tools.table import READERS, Fields, Found, Reader

FIRST = "Include in Image"
_FIELDS = (
    FIRST,
    "Exclude from Image",
    "Model",
    "Steps",
    "Guidance Scale",
    "Seed",
    "Size",
    "Upscaler",
    "Scheduler",
    "ML Compute Unit",
    "Generator",
    "Date",
    "Quality",
    "Strength",
    "Input Images",
    "Starting Image",
    "ControlNets",
    "Control Image",
    "Metadata Version",
)
_START = re.compile(rf"(?:^|;|\n)\s{{0,8}}({'|'.join(_FIELDS)}):")
_SIZE = re.compile(r"\s*(\d{1,6})\s*[x×]\s*(\d{1,6})\b")
_LINE = re.compile(r"(?m)^([A-Z][A-Za-z ]{0,40}):")  # of version 2, where a value is one line
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def read(texts: Texts) -> Found | None:
    """A caption that begins with the prompt."""
    text = texts.get("Caption", "XmpDescription", "Description", "parameters")
    if f"{FIRST}:" not in text[:200]:
        return None
    values = _values(text)
    fields = Fields(values)
    fields.drop("Generator", "Date", "ML Compute Unit", "Metadata Version")
    given = fields.text("Size")
    size = _SIZE.match(given)
    if size is None:
        fields.put("Size", given)
    return Found(
        "Mochi Diffusion",
        fields,
        fields.text(FIRST),
        fields.text("Exclude from Image"),
        fields.number("Guidance Scale"),
        steps=fields.take("Steps"),
        seed=fields.take("Seed"),
        sampler=fields.text("Scheduler"),
        size=(int(size[1]), int(size[2])) if size else None,
        model=fields.text("Model"),
    )


def _values(text: str) -> dict[str, str]:
    """The fields; a semicolon or a colon in a prompt is text unless a field's name follows it."""
    escaped = text.startswith("Metadata Version:")
    starts = list((_LINE if escaped else _START).finditer(text))
    found: dict[str, str] = {}
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        value = text[match.end() : end].strip()
        if escaped:
            value = re.sub(r"\\[\\nr]", lambda one: _ESCAPES[one[0]], value)
        found.setdefault(match[1], value)
    return found


READERS.register("Mochi Diffusion", Reader(read, order=20))
