"""Another tool's prompt as plain text: tags that only that tool understands come out, noted."""

from __future__ import annotations

import re

MAX_PROMPT = 4000
MAX_NESTING = 20

_TAG = re.compile(r"<(lora|lyco|hypernet):([^:<>]{1,200})(?::([^<>]{0,40}))?>", re.IGNORECASE)
_EMBEDDING = re.compile(r"\bembedding:([\w./\\-]{1,200})", re.IGNORECASE)
_ATTENTION = re.compile(r"(?<!\\)[(\[]([^()\[\]\\|]*?)(?::\s*[-+]?[\d.]+)?\s*(?<!\\)[)\]]")
_INVOKE = re.compile(r"(?<=\w)[+]+(?=[\s,.]|$)")


def plain_prompt(text: str, field: str, notes: list[str]) -> str:
    """``text`` without tags and attention weights; what was taken out is added to ``notes``.

    ``AND`` with ``:weight`` stays: the studio reads it the same way.
    """
    for kind, name, strength in _TAG.findall(text):
        label = f"{kind.lower()} {name!r}" + (f" at {strength}" if strength else "")
        notes.append(f"{field}: {label} is left out; add it as a row's model if you have it")
    for name in _EMBEDDING.findall(text):
        notes.append(f"{field}: the embedding {name!r} is left out")
    plain = _without_attention(_EMBEDDING.sub("", _TAG.sub("", text)))
    if plain != _EMBEDDING.sub("", _TAG.sub("", text)):
        notes.append(f"{field}: attention weights such as (word:1.2) are left out")
    plain = re.sub(r"\\([()\[\]])", r"\1", plain)
    plain = re.sub(r"\s+", " ", re.sub(r"(\s*,)+\s*", ", ", plain)).strip(" ,")
    if len(plain) > MAX_PROMPT:
        notes.append(f"{field}: cut to {MAX_PROMPT} of {len(plain)} characters")
    return plain[:MAX_PROMPT]


def _without_attention(text: str) -> str:
    for _ in range(MAX_NESTING):
        shorter = _ATTENTION.sub(r"\1", text)
        if shorter == text:
            break
        text = shorter
    return _INVOKE.sub("", text)
