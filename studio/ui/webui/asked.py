"""A request of the web UI's interface as a preset."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from studio import images
from studio.errors import StudioError
from studio.library import Library
from studio.preset import Preset
from studio.preset.fields import with_fields
from studio.preset.styles import find, with_style
from studio.share.tools.a1111 import to_found
from studio.share.tools.foreign import to_preset
from studio.ui.webui.start import with_start
from studio.ui.webui.values import mapping, picture, text, whole

TOOL = "AUTOMATIC1111"
# Its own defaults, which a client leaves out.
_PLAIN = {"sampler_name": "Euler", "scheduler": "Automatic", "cfg_scale": 7.0, "steps": 50}
# What says nothing about the picture here.
_IGNORED = frozenset(
    [
        "send_images",
        "save_images",
        "do_not_save_samples",
        "do_not_save_grid",
        "alwayson_scripts",
        "script_args",
        "script_name",
        "override_settings",
        "override_settings_restore_afterwards",
        "batch_size",
        "n_iter",
        "sampler_index",
        "include_init_images",
        "force_task_id",
        "infotext",
        "comments",
        "disable_extra_networks",
        "firstphase_width",
        "firstphase_height",
        "firstpass_image",
        "seed_resize_from_h",
        "seed_resize_from_w",
        "session_hash",
    ]
)
_DETAILER = {  # fields of its extension's units, and what they are called in a picture's text
    "ad_model": "model",
    "ad_prompt": "prompt",
    "ad_negative_prompt": "negative prompt",
    "ad_confidence": "confidence",
    "ad_dilate_erode": "dilate erode",
    "ad_mask_k_largest": "mask only top k largest",
    "ad_denoising_strength": "denoising strength",
    "ad_inpaint_only_masked_padding": "inpaint padding",
}
_CONTROL = {
    "module": "Module",
    "model": "Model",
    "weight": "Weight",
    "guidance_start": "Guidance Start",
    "guidance_end": "Guidance End",
}
_OPTIONS = {"sd_vae": "VAE", "CLIP_stop_at_last_layers": "Clip skip"}
CHECKPOINT = "sd_model_checkpoint"


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
    if asked.get("script_name"):
        raise StudioError("scripts are not run here", field="script_name")
    own = {**options, **mapping(asked, "override_settings")}
    units = _units(asked, "controlnet")
    settings = _settings(asked, own, from_picture, units)
    found = to_found((text(asked, "prompt"), text(asked, "negative_prompt"), settings), TOOL)
    preset, notes = to_preset(found, "", library)
    _check_checkpoint(str(own.get(CHECKPOINT) or ""), preset, notes)
    count = whole(asked, "batch_size", 1) * whole(asked, "n_iter", 1)
    changes: list[tuple[str, Any]] = [("name", ""), ("sampler.count", count)]
    sides = [side for side in ("width", "height") if asked.get(side)]
    changes += [(f"sampler.{side}", whole(asked, side, 0)) for side in sides]
    preset = with_fields(preset, changes)
    for name in asked.get("styles") or ():
        preset = with_style(preset, find(str(name), field="styles"))
    preset = _with_control(preset, units)
    if from_picture:
        preset = with_start(preset, asked, library)
    # The first says that a picture is another tool's; the size is the request's.
    said = [note for note in notes[1:] if not note.startswith("sampler.width: ")]
    return preset, [*said, *_unread(asked)]


def _settings(
    asked: Mapping[str, Any], own: Mapping[str, Any], from_picture: bool, units: list[Any]
) -> dict[str, Any]:
    """The settings as they stand in the text of such a picture."""
    given = {name: asked[name] for name in asked if asked[name] is not None}
    value = {**_PLAIN, **given}
    seed = whole(given, "seed", -1)
    settings: dict[str, Any] = {
        "Steps": value["steps"],
        "Sampler": given.get("sampler_name") or given.get("sampler_index") or "Euler",
        "Schedule type": value["scheduler"],
        "CFG scale": value["cfg_scale"],
        "Seed": secrets.randbelow(2**31) if seed < 0 else seed,
        "Model": own.get(CHECKPOINT),
        **{name: own.get(option) for option, name in _OPTIONS.items()},
        "Tiling": "True" if given.get("tiling") else None,
        "Eta": given.get("eta") or None,
        **_variation(given),
    }
    if given.get("enable_hr") and not from_picture:
        settings |= _second_pass(given)
    for unit in _units(asked, "adetailer")[:1]:
        settings |= {
            f"ADetailer {_DETAILER[k]}": v for k, v in unit.items() if k in _DETAILER and v
        }
    for index, unit in enumerate(units):
        shown = {name: unit.get(key) for key, name in _CONTROL.items()}
        settings[f"ControlNet {index}"] = {k: v for k, v in shown.items() if v is not None}
    return {name: one for name, one in settings.items() if one not in (None, "")}


def _variation(given: Mapping[str, Any]) -> dict[str, Any]:
    strength = given.get("subseed_strength") or 0
    if not strength:
        return {}
    seed = whole(given, "subseed", -1)
    return {
        "Variation seed": secrets.randbelow(2**31) if seed < 0 else seed,
        "Variation seed strength": strength,
    }


def _second_pass(given: Mapping[str, Any]) -> dict[str, Any]:
    sides = [whole(given, f"hr_resize_{side}", 0) for side in "xy"]
    return {
        "Denoising strength": given.get("denoising_strength", 0.75),
        "Hires upscale": None if any(sides) else given.get("hr_scale", 2.0),
        "Hires resize": f"{sides[0]}x{sides[1]}" if any(sides) else None,
        "Hires upscaler": given.get("hr_upscaler", "Latent"),
        "Hires steps": given.get("hr_second_pass_steps") or None,
        "Hires sampler": given.get("hr_sampler_name"),
        "Hires schedule type": given.get("hr_scheduler"),
        "Hires checkpoint": given.get("hr_checkpoint_name"),
        "Hires prompt": given.get("hr_prompt"),
        "Hires negative prompt": given.get("hr_negative_prompt"),
    }


def _check_checkpoint(asked: str, preset: Preset, notes: list[str]) -> None:
    """A checkpoint that is not here is refused: another one would draw something else."""
    missing = next((note for note in notes if note.startswith("base: ")), None)
    if asked and missing:
        raise StudioError(
            f"{asked[:100]!r} is not in the library; /sdapi/v1/sd-models lists what is",
            field=CHECKPOINT,
        )


def _with_control(preset: Preset, units: list[dict[str, Any]]) -> Preset:
    """The controls' pictures, which a text could not hold."""
    given = [unit.get("image") or unit.get("input_image") for unit in units]
    rows = [index for index, row in enumerate(preset.rows) if row.control]
    if not rows:
        return preset
    if len(units) > 1:
        raise StudioError("one unit is read; a row has one control", field="controlnet")
    image = given[0].get("image") if isinstance(given[0], dict) else given[0]
    reference = images.store(picture(image, "controlnet.image"))
    return with_fields(preset, [(f"rows.{index}.control.image", reference) for index in rows])


def _units(asked: Mapping[str, Any], extension: str) -> list[dict[str, Any]]:
    """The units of an extension that are switched on."""
    for name, script in mapping(asked, "alwayson_scripts").items():
        if str(name).lower() != extension or not isinstance(script, Mapping):
            continue
        units = [one for one in script.get("args") or () if isinstance(one, dict)]
        return [
            unit
            for unit in units
            if unit.get("enabled", True) and str(unit.get("ad_model", "-")).lower() != "none"
        ]
    return []


def _unread(asked: Mapping[str, Any]) -> list[str]:
    """A note for each field of the request that says something and has no place here."""
    taken = {
        *_PLAIN,
        *_IGNORED,
        *(name for name in asked if name.startswith("hr_")),
        *[
            "prompt",
            "negative_prompt",
            "styles",
            "seed",
            "width",
            "height",
            "tiling",
            "eta",
            "subseed",
            "subseed_strength",
            "enable_hr",
            "denoising_strength",
            "init_images",
            "mask",
            "mask_blur",
            "mask_blur_x",
            "mask_blur_y",
            "mask_round",
            "inpainting_fill",
            "inpaint_full_res",
            "inpaint_full_res_padding",
            "inpainting_mask_invert",
            "resize_mode",
            "initial_noise_multiplier",
            "latent_mask",
        ],
    }
    said = [name for name, value in asked.items() if name not in taken and value]
    known = ("controlnet", "adetailer")
    scripts = mapping(asked, "alwayson_scripts")
    said += [f"alwayson_scripts.{name}" for name in scripts if str(name).lower() not in known]
    notes = [f"{name[:80]} is not carried over" for name in said[:40]]
    if asked.get("resize_mode") not in (None, 0, 1):
        notes.append("resize_mode: the picture's middle is taken")
    return notes
