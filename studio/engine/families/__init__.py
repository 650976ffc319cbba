"""One small file per family: what loads its parts, encodes its text, decodes its latents."""

from __future__ import annotations

from studio.engine.families.base import Family, Text
from studio.engine.families.sana import Sana
from studio.engine.families.sdxl import StableDiffusionXL
from studio.engine.families.stable_diffusion import StableDiffusion
from studio.errors import IncompatibleModels

_FAMILIES: dict[str, type[Family]] = {
    "sd1": StableDiffusion,
    "sd2": StableDiffusion,
    "sdxl": StableDiffusionXL,
    "sana": Sana,
}


def family_named(name: str) -> Family:
    """The family of a library entry (such as ``sd1``; "" for a hub id not yet described).

    Raises:
        IncompatibleModels: a family that this studio does not run.
    """
    kind = _FAMILIES.get(name or "sd1")
    if kind is None:
        raise IncompatibleModels(
            f"is of family {name!r}; this studio runs {', '.join(_FAMILIES)}", field="base"
        )
    return kind()


__all__ = ["Family", "Sana", "StableDiffusion", "StableDiffusionXL", "Text", "family_named"]
