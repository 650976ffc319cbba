"""A request of the web UI's interface as a preset."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from studio.errors import StudioError, shorten
from studio.library import Library
from studio.plan.row_models import check_base
from studio.plan.size import DEFAULT_SIZE
from studio.preset import MAX_SEED, Preset
from studio.preset.fields import with_fields
from studio.preset.schedulers import SCHEDULERS
from studio.preset.style_parts import left_out
from studio.preset.styles import find, with_style
from studio.share.tools.a1111 import to_found
from studio.share.tools.foreign import to_preset
from studio.ui.webui import units
from studio.ui.webui.chosen import CHECKPOINT, LAYER, VAE, options_of
from studio.ui.webui.start import PLAIN_STRENGTH, with_start
from studio.ui.webui.unread import unread
from studio.ui.webui.values import among, listed, mapping, real, switch, text, whole

TOOL = "AUTOMATIC1111"
PLAIN_STEPS, PLAIN_SCALE, PLAIN_SWITCH = 50, 7.0, 0.8  # its own, which a client leaves out
# What is said of pictures in files, and not of a request, which brings its pictures and its size.
_OF_FILES = ("sampler.width: ", "made with ")
_FINE = {"starter": "starter/fine"}  # what "Automatic" is, where it is not the base's own
_CHOOSE = "is not in the file; choose it"


def preset_of(
    asked: Mapping[str, Any], library: Library, options: Mapping[str, Any], from_picture: bool
) -> tuple[Preset, list[str]]:
    """The preset that ``txt2img`` or ``img2img`` asks for, and what of it has no place here.

    Args:
        asked: the request's body.
        options: the interface's own, such as the checkpoint; the request's come before them.
        from_picture: whether it is ``img2img``.

    Raises:
        StudioError: a value that cannot be, a checkpoint or a style that is not here, a picture that
            cannot be read; names the field of the request.
    """
    if text(asked, "script_name").lower() not in ("", "none"):
        raise StudioError("scripts are not run here", field="script_name")
    own = {CHECKPOINT: Preset().base, **options}
    own |= options_of(mapping(asked, "override_settings"), library)
    controls = units.controls(asked)
    again, notes = _detailers(asked, from_picture)
    settings = _settings(asked, own, library, from_picture)
    settings |= units.detailer_settings(again) | units.control_settings(controls)
    settings = {name: one for name, one in settings.items() if one not in (None, "")}
    found = to_found((text(asked, "prompt"), text(asked, "negative_prompt"), settings), TOOL)
    preset, said = to_preset(found, "", library)
    notes += [one for one in said if not one.startswith(_OF_FILES) and not one.endswith(_CHOOSE)]
    if settings.get("Eta") == 0 and not _draws(preset):
        notes = [one for one in notes if not one.startswith("sampler.eta: ")]
    if fine := _fine(own, preset.base, library):
        preset = with_fields(preset, [("vae", fine)])
    sides = _sides(asked, preset, library, notes)
    count = whole(asked, "batch_size", 1) * whole(asked, "n_iter", 1)
    preset = with_fields(preset, [("name", ""), ("sampler.count", count), *sides])
    for name in listed(asked, "styles"):
        style = find(text({"styles": name}, "styles"), field="styles")
        notes += filter(None, [left_out(preset, style)])
        preset = with_style(preset, style)
    start = (listed(asked, "init_images") or [None])[0] if from_picture else None
    preset = units.with_pictures(preset, controls, start)
    if any(row.control for row in preset.rows):
        notes += units.module_notes(controls)
    if from_picture:
        preset = with_start(preset, asked, library, notes)
    return preset, [*dict.fromkeys(notes), *unread(asked, from_picture)]


def _fine(own: Mapping[str, Any], base: str, library: Library) -> str:
    """The autoencoder that stands for "Automatic" of a base; "" where it is the base's own, or named."""
    named = str(own.get(VAE) or "").lower() not in ("", "automatic")
    fine = _FINE.get(base, "")
    return fine if fine in library and not named else ""


def _detailers(
    asked: Mapping[str, Any], from_picture: bool
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """ADetailer's units; none under a mask, whose surroundings they would paint."""
    again = units.detailers(asked, from_picture)
    if again and from_picture and asked.get("mask"):
        return [], ["ADetailer is left out: it would paint what the mask keeps"]
    return again, []


def _settings(
    asked: Mapping[str, Any], own: Mapping[str, Any], library: Library, from_picture: bool
) -> dict[str, Any]:
    """The settings as they stand in the text of such a picture."""
    settings: dict[str, Any] = {
        "Steps": whole(asked, "steps", PLAIN_STEPS),
        "Sampler": text(asked, "sampler_name") or text(asked, "sampler_index") or "Euler",
        "Schedule type": text(asked, "scheduler") or "Automatic",
        "CFG scale": among(asked, "cfg_scale", PLAIN_SCALE, 1000),
        "Seed": _seed(asked, "seed"),
        "Model": own.get(CHECKPOINT),
        "VAE": own.get(VAE),
        "Clip skip": own.get(LAYER),
        "Tiling": "True" if switch(asked, "tiling") else None,
        "Eta": None if asked.get("eta") is None else real(asked, "eta", 0.0),
    }
    strength = among(asked, "subseed_strength", 0.0, 1)
    if strength:
        settings |= {"Variation seed": _seed(asked, "subseed"), "Variation seed strength": strength}
    if text(asked, "refiner_checkpoint"):
        at = among(asked, "refiner_switch_at", PLAIN_SWITCH, 1)
        settings |= {"Refiner": text(asked, "refiner_checkpoint"), "Refiner switch at": at}
    if switch(asked, "enable_hr") and not from_picture:
        settings |= _second_pass(asked, own, library)
    return settings


def _seed(asked: Mapping[str, Any], name: str) -> int:
    """The first seed; a new one below 0, as there."""
    seed = whole(asked, name, -1)
    most = MAX_SEED + 1 - max(1, whole(asked, "batch_size", 1) * whole(asked, "n_iter", 1))
    if seed > most:
        raise StudioError(f"at most {most}, got {seed}", field=name)
    return secrets.randbelow(2**31) if seed < 0 else seed


def _second_pass(
    asked: Mapping[str, Any], own: Mapping[str, Any], library: Library
) -> dict[str, Any]:
    sides = [whole(asked, f"hr_resize_{side}", 0) for side in "xy"]
    base = str(own[CHECKPOINT])
    vae = _fine(own, base, library) or str(own.get(VAE) or "")
    vae = vae if vae in library else ""
    native = check_base(library.catalogue(), base, vae).size or DEFAULT_SIZE
    first = [whole(asked, side, 0) or native for side in ("width", "height")]
    return {
        "Size": f"{first[0]}x{first[1]}" if min(first) > 0 else None,
        "Denoising strength": among(asked, "denoising_strength", PLAIN_STRENGTH, 1),
        "Hires upscale": None if any(sides) else real(asked, "hr_scale", 2.0),
        "Hires resize": f"{sides[0]}x{sides[1]}" if any(sides) else None,
        "Hires upscaler": text(asked, "hr_upscaler") or "Latent",
        "Hires steps": whole(asked, "hr_second_pass_steps", 0) or None,
        "Hires sampler": text(asked, "hr_sampler_name"),
        "Hires schedule type": text(asked, "hr_scheduler"),
        "Hires checkpoint": text(asked, "hr_checkpoint_name"),
        "Hires prompt": text(asked, "hr_prompt"),
        "Hires negative prompt": text(asked, "hr_negative_prompt"),
        "Hires CFG Scale": asked.get("hr_cfg"),
    }


def _sides(
    asked: Mapping[str, Any], preset: Preset, library: Library, notes: list[str]
) -> list[tuple[str, Any]]:
    """Width and height where they are given, as large as the base can make them."""
    multiple = check_base(library.catalogue(), preset.base, preset.vae).multiple
    changes: list[tuple[str, Any]] = []
    for side in ("width", "height"):
        given = whole(asked, side, 0)
        made = (given // multiple * multiple or given) if given > 0 else given
        if made != given:
            notes.append(f"{side}: {shorten(given)} became {made}, a multiple of {multiple}")
        if given:
            changes.append((f"sampler.{side}", made))
    return changes


def _draws(preset: Preset) -> bool:
    """Whether the scheduler's fresh noise could be chosen."""
    kind = SCHEDULERS[preset.sampler.scheduler]
    return kind.random or kind.eta is not None
