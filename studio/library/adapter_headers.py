"""What is added to a network, from the names and shapes in its file's header: adapters, words, IP-Adapters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from studio.library.families import FAMILIES, family_of_mark, family_of_names, family_of_width

_ADAPTER = re.compile(
    r"lora_(?:A|B|down|up)\b|\.lora\.|_lora\.|lora_linear_layer|hada_w1|lokr_w|dora_scale|"
    r"^lora_\w+\.diff$|oft_(?:blocks|diag|r)\b"
)


def describe_adapter(
    shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str]
) -> dict[str, Any] | None:
    """Fields of a :class:`ModelEntry` for an adapter's file; ``None`` for what is none."""
    found: dict[str, Any] = {"trigger": trigger(metadata)}
    if any(_ADAPTER.search(key) for key in shapes):
        return found | {"kind": "lora", "family": _family_of_adapter(shapes, metadata)}
    if any("_custom_diffusion" in key for key in shapes):
        return found | {"kind": "custom-diffusion", "family": _family_of_adapter(shapes, metadata)}
    if any(key.startswith("ip_adapter.") for key in shapes):
        widths = (s[1] for k, s in shapes.items() if k.endswith("to_k_ip.weight"))
        return {"kind": "ip-adapter", "family": family_of_width(next(widths, 0))}
    return None


def _family_of_adapter(shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str]) -> str:
    """From the width of the text that its cross-attention reads; "" where that tells nothing."""
    if named := family_of_names(shapes):
        return named
    for key, shape in shapes.items():
        into = (
            "attn2" in key
            and re.search(r"to_[kv]", key)
            and re.search(r"down|lora_A|custom_diffusion|w1_b", key.rpartition("to_")[2])
        )
        if into and len(shape) > 1:
            return family_of_width(shape[1])
    return family_of_mark(
        str(metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture") or "")
    )


def trigger(metadata: Mapping[str, str]) -> str:
    """The word to write, from what trainers keep: modelspec's phrase, or the most frequent tag."""
    phrase = str(metadata.get("modelspec.trigger_phrase") or "").strip()
    if phrase:
        return phrase[:200]
    try:
        tags = json.loads(metadata.get("ss_tag_frequency") or "{}")
        counts: dict[str, int] = {}
        for folder in tags.values():
            for tag, count in folder.items():
                counts[tag.strip()] = counts.get(tag.strip(), 0) + int(count)
    except (ValueError, AttributeError, TypeError):
        return ""
    return max(counts, key=lambda tag: counts[tag])[:200] if counts else ""


def describe_embedding(
    shapes: Mapping[str, tuple[int, ...]], stem: str, sure: bool
) -> dict[str, Any] | None:
    """A textual inversion: diffusers' ``{word: vectors}``, A1111's ``emb_params``, SDXL's pair."""
    if set(shapes) == {"clip_l", "clip_g"}:
        return {
            "kind": "embedding",
            "family": family_of_names(shapes),
            "words": (stem,),
            "trigger": stem,
        }
    if len(shapes) != 1:
        return None
    key, shape = next(iter(shapes.items()))
    if not 0 < len(shape) <= 2:
        return None
    word = stem if key in ("emb_params", "string_to_param.*", "*") else key
    marked = word != key or (key.startswith("<") and key.endswith(">"))
    family = family_of_width(shape[-1])
    family = family if family and FAMILIES[family].one_tower else ""
    if not (sure or marked or family):
        return None  # any small file may hold one tensor
    return {"kind": "embedding", "family": family, "words": (word,), "trigger": word}
