"""Units of extensions in a request (ADetailer's, ControlNet's), as the settings of a picture's text, and
its soft inpainting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio import images
from studio.errors import StudioError, shorten
from studio.preset import ImagePrompt, Preset
from studio.preset.fields import with_fields
from studio.preset.preprocessors import preprocessor_of
from studio.share.tools.a1111_controls import UNIT
from studio.share.tools.detailer import words_of
from studio.ui.webui.values import listed, mapping, picture, switch, text

SOFT = "soft inpainting"
KNOWN = ("controlnet", "adetailer", SOFT)
MOST_UNITS = 10
# Fields of ADetailer's units that a picture's text calls otherwise than by their words.
_NAMES = {
    "ad_mask_filter_method": "method to decide top k masks",
    "ad_mask_k": "mask only top k",
    "ad_mask_k_largest": "mask only top k largest",
    "ad_inpaint_only_masked_padding": "inpaint padding",
}
# Of these there, which a client leaves out; the first two are read, whatever they are.
_READ = {"ad_dilate_erode": 4, "ad_mask_k_largest": 0}
_DEFAULTS = {
    **dict.fromkeys(("ad_x_offset", "ad_y_offset", "ad_mask_min_ratio", "ad_mask_k"), 0),
    "ad_mask_max_ratio": 1,
    "ad_mask_filter_method": "Area",
    "ad_mask_merge_invert": "None",
    "ad_inpaint_width": 512,
    "ad_inpaint_height": 512,
    "ad_confidence": 0.3,
    "ad_controlnet_weight": 1,
    "ad_controlnet_guidance_start": 0,
    "ad_controlnet_guidance_end": 1,
    "ad_scheduler": "Use same scheduler",
}
_OF_SOFT = (  # after its switch
    *("schedule bias", "preservation strength", "transition contrast boost", "mask influence"),
    *("difference threshold", "difference contrast"),
)
_ONLY_WITH = {  # a switch, and the fields that say nothing without it
    "ad_use_inpaint_width_height": ("ad_inpaint_width", "ad_inpaint_height"),
    "ad_use_steps": ("ad_steps",),
    "ad_use_cfg_scale": ("ad_cfg_scale",),
    "ad_use_checkpoint": ("ad_checkpoint",),
    "ad_use_vae": ("ad_vae",),
    "ad_use_sampler": ("ad_sampler", "ad_scheduler"),
    "ad_use_noise_multiplier": ("ad_noise_multiplier",),
    "ad_use_clip_skip": ("ad_clip_skip",),
}
_TEXTS = ("ad_model", "ad_prompt", "ad_negative_prompt")
_ORDINALS = ("", " 2nd", " 3rd", *(f" {n}th" for n in range(4, MOST_UNITS + 1)))
_MODES = {
    "control_mode": ("Balanced", "My prompt is more important", "ControlNet is more important"),
    "resize_mode": ("Just Resize", "Crop and Resize", "Resize and Fill"),
}
_SAME = {"Scale to Fit (Inner Fit)": "Crop and Resize"}
_PICTURES = ("image", "input_image")
_FURTHER = ("mask", "mask_image", "effective_region_mask", "ipadapter_input", "generated_image")
# What says nothing of the picture.
_SILENT = {
    *("enabled", "is_ui", "lowvram", "low_vram", "save_detected_map", "output_dir", "input_mode"),
    *("batch_images", "batch_image_dir", "batch_mask_dir", "animatediff_batch", "loopback"),
    *("use_preview_as_input", "batch_modifiers", "batch_image_files", "batch_keyframe_idx"),
}


def detailers(asked: Mapping[str, Any], from_picture: bool) -> list[Mapping[str, Any]]:
    """ADetailer's units that run.

    Raises:
        StudioError: it is given otherwise than there; names the field.
    """
    args = _args(asked, "adetailer")
    switches = [one for one in args if isinstance(one, bool)]
    if switches[:1] == [False] or (from_picture and switches[1:2] == [True]):
        return []  # it is off, or is left out with a picture to start from
    units = [one for one in args if not isinstance(one, bool)]
    return [
        one
        for one in units
        if switch(one, "ad_tab_enable", True)
        and str(one.get("ad_model") or "None").lower() != "none"
    ]


def controls(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """ControlNet's units that are switched on.

    Raises:
        StudioError: they are given otherwise than there; names the field.
    """
    return [one for one in _args(asked, "controlnet") if switch(one, "enabled", True)]


def detailer_settings(units: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """ADetailer's units under the names of a picture's text; what its reader leaves it notes."""
    found: dict[str, Any] = {}
    for ordinal, unit in zip(_ORDINALS, units, strict=False):
        given = {name: value for name, value in unit.items() if value is False or says(value)}
        for name in _TEXTS:
            text(unit, name)
        for needed, names in _ONLY_WITH.items():
            if not switch(unit, needed):
                given = {name: value for name, value in given.items() if name not in names}
        kept = {
            name: value
            for name, value in given.items()
            if name not in ("ad_tab_enable", "is_api")
            and not _plain(value, _DEFAULTS.get(name))
            and (value is not False or name == "ad_inpaint_only_masked")
        }
        read = not ordinal and words_of(text(unit, "ad_model"))
        for name, value in {**(_READ if read else {}), **kept}.items():
            if name == "ad_mask_k_largest" and "ad_mask_k" in kept:
                continue
            words = _NAMES.get(name, name.removeprefix("ad_").replace("_", " "))
            found[f"ADetailer {words}{ordinal}"] = str(value) if isinstance(value, bool) else value
    return found


def control_settings(units: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """ControlNet's units as those of a picture's text; what their reader leaves it notes."""
    return {
        f"ControlNet {index}": {**_control(unit), "picture": index}
        for index, unit in enumerate(units[:MOST_UNITS])
    }


def _control(unit: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in unit.items():
        if name in _SILENT or name in _PICTURES or not says(value):
            continue
        if name in _FURTHER:
            said[name] = "a picture"
        elif name in _MODES:
            numbered = isinstance(value, int) and 0 <= value < len(_MODES[name])
            said[name] = _MODES[name][value] if numbered else _SAME.get(str(value), value)
        elif name in ("processor_res", "threshold_a", "threshold_b"):
            said[name] = f"{value:g}" if isinstance(value, int | float) else value
        elif name != "inpaint_crop_input_image":
            said[name] = value
    if any(isinstance(unit.get(one), Mapping) and unit[one].get("mask") for one in _PICTURES):
        said["mask"] = "a picture"
    return {name.replace("_", " "): value for name, value in said.items()}


def module_notes(units: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which preprocessors are not here, so that a unit's picture is taken for what they would make."""
    named = [text(unit, "module") for unit in units if not _is_image_prompt(unit)]
    return [
        f"ControlNet module {name[:80]!r} is not here; the picture is taken as its map"
        for name in dict.fromkeys(named)
        if name.lower() not in ("", "none") and not preprocessor_of(name)
    ]


def with_pictures(preset: Preset, units: Sequence[Mapping[str, Any]], start: Any) -> Preset:
    """The pictures of controls and image prompts, which a text could not hold.

    Args:
        start: the picture that the request starts from, which a unit without one takes.

    Raises:
        StudioError: a unit without a picture, or several that a row would need.
    """
    changes: list[tuple[str, Any]] = []
    kept: dict[int, str] = {}  # what was taken in of a unit, once for all rows

    def stored(at: int) -> str:
        if at not in kept:
            given = next((units[at][one] for one in _PICTURES if units[at].get(one)), start)
            given = given.get("image") if isinstance(given, Mapping) else given
            if not given:
                raise StudioError(
                    f"ControlNet {at} has no picture, and there is none to start from",
                    field="controlnet.image",
                )
            kept[at] = images.store(picture(given, "controlnet.image"))
        return kept[at]

    for index, row in enumerate(preset.rows):
        for name, control in row.all_controls.items():
            if control.image.startswith(f"{UNIT} "):
                at = int(control.image.removeprefix(UNIT))
                changes.append((f"rows.{index}.{name}.image", stored(at)))
    chosen = [at for at, one in enumerate(units) if _is_image_prompt(one)]
    rows = [index for index, row in enumerate(preset.rows) if _lacks(row.image_prompt)]
    if rows and len(chosen) > 1:
        raise StudioError(
            "one unit of an IP-Adapter is read; a row has one image prompt", field="controlnet"
        )
    changes += [(f"rows.{index}.image_prompt.image", stored(chosen[0])) for index in rows]
    return with_fields(preset, changes) if changes else preset


def _lacks(shown: ImagePrompt | None) -> bool:
    """Whether an image prompt has no picture yet and needs one."""
    return shown is not None and not shown.image and not shown.blank


def _is_image_prompt(unit: Mapping[str, Any]) -> bool:
    said = [str(unit.get(name) or "").lower().replace("_", "-") for name in ("model", "module")]
    return any(one.startswith("ip-adapter") for one in said)


def soft_inpainting(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The numbers of its soft inpainting, by their names, and what else is given; ``None`` where it is
    off.

    Raises:
        StudioError: it is given otherwise than there; names the field.
    """
    args, _ = _script(asked, SOFT)
    first, *rest = args or [False]
    first = False if first is None else first
    if isinstance(first, Mapping):
        named = {str(name).lower(): value for name, value in first.items()}
        switches = [switch(named, name, True) for name in (SOFT, "enabled")]
        said = {name: one for name, one in named.items() if name not in (SOFT, "enabled")}
        return said if all(switches) else None
    if not switch({SOFT: first}, SOFT):
        return None
    return {n: one for n, one in zip(_OF_SOFT, rest, strict=False) if one is not None}


def _args(asked: Mapping[str, Any], extension: str) -> list[Any]:
    found, field = _script(asked, extension)
    args = [one for one in found if one is not None]
    switches = (bool,) if extension == "adetailer" else ()
    wrong = [one for one in args if not isinstance(one, (Mapping, *switches))]
    if wrong:
        raise StudioError(f"expected an object, got {shorten(wrong[0])}", field=field)
    return args


def _script(asked: Mapping[str, Any], extension: str) -> tuple[list[Any], str]:
    """The arguments of an extension's script, and their field."""
    for name, script in mapping(asked, "alwayson_scripts").items():
        if str(name).lower() != extension or script is None:
            continue
        field = f"alwayson_scripts.{name}.args"
        if not isinstance(script, Mapping):
            raise StudioError(f"expected an object, got {shorten(script)}", field=field[:-5])
        return list(listed(script, "args", field)), field
    return [], ""


def says(value: Any) -> bool:
    """Whether a value is more than an empty or a switched off one; a number always is."""
    return value is not None and value is not False and value not in ("", [], {})


def _plain(value: Any, default: Any) -> bool:
    return default is not None and not isinstance(value, bool) and value == default
