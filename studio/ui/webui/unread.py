"""What of a request has no place here, by its fields' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.ui.webui.chosen import OPTIONS
from studio.ui.webui.units import KNOWN, says
from studio.ui.webui.values import listed, mapping, whole

MOST_NAMED = 40
_READ = {
    *("prompt", "negative_prompt", "styles", "seed", "subseed", "subseed_strength", "sampler_name"),
    *(
        "sampler_index",
        "scheduler",
        "batch_size",
        "n_iter",
        "steps",
        "cfg_scale",
        "width",
        "height",
    ),
    *(
        "tiling",
        "refiner_checkpoint",
        "refiner_switch_at",
        "eta",
        "denoising_strength",
        "override_settings",
        "alwayson_scripts",
        "script_name",
    ),
}
_SECOND = {
    *("enable_hr", "hr_scale", "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y"),
    *("hr_sampler_name", "hr_scheduler", "hr_checkpoint_name", "hr_prompt", "hr_negative_prompt"),
    "hr_cfg",
}
_START = {"init_images", "mask", "resize_mode"}
_MASK = {
    *("mask_blur", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding"),
    "inpainting_mask_invert",
}
_ON_MASK = {*_MASK, "mask_blur_x", "mask_blur_y", "mask_round"}
# What says nothing about the picture here: all of them are kept, and one at a time is made.
_SILENT = {
    *("send_images", "save_images", "do_not_save_samples", "do_not_save_grid", "comments"),
    *("override_settings_restore_afterwards", "include_init_images", "force_task_id"),
    "session_hash",
}
_DEFAULTS: dict[str, tuple[Any, ...]] = {  # besides nothing and 0
    "seed_resize_from_h": (-1,),
    "seed_resize_from_w": (-1,),
    "s_noise": (1,),
    "initial_noise_multiplier": (1,),
    "mask_round": (True,),
}


def unread(asked: Mapping[str, Any], from_picture: bool) -> list[str]:
    """A note for each field of the request that says something and has no place here."""
    again = not from_picture and bool(asked.get("enable_hr"))
    read = {*_READ, *(_SECOND if again else ()), *(_START if from_picture else ())}
    silent = set(_SILENT)
    if from_picture and asked.get("mask"):
        read |= _MASK
    elif from_picture:
        silent |= _ON_MASK
    if not again:
        silent |= {name for name in asked if name.startswith(("hr_", "firstp"))}
    said = [
        name
        for name, value in asked.items()
        if name not in read and name not in silent and _says(name, value, asked)
    ]
    given = mapping(asked, "override_settings")
    said += [
        f"override_settings.{name}"
        for name, value in given.items()
        if name not in OPTIONS and value is not None
    ]
    scripts = mapping(asked, "alwayson_scripts")
    said += [f"alwayson_scripts.{name}" for name in scripts if str(name).lower() not in KNOWN]
    notes = [f"{name[:80]} is not carried over" for name in said[:MOST_NAMED]]
    if len(said) > MOST_NAMED:
        notes.append(f"{len(said) - MOST_NAMED} further fields are not carried over")
    if from_picture:
        if whole(asked, "resize_mode", 0) not in (0, 1):
            notes.append("resize_mode: the picture's middle is taken")
        if len(listed(asked, "init_images")) > 1:
            notes.append("init_images: the first is taken")
    return notes


def _says(name: str, value: Any, asked: Mapping[str, Any]) -> bool:
    if name in ("mask_blur_x", "mask_blur_y"):
        return value is not None and value not in (
            4,
            asked.get("mask_blur"),
            asked.get("mask_blur_x"),
        )
    if name == "mask_round":
        return value is False
    plain = value == 0 and not isinstance(value, bool)
    return says(value) and not plain and value not in _DEFAULTS.get(name, ())
