"""Which networks can score pictures of a family with what is on this machine."""

from __future__ import annotations

from studio.errors import MissingModel
from studio.metrics.networks import STARTER_CLIP, STARTERS

# CLIPs that know photographs, the smallest last: what a person is advised to fetch.
KNOWN = (
    "openai/clip-vit-large-patch14",
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    "openai/clip-vit-base-patch16",
    "openai/clip-vit-base-patch32",
)


def clip_for(base: str, made_from: str = "") -> str:
    """The CLIP to score a base's pictures with: the starter's own for the starter's pictures.

    Args:
        base: its id.
        made_from: the base that it was trained from, where that is known.

    Raises:
        MissingModel: none that knows photographs is on this machine; names one to fetch.
    """
    if any(name.partition("/")[0] in STARTERS for name in (base, made_from)):
        return STARTER_CLIP
    for name in KNOWN:
        if _is_here(name):
            return name
    raise MissingModel(
        f"scores of this base's pictures need a CLIP that knows photographs: python -m studio download {KNOWN[-1]}",
        field="clip",
    )


def _is_here(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    from studio.library import Library

    entry = Library().get(name)
    if entry is not None and entry.path:
        return True
    found = [try_to_load_from_cache(name, file) for file in ("config.json", "model.safetensors")]
    return all(isinstance(path, str) for path in found)
