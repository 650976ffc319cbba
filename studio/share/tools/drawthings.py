"""Draw Things: JSON in the user comment of the picture's XMP packet, or of its EXIF."""

from __future__ import annotations

from typing import Any

from studio.share.texts import Texts, json_object
from studio.share.tools.a1111 import read_size
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import READERS, ControlUse, Fields, Found, Reader

_TWICE = [
    "width",
    "height",
    "originalImageWidth",
    "originalImageHeight",
    "targetImageWidth",
    "targetImageHeight",
    "negativeOriginalImageWidth",
    "negativeOriginalImageHeight",
    "steps",
    "seed",
    "seedMode",
    "guidanceScale",
    "sampler",
    "strength",
    "model",
    "loras",
    "controls",
    "batchCount",
    "batchSize",
    "maskBlur",
    "shift",
]
_UNUSED = (0, 0.0, 1, 1.0)  # what ``v2`` writes for settings that are off


def read(texts: Texts) -> Found | None:
    """A comment with ``c`` and ``uc``, of the tool by its own name."""
    data = texts.json("XmpUserComment") or texts.json("UserComment", "parameters")
    if data is None or not {"c", "scale", "sampler"} <= data.keys():
        return None
    fields = Fields({("Size" if key == "size" else key): value for key, value in data.items()})
    more = json_object(fields.take("v2")) or {}
    found = Found(
        "Draw Things",
        fields,
        fields.text("c"),
        fields.text("uc"),
        fields.number("scale"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler"),
        size=read_size(fields),
        model=fields.text("model"),
        loras=_loras(fields.take("lora"), more.get("loras")),
        controls=_controls(fields.take("control"), more.get("controls")),
    )
    fields.drop("seed_mode", "profile", "device")
    fields.drop_if("strength", 1, 1.0)
    settings = Fields(more)
    settings.drop(*_TWICE)
    for name, value in more.items():
        if not isinstance(value, bool):
            settings.drop_if(name, *_UNUSED)
    found.notes += settings.notes()
    return found


def _loras(*lists: Any) -> list[Lora]:
    """The first list that is one."""
    listed = next((one for one in lists if isinstance(one, list) and one), [])
    found = []
    for item in listed[:60]:
        name = (item.get("model") or item.get("file")) if isinstance(item, dict) else None
        if isinstance(name, str):
            weight = number(item.get("weight"))
            found.append(Lora(name[:200], 1.0 if weight is None else float(weight)))
    return found


def _controls(*lists: Any) -> list[ControlUse]:
    listed = next((one for one in lists if isinstance(one, list) and one), [])
    found = []
    for item in listed[:20]:
        if not isinstance(item, dict):
            continue
        weight = number(item.get("weight"))
        start, end = (
            number(item.get(old, item.get(new)))
            for old, new in (
                ("guidance_start", "guidanceStart"),
                ("guidance_end", "guidanceEnd"),
            )
        )
        found.append(
            ControlUse(
                str(item.get("model") or item.get("file") or "ControlNet")[:200],
                "",
                1.0 if weight is None else float(weight),
                (float(start or 0.0), 1.0 if end is None else float(end)),
            )
        )
    return found


READERS.register("Draw Things", Reader(read, order=20))
