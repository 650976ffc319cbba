"""What is added to a network, from the names and shapes in its file's header: adapters, words, IP-Adapters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.library.adapter_kinds import (
    ADAPTER_KINDS,
    BUNDLED,
    MAX_KEY,
    SHARED,
    Endings,
    kinds_of,
)
from studio.library.families import FAMILIES, family_of_mark, family_of_names, family_of_width
from studio.library.family import has

# Of an IP-Adapter that reads what CLIP sees: its image embedding, or all patches ("plus", "full
# face"). One for detected faces projects otherwise, brings LoRAs, or reads a detector's 512 numbers.
_IMAGE_TOKENS = ("image_proj.proj.weight", "image_proj.latents", "image_proj.proj.3.weight")
_READS_PATCHES = "image_proj.proj_in.weight"
_FACE_WIDTH = 512
_FACES = "is an IP-Adapter for detected faces (FaceID), which needs a face detector and is not run"
SECOND_TOWER = 1280  # the width of XL's second text encoder


def describe_adapter(
    shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Fields of a :class:`ModelEntry` for an adapter's file; ``None`` for what is none."""
    if has(shapes, "ip_adapter."):  # first: one for faces holds LoRAs too
        widths = (s[1] for k, s in shapes.items() if k.endswith("to_k_ip.weight") and len(s) > 1)
        return {
            "kind": "ip-adapter",
            "family": family_of_width(next(widths, 0)),
            "problem": _FACES if reads_faces(shapes) else "",
        }
    if any("_custom_diffusion" in key for key in shapes):
        kind = "custom-diffusion"
    elif is_adapter(shapes):
        kind = "lora"
    else:
        return None
    words = bundled_words(shapes)
    return {
        "kind": kind,
        "family": _family_of_adapter(shapes, metadata),
        "trigger": " ".join(words) or trigger(metadata),
        **({"words": words} if words else {}),
    }


def reads_faces(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether an IP-Adapter reads detected faces instead of what CLIP sees."""
    detected = shapes.get(_READS_PATCHES, ())[1:] == (_FACE_WIDTH,)
    loras = any(key.startswith("ip_adapter.") and "_lora." in key for key in shapes)
    return detected or loras or not has(shapes, *_IMAGE_TOKENS)


def is_adapter(keys: Iterable[str]) -> bool:
    """Whether tensors of these names are an adapter's: some layer has what marks a kind."""
    endings = Endings()
    roles: dict[str, set[str]] = {}
    for layer, role in filter(None, map(endings.split, keys)):
        roles.setdefault(layer, set()).add(role)
    alone = set(SHARED.values())
    return any(kinds_of(found) or found & alone - {"alpha", "scalar"} for found in roles.values())


def bundled_words(keys: Iterable[str]) -> tuple[str, ...]:
    """Words that OneTrainer keeps in an adapter's file: ``bundle_emb.WORD.TOWER``."""
    return tuple(dict.fromkeys(word for key in keys if (word := bundled(key)[0])))


def bundled(key: str) -> tuple[str, str]:
    """The word and the tower of a bundled embedding; ("", "") for another tensor.

    The tower is ``clip_l`` or ``clip_g``, or "" where the file does not say.
    """
    if not key.startswith(BUNDLED) or len(key) > MAX_KEY:
        return "", ""
    rest = key[len(BUNDLED) :]
    for ending, tower in ((".string_to_param.*", ""), (".clip_l", "clip_l"), (".clip_g", "clip_g")):
        if rest.endswith(ending):
            return rest[: -len(ending)], tower
    return "", ""


def _family_of_adapter(shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, Any]) -> str:
    """From the width of the text that its cross-attention reads; "" where that says nothing."""
    if named := family_of_names(shapes):
        return named
    inner = tuple(ending for kind in ADAPTER_KINDS.values() for ending in kind.inner)
    for key, shape in shapes.items():
        reads_text = "attn2" in key and ("to_k" in key or "to_v" in key)
        if reads_text and key.endswith(inner) and len(shape) > 1:
            return family_of_width(shape[1])
    return family_of_mark(
        str(metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture") or "")
    )


def trigger(metadata: Mapping[str, Any]) -> str:
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
    except (ValueError, AttributeError, TypeError, RecursionError, OverflowError):
        return ""
    return max(counts, key=lambda tag: counts[tag])[:200] if counts else ""


def describe_embedding(
    shapes: Mapping[str, tuple[int, ...]], stem: str, sure: bool
) -> dict[str, Any] | None:
    """A textual inversion, by the tensor that holds its vectors; other tensors are left alone.

    diffusers writes ``{word: vectors}``, A1111 ``emb_params`` or ``string_to_param.*``, trainers of
    two towers ``clip_l`` and ``clip_g``, OneTrainer ``bundle_emb.WORD.…``.

    Args:
        stem: the file's name, which is the word where the file names none.
        sure: whether it lies where embeddings do.
    """
    vectors = vectors_of(shapes, stem, sure)
    if not vectors:
        return None
    words = tuple(dict.fromkeys(one.word for one in vectors))
    towers = {one.tower: () for one in vectors}
    if any(shapes[one.key][-1] == SECOND_TOWER for one in vectors):
        towers["clip_g"] = ()
    family = family_of_names(towers) or _one_tower_family(shapes[vectors[0].key][-1])
    return {"kind": "embedding", "family": family, "words": words, "trigger": " ".join(words)}


def _one_tower_family(width: int) -> str:
    """The family of one text encoder that is as wide as vectors are; "" for none."""
    family = family_of_width(width)
    return family if family and FAMILIES[family].one_tower else ""


@dataclass(frozen=True)
class Vectors:
    """Where a file keeps a learned word's vectors. ``tower``: clip_l, clip_g, or "" for the first."""

    key: str
    word: str
    tower: str


def vectors_of(
    shapes: Mapping[str, tuple[int, ...]], stem: str, sure: bool = True
) -> list[Vectors]:
    """The learned words in a file; none where it is not an embedding.

    Args:
        sure: whether a lone tensor of any name is one.
    """
    flat = {key: shape for key, shape in shapes.items() if 0 < len(shape) <= 2 and shape[-1] > 0}
    if found := [Vectors(k, w, t) for k in flat for w, t in [bundled(k)] if w]:
        return found
    if towers := [key for key in ("clip_l", "clip_g") if key in flat]:
        return [Vectors(key, stem, key) for key in towers]
    for key in ("emb_params", "string_to_param.*", "*"):
        if key in flat:
            return [Vectors(key, stem, "")]
    if found := [Vectors(k, stem, "") for k in flat if k.startswith("string_to_param.")][:1]:
        return found
    marked = [key for key in flat if key.startswith("<") and key.endswith(">")]
    lone = [key for key in flat if len(shapes) == 1]
    if not marked and lone and (sure or _one_tower_family(flat[lone[0]][-1])):
        marked = lone  # any small file may hold one tensor
    return [Vectors(key, key, "") for key in marked]
