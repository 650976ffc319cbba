"""NovelAI: text chunks of a PNG, the same as JSON in a comment or in the lowest bits."""

from __future__ import annotations

import re
from typing import Any

from studio.share.texts import Texts, json_object
from studio.share.tools.table import READERS, Condition, Fields, Found, Reader, Term

_SOURCE = re.compile(r"(.{0,200}?)\s{1,9}([A-Z0-9]{6,64})")
_SAYS_NOTHING = (
    "signed_hash",
    "version",
    "n_samples",
    "params_version",
    "model_name",
)
_PLAIN = {  # what changes nothing, or is how every picture of the tool is made
    "request_type": ("PromptGenerateRequest",),
    "dynamic_thresholding_percentile": (0.999,),
    "dynamic_thresholding_mimic_scale": (10.0, 10),
    "controlnet_strength": (1.0, 1),
    "prefer_brownian": (True,),
    "image_format": ("png", "webp"),
    "cfg_sched_eligibility": ("enable_for_post_summer_samplers",),
    "stream": ("msgpack",),
}


def read(texts: Texts) -> Found | None:
    """Chunks with a ``Comment`` that holds a sampler."""
    chunks = texts.named
    whole = texts.json("UserComment")
    if whole is not None and "Comment" in whole:
        chunks = {key: value for key, value in whole.items() if isinstance(value, str)}
    comment = json_object(chunks.get("Comment"))
    if comment is None or "sampler" not in comment:
        return None
    fields = Fields(comment)
    found = Found(
        "NovelAI",
        fields,
        *_prompts(fields, chunks.get("Description", "")),
        scale=fields.number("scale"),
        grammar="NovelAI",
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler"),
        schedule=fields.text("noise_schedule"),
        size=fields.size(),
        rescale=fields.number("cfg_rescale"),
    )
    source = _SOURCE.fullmatch(chunks.get("Source", "")[:300])
    found.model = source[1] if source else chunks.get("Source", "")[:200]
    found.hashes = (source[2],) if source else ()
    fields.drop(*_SAYS_NOTHING)
    for name, values in _PLAIN.items():
        fields.drop_if(name, *values)
    fields.off("uncond_per_vibe")
    _characters(fields, found)
    _undesired(fields, found)
    return found


def _prompts(fields: Fields, description: str) -> tuple[str, str]:
    prompt, negative = fields.text("prompt"), fields.text("uc")
    return prompt or description.strip("\0"), negative


def _characters(fields: Fields, found: Found) -> None:
    """V4: a base caption, and one for each character with its place."""
    for key, side in (("v4_prompt", "prompt"), ("v4_negative_prompt", "negative")):
        given = fields.inner(key)
        caption = given.inner("caption")
        texts = [caption.text("base_caption") or getattr(found, side)]
        placed = given.take("use_coords") is True
        ordered = given.take("use_order")
        for one in caption.items("char_captions"):
            text, centers = one.text("char_caption"), one.take("centers")
            if text.strip():
                texts.append(text)
                found.notes.append(_placed(key, text, centers if placed else None))
        if len(texts) > 1 and ordered is False:
            found.notes.append(f"{key}: use_order False is not carried over")
        setattr(found, side, ", ".join(filter(None, texts)))


def _placed(key: str, text: str, centers: Any) -> str:
    text, place = text[:60], str(centers)[:80]
    return (
        f"{key}: the character {text!r} at {place} is read as part of the prompt"
        if centers
        else f"{key}: the character {text!r} is read as part of the prompt"
    )


def _undesired(fields: Fields, found: Found) -> None:
    """``uncond_scale``: how far the base goes from the empty prompt to the undesired content."""
    given = fields.number("uncond_scale")
    if given is None or given == 1 or not found.negative or found.scale is None:
        return
    if given == 0:  # what V4 writes whatever it does
        fields.put("uncond_scale", given)
        return
    scale = float(found.scale)
    negative = ((found.negative, float(given)), ("", 1.0 - float(given)))
    found.terms = (
        Term(scale, (Condition(((found.prompt, 1.0),)),)),
        Term(1.0 - scale, (Condition(negative),)),
    )
    found.notes.append(f"uncond_scale {given:g} is read as that share of the negative prediction")


READERS.register("NovelAI", Reader(read))
