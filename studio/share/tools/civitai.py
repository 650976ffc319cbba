"""civitai.com's generator: AUTOMATIC1111's grammar, with its models as a list of resources.

Pictures that it makes with ComfyUI carry the same settings as JSON under ``extraMetadata``.
"""

from __future__ import annotations

from typing import Any

from studio.share.texts import Texts, json_object
from studio.share.tools.a1111 import split, to_found
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import READERS, Fields, Found, Reader

NAME = "civitai.com"
_LORAS = ("lora", "locon", "lycoris", "dora")


def read(texts: Texts) -> Found | None:
    """Settings that list resources, or a graph with the site's own settings beside it."""
    parts = split(texts.parameters())
    if parts is not None and "Civitai resources" in parts[2]:
        found = to_found(parts, NAME)
        found.fields.drop("Civitai metadata")
        _add_resources(found, found.fields.take("Civitai resources"))
        return found
    graph = texts.json("UserComment", "parameters", "prompt") or {}
    extra = json_object(graph.get("extraMetadata")) or texts.json("extraMetadata")
    return None if extra is None or "prompt" not in extra else _from_extra(extra)


def _from_extra(extra: dict[str, Any]) -> Found:
    fields = Fields(extra)
    width, height = fields.number("width"), fields.number("height")
    found = Found(
        NAME,
        fields,
        fields.text("prompt"),
        fields.text("negativePrompt"),
        fields.number("cfgScale"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler"),
        size=(int(width), int(height)) if width and height else None,
    )
    fields.drop("workflowId", "quantity", "draft")
    fields.drop_if("clipSkip", 1)
    _add_resources(found, fields.take("resources"))
    return found


def _add_resources(found: Found, listed: Any) -> None:
    """The checkpoint's name, LoRAs with their weights; the rest by name."""
    for item in listed[:100] if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        kind = str(item.get("type", "")).lower()
        name = _name(item)
        if kind == "checkpoint":
            found.model = found.model or name
        elif kind in _LORAS:
            weight = number(item.get("weight", item.get("strength")))
            found.loras.append(Lora(name, 1.0 if weight is None else float(weight)))
        elif kind in ("embed", "embedding", "textualinversion"):
            found.embeddings.append(name)
        else:
            found.notes.append(
                f"the resource {name!r} ({kind or 'of no kind'}) is not carried over"
            )


def _name(item: dict[str, Any]) -> str:
    """What a resource is called; its number on the site where it has no name."""
    named = item.get("modelName") or item.get("name")
    version = item.get("modelVersionId", item.get("air", "?"))
    return str(named)[:200] if named else f"civitai.com/{version}"[:200]


READERS.register(NAME, Reader(read, order=20))
