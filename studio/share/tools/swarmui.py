"""SwarmUI: a JSON object with ``sui_image_params``; prompts hold tags such as ``<lora:ink:0.8>``."""

from __future__ import annotations

import re
from typing import Any

from studio.errors import shorten
from studio.share.texts import Texts
from studio.share.tools.a1111 import named
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.detailer import Segment, segments
from studio.share.tools.freeu import in_swarm
from studio.share.tools.prompts import Lora, number
from studio.share.tools.swarm_refining import refining
from studio.share.tools.table import READERS, Fields, Found, Reader

_SEAMLESS = {"true": "both", "x-only": "x", "y-only": "y"}
_SAYS_NOTHING = (
    "swarm_version",
    "date",
    "generation_time",
    "original_prompt",
    "used_wildcards",
    "aspectratio",
    "images",
    "batchsize",
    "imageformat",
    "nopreviews",
    "donotsave",
    "automaticvae",
    "wildcardseed",
    "presets",
    "personalnote",
)
TENSORS = 12  # digits of a hash of the tensors alone that sites know it by
_TAG = re.compile(r"<(\w{1,40})(?:\[([^\[\]<>]{0,200})\])?(?::([^<>]{0,4000}))?>")
# What follows one of these is a text for a part of the picture, or for another pass.
_SECTION = re.compile(
    r"<((?:region|object|segment|clear|extend):[^<>]{0,400}|(?:refiner|video|videoswap|base)(?:[:/ ][^<>]{0,80})?)>"
)
_KEPT = ("lora", "lyco", "hypernet")  # the readers of prompts know them


def read(texts: Texts) -> Found | None:
    """The tool's own object, whatever else there is."""
    data = texts.json("parameters", "UserComment", "ImageDescription") or {}
    params = data.get("sui_image_params")
    if not isinstance(params, dict):
        return None
    fields = Fields(params)
    notes: list[str] = []
    given: list[Segment] = []
    found = Found(
        "SwarmUI",
        fields,
        plain_tags(fields.text("prompt"), "rows.0.prompt", notes, given),
        plain_tags(fields.text("negativeprompt"), "rows.1.prompt", notes),
        fields.number("cfgscale"),
        grammar="SwarmUI",
        bare_words=False,
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler", "comfyuisampler"),
        schedule=fields.text("scheduler", "comfyuischeduler"),
        size=fields.size(),
        model=fields.text("model"),
        vae=named(fields.text("vae")),
        hash_of=_hashes(data.get("sui_models")),
        clip_skip=take_layer(fields, "clipstopatlayer", counted=lambda place: -place),
        seamless=fields.among("seamlesstileable", _SEAMLESS),
        rescale=fields.number("rescalecfgmultiplier"),
        variation_seed=fields.take("variationseed"),
        variation_strength=fields.number("variationseedstrength"),
        loras=_loras(fields),
        notes=notes,
    )
    found.links = {name: one[:TENSORS] for name, one in found.hash_of.items()}
    found.detail, left = segments(
        given, notes, lambda text: plain_tags(text, "detail.prompt", notes)
    )
    notes += [_left(f"segment:{one.inside}", one.text, "rows.0.prompt") for one in left]
    refining(fields, found)
    found.freeu = in_swarm(fields, notes)
    fields.drop(*_SAYS_NOTHING)
    return found


def plain_tags(text: str, field: str, notes: list[str], found: list[Segment] | None = None) -> str:
    """A prompt without the tool's tags: texts that change as ``[a:b:0.5]``, the rest noted.

    Args:
        found: is given the parts that are to be made again; without it they are noted too.
    """

    def plain(match: re.Match[str]) -> str:
        kind, given, inside = match[1].lower(), match[2] or "", match[3] or ""
        if kind in _KEPT:
            return match[0]
        if kind in ("embed", "embedding"):
            return f"embedding:{inside}"
        separator = next((s for s in ("||", "|", ",") if s in inside), ",")
        parts = [part.strip() for part in inside.split(separator)]
        if kind == "fromto" and len(parts) == 2 and number(given) is not None:
            return f"[{parts[0]}:{parts[1]}:{given}]"
        if kind in ("alternate", "alt") and inside:
            return f"[{'|'.join(parts)}]"
        if kind in ("comment", "break"):
            return " BREAK " if kind == "break" else ""
        notes.append(f"{field}: {match[0][:120]} is not carried over")
        return ""

    return _TAG.sub(plain, _whole(text[:40_000], field, notes, found))


def _whole(text: str, field: str, notes: list[str], found: list[Segment] | None) -> str:
    """What of a prompt is for the whole picture and the first pass; the rest is noted, each with its text."""
    pieces = _SECTION.split(text)
    kept = [pieces[0]]
    for tag, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if tag == "region:end" or tag.startswith("base"):
            kept.append(piece)
        elif found is not None and tag.startswith("segment:"):
            found.append(Segment(tag.removeprefix("segment:"), piece))
        else:
            notes.append(_left(tag, piece, field))
    return " ".join(kept)


def _left(tag: str, text: str, field: str) -> str:
    """A note of a tag that is not carried over, with the text that follows it."""
    shown = f" {shorten(text.strip())}" if text.strip() else ""
    return f"{field}: <{tag[:80]}>{shown} is not carried over"


def _hashes(listed: Any) -> dict[str, str]:
    """Of the tensors, for each model that it used; written as ``0x…``."""
    items = (
        [one for one in listed[:100] if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    return {
        one["name"]: one["hash"].removeprefix("0x")
        for one in items
        if isinstance(one.get("name"), str) and isinstance(one.get("hash"), str)
    }


def _loras(fields: Fields) -> list[Lora]:
    names, weights = _list(fields, "loras"), _list(fields, "loraweights")
    of_text = _list(fields, "loratencweights")
    found = []
    for index, name in enumerate(names[:60]):
        weight = _at(weights, index, 1.0)
        text = _at(of_text, index, weight)
        found.append(Lora(str(name)[:200], weight, text))
    for name, values in (("loraweights", weights), ("loratencweights", of_text)):
        if len(values) > len(names) or any(number(value) is None for value in values):
            fields.put(name, values)
    return found


def _at(values: list[Any], index: int, plain: float) -> float:
    value = number(values[index]) if index < len(values) else None
    return plain if value is None else float(value)


def _list(fields: Fields, name: str) -> list[Any]:
    value = fields.take(name)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if value and not isinstance(value, list):
        fields.put(name, value)
    return value if isinstance(value, list) else []


READERS.register("SwarmUI", Reader(read, order=10))
