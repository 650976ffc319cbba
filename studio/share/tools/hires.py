"""The web UIs' hires fix as a second pass."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from studio.errors import cut
from studio.preset import Sampler, SecondPass
from studio.preset.bounds import bounds
from studio.share.tools.fields import Fields
from studio.share.tools.prompts import number, without_models
from studio.share.tools.samplers import is_sampler, read_sampler
from studio.share.tools.table import Found
from studio.share.upscaler_names import file_of

_LATENT = "latent"
_UPSCALERS = (_LATENT, "lanczos", "none")  # whose enlarging is the studio's, or near it
_AS_IN_THE_FIRST = {  # setting of the second pass → the first's, which it may repeat
    "Hires CFG Scale": "CFG scale",
    "Hires sampler": "Sampler",
    "Hires schedule type": "Schedule type",
    "Hires checkpoint": "Model",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Hires Module 1": "",
}
_PROMPTS = {  # the second pass's, by the setting, and the first's whose place it takes
    "Hires prompt": ("prompt", "prompt"),
    "Hires negative prompt": ("negative_prompt", "negative"),
}
_SAME = "use same "  # how the settings of a second pass begin that are the first's


def second_pass(fields: Fields, found: Found, first: Mapping[str, Any]) -> None:
    """Take the second pass out of the settings; what of it the studio has no place for is noted.

    There its steps are those that run, here the strength's part of them does.

    Args:
        first: all settings.
    """
    given = fields.starting("Hires")
    strength = fields.take("Denoising strength")
    if not given:
        _note_start(strength, found)
        return
    made = _read(given, strength, found)
    if made is None:
        stated = given if strength is None else {**given, "Denoising strength": strength}
        listed = cut(", ".join(f"{key} {value}" for key, value in stated.items()), 460)
        found.notes.append(f"a second pass is not carried over ({listed})")
        return
    found.second_pass = made
    upscaler = str(given.get("Hires upscaler", _LATENT))
    latent = upscaler.lower().startswith(_LATENT)
    if made["enlarge"] == "pixels" and not latent and upscaler.lower() not in _UPSCALERS:
        found.upscaler = file_of(upscaler)
    elif made["enlarge"] == "latents" and upscaler.lower() not in _UPSCALERS:
        found.notes.append(f"Hires upscaler {upscaler[:80]!r}: enlarged in its latents here")
    own = {"Hires prompt": found.prompt, "Hires negative prompt": found.negative}
    for name, value in given.items():
        if name in ("Hires upscale", "Hires resize", "Hires upscaler", "Hires steps"):
            continue
        same = own.get(name, first.get(_AS_IN_THE_FIRST.get(name, "")))
        if not _repeats(value, same) and not _said(name, value, found):
            fields.put(name, value)


def _said(name: str, value: Any, found: Found) -> bool:
    """Whether the second pass says so here too: a prompt or a scale of its own, where a step of it runs."""
    made = found.second_pass
    if not made["strength"]:
        return False
    if name == "Hires sampler":
        return second_scheduler(made, str(value), found)
    if name == "Hires checkpoint":
        found.second_model = str(value)
        return True
    if name == "Hires CFG Scale":
        return second_scale(made, number(value))
    field, first = _PROMPTS.get(name, ("", ""))
    if not field or not getattr(found, first):
        return False
    made[field] = without_models(str(value), found.grammar, f"second_pass.{field}", found.notes)
    return True


def second_scale(made: dict[str, Any], scale: float | None) -> bool:
    """Give the second pass a CFG scale of its own; whether it takes such a one."""
    low, high = bounds(SecondPass, "cfg")
    if scale is None or not low <= scale <= high:
        return False
    made["cfg"] = float(scale)
    return True


def second_scheduler(made: dict[str, Any], name: str, found: Found) -> bool:
    """Give the second pass a scheduler of its own, as another tool calls it; whether there is such a one."""
    if not is_sampler(name):
        return False
    notes: list[str] = []
    fields = read_sampler(name, "", notes)
    found.notes += [f"second_pass.{note.removeprefix('sampler.')}" for note in notes]
    if "schedule" in fields:
        found.notes.append(
            f"second_pass.scheduler: of {name[:80]!r} the noise schedule is the first pass's here"
        )
    made["scheduler"] = fields["scheduler"]
    return True


def _read(given: Mapping[str, Any], strength: Any, found: Found) -> dict[str, Any] | None:
    """The preset's fields; ``None`` where one of them cannot be."""
    scale, part = _scale(given, found.size), number(strength)
    if scale is None or part is None or not 0 <= part <= 1:
        return None
    asked, first = number(given.get("Hires steps", 0)), number(found.steps)
    run = asked or first or Sampler().steps
    if asked is None or run < 1 or run != int(run):
        return None
    if part and int(bounds(Sampler, "steps")[1] * part) < 1:  # no number of steps leaves one to run
        return None
    steps = (
        steps_that_run(int(run), first, float(part), found) if part else None
    )  # it only enlarges
    latents = str(given.get("Hires upscaler", _LATENT)).lower().startswith(_LATENT)
    if latents and not part:
        found.notes.append("Hires upscaler Latent: at strength 0 its pixels are enlarged here")
    enlarge = "latents" if latents and part else "pixels"
    return {"scale": scale, "strength": float(part), "enlarge": enlarge, "steps": steps}


def _repeats(value: Any, first: Any) -> bool:
    """Whether a setting of the second pass says what the first's does."""
    text = str(value).strip()
    if text.lower().startswith(_SAME) or (first is not None and text == str(first).strip()):
        return True
    numbers = number(value), number(first)
    return None not in numbers and numbers[0] == numbers[1]


def _note_start(strength: Any, found: Found) -> None:
    """A picture that it started from, which is not in the file."""
    value = number(strength)
    if strength is not None and (value is None or value < 1):
        given = cut(str(strength), 440)
        found.notes.append(f"image to image is not carried over (Denoising strength {given})")


def _scale(given: Mapping[str, Any], size: tuple[int, int] | None) -> float | None:
    """How many times as large; ``None`` where it is not, or where its aspect is another."""
    scale = number(given.get("Hires upscale"))
    wide, _, high = str(given.get("Hires resize", "")).lower().partition("x")
    if scale is None and size and all(size):
        sides = zip((number(wide), number(high)), size, strict=True)
        ratios = [to / of for to, of in sides if to]  # a side of 0 follows from the other
        alike = ratios and abs(ratios[0] / ratios[-1] - 1) < 0.02
        scale = ratios[0] if alike else None
    most = bounds(SecondPass, "scale")[1]
    return float(scale) if scale is not None and 1 < scale <= most else None


def steps_that_run(run: int, first: float | None, strength: float, found: Found) -> int | None:
    """The steps of which ``run`` are left at this strength; ``None`` for the first's own."""
    if first and int(first * strength) == run:
        return None
    steps, most = ceil(run / strength - 1e-9), int(bounds(Sampler, "steps")[1])
    while int(steps * strength) < run:  # what was rounded down
        steps += 1
    if steps > most:
        found.notes.append(f"second_pass.steps: {steps} became {most}")
    return min(steps, most)
