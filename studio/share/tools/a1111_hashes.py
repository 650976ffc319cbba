"""What the web UI lists with hashes: models, LoRAs, embeddings, the autoencoder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import Fields

NO_NAME = "vae hash"  # under which an autoencoder's hash stands that has no name beside it
_LORAS = "Lora hashes"
_TAG = re.compile(r"<\w{1,20}:([^:<>]{1,200})[:>]")


def embeddings_of(settings: Mapping[str, Any]) -> list[str]:
    """Embeddings whose hashes the web UI wrote down: those that it found in the prompts."""
    names = [name for name, _ in _pairs(settings.get("TI hashes") or settings.get("TI"))]
    hashes = settings.get("Hashes")
    if isinstance(hashes, dict):
        names += [key[len("embed:") :] for key in hashes if key.startswith("embed:")]
    return [name for name in dict.fromkeys(names) if name]


def hashes_of(fields: Fields, vae: str) -> dict[str, str]:
    """Hashes by name of LoRAs, embeddings and the autoencoder; the base's under ""."""
    found = {name: digest for name, digest, _ in _listed(fields.text(_LORAS)) if digest}
    for name in ("TI hashes", "TI"):
        found |= {key: value for key, value in _pairs(fields.text(name)) if value}
    listed = fields.take("Hashes")
    for name, value in listed.items() if isinstance(listed, dict) else ():
        kind, _, called = str(name).partition(":")
        if isinstance(value, str) and (called or kind == "model"):
            found[called] = value
    if listed and not isinstance(listed, dict):
        fields.put("Hashes", listed)
    digest = fields.text("VAE hash")
    if digest:
        found[vae or NO_NAME] = digest
    return found


def untagged(fields: Fields, settings: Mapping[str, Any], prompts: str) -> list[Lora]:
    """LoRAs that are listed without a tag in the prompts: Fooocus has their strengths beside.

    Those without a strength are left to be noted.
    """
    weights = {name: number(value) for name, value in _pairs(fields.text("Lora weights"))}
    for name, _, weight in _listed(settings.get(_LORAS)):
        weights.setdefault(name, weight)
    hashes = settings.get("Hashes")
    for key in hashes if isinstance(hashes, dict) else ():
        if key.startswith("lora:"):
            weights.setdefault(key[len("lora:") :], None)
    tagged = {name.strip().lower() for name in _TAG.findall(prompts)}
    own = {name: weight for name, weight in weights.items() if name and name.lower() not in tagged}
    lost = [name for name, weight in own.items() if weight is None]
    if lost:
        fields.put("LoRAs without a strength", ", ".join(lost))
    return [Lora(name[:200], float(one)) for name, one in own.items() if one is not None]


def _listed(value: Any) -> list[tuple[str, str, float | None]]:
    """Name and hash of each LoRA, and its strength, which Fooocus' older versions had there too."""
    found = []
    for name, digest in _pairs(value):
        head, more, inner = name.partition(":")
        strength = number(digest) if more else None
        found.append((head.strip(), inner.strip(), strength) if more else (name, digest, None))
    return found


def _pairs(listed: Any) -> list[tuple[str, str]]:
    """``name: hash, name: hash``, as the web UI lists what it used."""
    items = listed.split(",")[:200] if isinstance(listed, str) else ()
    split = (item.rpartition(":") if ":" in item else (item, "", "") for item in items)
    return [(name.strip(), digest.strip()) for name, _, digest in split]
