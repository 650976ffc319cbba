"""SwarmUI's *Refine / Upscale* as a second pass, or as another model that finishes the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.preset import Sampler, SecondPass
from studio.preset.bounds import bounds
from studio.share.tools.fields import Fields
from studio.share.tools.hires import second_scale, second_scheduler, steps_that_run
from studio.share.tools.prompts import number
from studio.share.tools.refiner import Refining
from studio.share.tools.table import Found

_METHOD, _SCALE = "refinerupscalemethod", "refinercfgscale"
_SCHEDULER = "refinersampler"
_NEAR = "pixel-lanczos"  # the studio's own; other pixels' ways are near it
_READ = (
    "refinermethod",
    "refinermodel",
    "refinercontrolpercentage",
    "refinerupscale",
    "refinersteps",
    "refinerdotiling",
    _METHOD,
)
_FINISHES = ("refinermodel", "refinercontrolpercentage", "refinermethod", "refinerupscale")
_OWN_BASE = ("", "none", "(use base)", "use base")


def refining(fields: Fields, found: Found) -> None:
    """Take the second pass out of the settings. One that cannot be one here, in the midst of the steps,
    stays to be noted, and so does what of one has no place.

    Its steps are counted as the studio's are: the last part of them runs.
    """
    given = fields.starting("refiner")
    found.refining = _finishing(given, found)
    if found.refining:
        given = {name: value for name, value in given.items() if name not in _FINISHES}
    made, model = _read(given, found), str(given.get("refinermodel") or "")
    if made:
        found.second_pass = made
        found.second_model = "" if _is_own(model, found) or not made["strength"] else model
        kind, _, name = str(given.get(_METHOD, _NEAR)).partition("-")
        if kind == "model":
            found.upscaler = name.removesuffix(".pth").removesuffix(".safetensors")
    for name, value in given.items():
        if not (made and (name in _READ or _said(made, name, value, found))):
            fields.put(name, value)


def _said(made: dict[str, Any], name: str, value: Any, found: Found) -> bool:
    """Whether the second pass has a place for it: a scale or a scheduler of its own."""
    if name == _SCHEDULER:
        return bool(made["strength"]) and second_scheduler(made, str(value), found)
    return name == _SCALE and _scaled(made, value, found)


def _scaled(made: dict[str, Any], value: Any, found: Found) -> bool:
    """Whether a scale is the first's, or the second pass takes it for its own."""
    scale = number(value)
    if scale is None or scale == found.scale:
        return scale is not None
    return bool(made["strength"]) and second_scale(made, scale)


def _finishing(given: Mapping[str, Any], found: Found) -> Refining | None:
    """The other model that takes over in the midst of the steps, at the size of the first."""
    model, part = (
        str(given.get("refinermodel") or ""),
        number(given.get("refinercontrolpercentage")),
    )
    swaps = given.get("refinermethod") in ("StepSwap", "StepSwapNoisy")
    if not swaps or _is_own(model, found) or number(given.get("refinerupscale", 1)) != 1:
        return None
    return None if part is None else Refining(model, 1 - part, by_steps=True)


def _is_own(model: str, found: Found) -> bool:
    return model.lower() in _OWN_BASE or model == found.model


def _read(given: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """The preset's fields; none where it is no second pass here."""
    scale, part = number(given.get("refinerupscale")), number(given.get("refinercontrolpercentage"))
    method = str(given.get("refinermethod", "PostApply"))
    if method != "PostApply" or scale is None or part is None:
        return {}
    if not 1 < scale <= bounds(SecondPass, "scale")[1] or not 0 <= part <= 1:
        return {}
    kind, _, name = str(given.get(_METHOD, _NEAR)).partition("-")
    if kind not in ("pixel", "model", "latent") or not name:
        return {}
    first = number(found.steps)
    steps = number(given.get("refinersteps")) or first or Sampler().steps
    run = steps - round(steps * (1 - part))
    if steps < 1 or steps != int(steps) or (part and run < 1):
        return {}
    return {
        "scale": float(scale),
        "strength": float(part),
        "enlarge": "latents" if kind == "latent" else "pixels",
        "steps": steps_that_run(int(run), first, float(part), found) if part else None,
        "tiles": given.get("refinerdotiling") is True,
    }
