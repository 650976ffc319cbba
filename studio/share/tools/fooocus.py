"""Fooocus: one JSON object, in a PNG's ``parameters`` or a JPEG's or WebP's comment."""

from __future__ import annotations

import re
from typing import Any

from studio.share.texts import Texts
from studio.share.tools.a1111 import named
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import READERS, Fields, Found, Reader

_PAIR = re.compile(r"\(?\s*(\d{1,6})\s*[,x×]\s*(\d{1,6})\s*\)?")
MAX_LORAS = 60


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
        vae=named(fields.take("vae")),
        hash_of=_hashes(data.get("loras")),
        loras=list(_loras(fields)),
    )
    fields.drop("metadata_scheme", "version", "created_by", "refiner_swap_method", "performance")
    fields.drop_if("clip_skip", 1, "1")
    if "full_prompt" in data:
        fields.drop("prompt_expansion", "styles")  # they are in the full prompt
    refiner = fields.take("refiner_model")
    switch = fields.take("refiner_switch")
    if isinstance(refiner, str) and refiner not in ("", "None"):
        found.notes.append(f"the refiner {refiner[:100]!r} from {switch} on is not carried over")
    return found


def _used(fields: Fields, full: str, plain: str) -> str:
    """The prompt that was used, with the texts of its styles, where it is given."""
    text, parts = fields.text(plain), fields.take(full)
    listed = parts if isinstance(parts, list) else [parts]
    used = ", ".join(part for part in listed[:100] if isinstance(part, str) and part.strip())
    return used or text


def _size(fields: Fields) -> tuple[int, int] | None:
    given = fields.take("resolution")
    if isinstance(given, list | tuple):
        given = ",".join(map(str, given[:2]))
    match = _PAIR.fullmatch(given.strip()[:40]) if isinstance(given, str) else None
    return (int(match[1]), int(match[2])) if match else None


def _hashes(listed: Any) -> dict[str, str]:
    items = listed[:MAX_LORAS] if isinstance(listed, list) else ()
    found = [item for item in items if isinstance(item, list) and len(item) > 2]
    return {
        name: digest
        for name, _, digest, *_ in found
        if isinstance(name, str) and isinstance(digest, str)
    }


def _loras(fields: Fields) -> list[Lora]:
    """Lists of name, strength and hash; older versions write ``name : strength``."""
    found: list[tuple[Any, Any]] = []
    listed = fields.take("loras")
    for item in listed[:MAX_LORAS] if isinstance(listed, list) else ():
        if isinstance(item, list) and len(item) > 1:
            found.append((item[0], item[1]))
    known = {name for name, _ in found if isinstance(name, str)}
    for value in list(fields.starting("lora_combined_").values())[:MAX_LORAS]:
        name, _, strength = str(value).rpartition(" : ")
        if name not in known:
            found.append((name, strength))
    return [
        Lora(name[:200], 1.0 if (s := number(strength)) is None else float(s))
        for name, strength in found
        if isinstance(name, str) and name
    ]


READERS.register("Fooocus", Reader(read))
