"""Fooocus: one JSON object, in a PNG's ``parameters`` or a JPEG's or WebP's comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from studio.share.texts import Texts
from studio.share.tools.a1111 import named
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.freeu import in_tuple
from studio.share.tools.prompts import Lora, number
from studio.share.tools.refiner import Refining
from studio.share.tools.table import READERS, Fields, Found, Reader

_PAIR = re.compile(r"\(?\s*(\d{1,6})\s*[,x×]\s*(\d{1,6})\s*\)?")


def read(texts: Texts) -> Found | None:
    """An object with a base model, its hash and a sampler."""
    data = texts.json("parameters", "UserComment")
    if data is None or not {"base_model", "sampler", "prompt"} <= data.keys():
        return None
    if not {"base_model_hash", "metadata_scheme"} & data.keys():
        return None
    fields = Fields(data)
    found = Found(
        "Fooocus",
        fields,
        _used(fields, "full_prompt", "prompt"),
        _used(fields, "full_negative_prompt", "negative_prompt"),
        fields.number("guidance_scale"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler"),
        schedule=fields.text("scheduler"),
        size=_size(fields),
        model=fields.text("base_model"),
        hashes=tuple(filter(None, [fields.text("base_model_hash")])),
        vae=named(fields.text("vae")),
        clip_skip=take_layer(fields, "clip_skip"),
        hash_of=_hashes(data.get("loras")),
        loras=list(_loras(fields)),
    )
    found.freeu = in_tuple(fields, found.notes)
    fields.drop("metadata_scheme", "version", "created_by")
    fields.drop_if("performance", "Speed", "Quality")  # steps, which are given
    if "full_prompt" in data:
        fields.drop("prompt_expansion", "styles")  # they are in the full prompt
    refiner = fields.text("refiner_model")
    if refiner in ("", "None"):
        fields.drop("refiner_switch", "refiner_swap_method", "refiner_model_hash")
    else:
        found.refining = Refining(
            refiner, fields.take("refiner_switch"), True, fields.text("refiner_model_hash")
        )
    return found


def _used(fields: Fields, full: str, plain: str) -> str:
    """The prompt that was used, with the texts of its styles, where it is given."""
    text, parts = fields.text(plain), fields.take(full)
    listed = parts if isinstance(parts, list) else [parts]
    used = ", ".join(part for part in listed[:100] if isinstance(part, str) and part.strip())
    if parts and not used:
        fields.put(full, parts)
    return used or text


def _size(fields: Fields) -> tuple[int, int] | None:
    given = fields.take("resolution")
    if isinstance(given, list | tuple):
        given = ",".join(map(str, given[:2]))
    match = _PAIR.fullmatch(given.strip()[:40]) if isinstance(given, str) else None
    if given is not None and match is None:
        fields.put("resolution", given)
    return (int(match[1]), int(match[2])) if match else None


def _hashes(listed: Any) -> dict[str, str]:
    items = listed if isinstance(listed, list) else ()
    found = [item for item in items if isinstance(item, list) and len(item) > 2]
    return {
        name: digest
        for name, _, digest, *_ in found
        if isinstance(name, str) and isinstance(digest, str)
    }


def _loras(fields: Fields) -> Iterator[Lora]:
    """Lists of name, strength and hash; older versions write ``name : strength``."""
    listed, unread = fields.take("loras"), []
    known = set()
    for item in listed if isinstance(listed, list) else [listed] if listed else []:
        name, strength, *_ = (*item, None, None) if isinstance(item, list) else (None, None)
        weight = number(strength)
        if isinstance(name, str) and name and weight is not None:
            known.add(name)
            yield Lora(name[:200], float(weight))
        else:
            unread.append(item)
    if unread:
        fields.put("loras", unread)
    for key, value in fields.starting("lora_combined_").items():
        on, _, named_ = str(value).partition(" : ")
        rest = named_ if on in ("True", "False") else str(value)
        name, _, strength = rest.rpartition(" : ")
        weight = number(strength)
        if not name or weight is None:
            fields.put(key, value)
        elif name not in known and on != "False":
            yield Lora(name[:200], float(weight))


READERS.register("Fooocus", Reader(read))
