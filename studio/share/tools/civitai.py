"""civitai.com's generator: AUTOMATIC1111's grammar, with its models as a list of resources.

Pictures that it makes with ComfyUI carry the same settings as JSON under ``extraMetadata``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.library.civitai_links import link_of, version_of
from studio.share.texts import Texts, json_object
from studio.share.tools.a1111 import split, to_found
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.prompts import Lora
from studio.share.tools.table import READERS, Fields, Found, Reader

NAME = "civitai.com"
_LORAS = ("lora", "locon", "lycoris", "dora")


def read(texts: Texts) -> Found | None:
    """Settings that list resources, or a graph with the site's own settings beside it."""
    parts = split(texts.parameters())
    if parts is not None and "Civitai resources" in parts[2]:
        found = to_found(parts, NAME)
        found.fields.drop("Civitai metadata")
        _add_resources(found, "Civitai resources")
        return found
    graph = texts.json("UserComment", "parameters", "prompt") or {}
    extra = json_object(graph.get("extraMetadata")) or texts.json("extraMetadata")
    return None if extra is None or "prompt" not in extra else _from_extra(extra)


def _from_extra(extra: dict[str, Any]) -> Found:
    fields = Fields(extra)
    found = Found(
        NAME,
        fields,
        fields.text("prompt"),
        fields.text("negativePrompt"),
        fields.number("cfgScale"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler"),
        size=fields.size(),
        clip_skip=take_layer(fields, "clipSkip", own=(1,)),
    )
    fields.drop("quantity")
    fields.drop_if("workflowId", "txt2img")
    _add_resources(found, "resources")
    return found


def _add_resources(found: Found, listed: str) -> None:
    """The checkpoint's name, LoRAs with their weights; the rest by name."""
    for item in found.fields.items(listed):
        kind, (name, link) = item.text("type").lower(), _name(item, found.links)
        if link:
            found.links[name] = link
        if kind in _LORAS:
            weight = item.number("weight", "strength", plain=1.0)
            found.loras.append(Lora(name, float(weight or 0.0)))
            continue
        item.drop_if("weight", 1, 1.0)
        item.drop_if("strength", 1, 1.0)
        if kind == "checkpoint" and found.model in ("", name):
            found.model = name
        elif kind in ("embed", "embedding", "textualinversion"):
            found.embeddings.append(name)
        else:
            found.notes.append(
                f"the resource {name!r} ({kind[:60] or 'of no kind'}) is not carried over"
            )


def _name(item: Fields, known: Mapping[str, str]) -> tuple[str, str]:
    """What a resource is called, its number on the site where it has no name; and a link to it.

    Args:
        known: links of other resources, by what they are called.
    """
    named, of_version = item.text("modelName") or item.text("name"), item.text("modelVersionName")
    given = str(item.take("modelVersionId", "air") or "?")
    item.drop("modelId", "air", "hash", "name")
    version = given if re.fullmatch(r"[0-9]{1,12}", given) else version_of(given)
    link = link_of(version) if version else ""
    if named and version and version_of(known.get(named, "")) not in ("", version):
        named = f"{named} {of_version or version}"
    return (named or f"civitai.com/{version or given}")[:200], link


READERS.register(NAME, Reader(read, order=20))
