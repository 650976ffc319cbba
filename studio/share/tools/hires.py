"""The web UIs' hires fix as a second pass."""

from __future__ import annotations

from math import ceil
from typing import Any

from studio.errors import cut
from studio.preset import Sampler, SecondPass
from studio.preset.bounds import bounds
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number
from studio.share.tools.table import Found

LATENT = "latent"


def second_pass(fields: Fields, found: Found) -> None:
    """Take the second pass out of the settings; what of it the studio has no place for is noted.

    There its steps are those that run, here the strength's part of them does.
    """
    given = fields.starting("Hires")
    strength = fields.take("Denoising strength")
    if not given:
        _note_start(strength, found)
        return
    scale = _scale(given, found.size)
    again = number(strength)
    if scale is None or again is None or not 0 < again <= 1:
        stated = given if strength is None else {**given, "Denoising strength": strength}
        listed = cut(", ".join(f"{key} {value}" for key, value in stated.items()), 460)
        found.notes.append(f"a second pass is not carried over ({listed})")
        return
    upscaler = str(given.pop("Hires upscaler", ""))
    latents = upscaler.lower().startswith(LATENT)
    found.second_pass = {
        "scale": scale,
        "strength": float(again),
        "enlarge": "latents" if latents else "pixels",
        "steps": _steps(number(given.pop("Hires steps", None)), number(found.steps), again, found),
    }
    if upscaler.lower() not in (LATENT, "lanczos", "none", ""):
        inside = "latents" if latents else "pixels"
        found.notes.append(f"Hires upscaler {upscaler[:80]!r}: enlarged in its {inside} here")
    for name, value in given.items():
        if name not in ("Hires upscale", "Hires resize"):
            fields.put(name, value)


def _note_start(strength: Any, found: Found) -> None:
    """A picture that it started from, which is not in the file."""
    value = number(strength)
    if strength is not None and (value is None or value < 1):
        given = cut(str(strength), 440)
        found.notes.append(f"image to image is not carried over (Denoising strength {given})")


def _scale(given: dict[str, Any], size: tuple[int, int] | None) -> float | None:
    """How many times as large; ``None`` where it is not, or where its aspect is another."""
    scale = number(given.get("Hires upscale"))
    wide, _, high = str(given.get("Hires resize", "")).lower().partition("x")
    sides = number(wide), number(high)
    if scale is None and size and all(sides):
        ratios = [float(to) / of for to, of in zip(sides, size, strict=True) if to and of]
        scale = ratios[0] if len(ratios) == 2 and abs(ratios[0] / ratios[1] - 1) < 0.02 else None
    most = bounds(SecondPass, "scale")[1]
    return float(scale) if scale is not None and 1 < scale <= most else None


def _steps(run: float | None, first: float | None, strength: float, found: Found) -> int | None:
    """The steps of which ``run`` are left at this strength; ``None`` for the first's own."""
    run = run or first
    if not run or (first and int(first * strength) == run):
        return None
    steps, most = ceil(run / strength - 1e-9), int(bounds(Sampler, "steps")[1])
    if steps > most:
        found.notes.append(f"second_pass.steps: {steps} became {most}")
    return min(steps, most)
