"""Control maps for a client to show before it asks for a picture, as the ControlNet extension makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from studio import images
from studio.errors import StudioError, shorten
from studio.library import Library
from studio.preprocessors.control_map import prepare
from studio.preset import Control
from studio.preset.bounds import bounds
from studio.preset.preprocessors import CANNY_THRESHOLDS, FINISHED, PREPROCESSORS, preprocessor_of
from studio.ui.webui.answers import encoded
from studio.ui.webui.lists import control_models, control_modules
from studio.ui.webui.values import listed, picture, text, whole

MOST_PICTURES = 16
PLAIN_EDGE, LARGEST_EDGE = 512, 2048
_STEP = 64  # of a map's sides, as there
_UNSAID = (-1, 0, 64)  # thresholds of a client that says none


def detected(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The map of each picture, its shorter side ``controlnet_processor_res`` pixels long.

    Raises:
        StudioError: no picture, a preprocessor that is not here, or a value that cannot be.
    """
    module = text(asked, "controlnet_module") or "none"
    kind = FINISHED if module.lower() == "none" else preprocessor_of(module)
    if not kind:
        raise StudioError(
            f"{shorten(module)} is not here; /controlnet/module_list lists what is",
            field="controlnet_module",
        )
    field = "controlnet_input_images"
    given = listed(asked, field)
    if not 1 <= len(given) <= MOST_PICTURES:
        raise StudioError(f"1 to {MOST_PICTURES} pictures, got {len(given)}", field=field)
    has = PREPROCESSORS[kind].thresholds
    low, high = (_threshold(asked, at) for at in (0, 1)) if has else CANNY_THRESHOLDS
    control = Control(type=kind, low=low, high=high, image="-")
    edge = whole(asked, "controlnet_processor_res", PLAIN_EDGE)
    opened = [images.to_rgb(images.open_checked(picture(one, field), field)) for one in given]
    maps = [prepare(control, one, _size(one, edge)) for one in opened]
    return {"images": [encoded(one) for one in maps], "info": "Success"}


def _threshold(asked: Mapping[str, Any], at: int) -> int:
    name = f"controlnet_threshold_{'ab'[at]}"
    given = whole(asked, name, -1)
    if given in _UNSAID:
        return CANNY_THRESHOLDS[at]
    least, most = bounds(Control, "low")
    if not least <= given <= most:
        raise StudioError(f"{least:g} to {most:g}, got {given}", field=name)
    return given


def _size(image: Image.Image, edge: int) -> tuple[int, int]:
    """Width and height of a map; its picture's own where no edge is asked for."""
    if edge > LARGEST_EDGE:
        raise StudioError(f"at most {LARGEST_EDGE}, got {edge}", field="controlnet_processor_res")
    if edge <= 0:
        return image.size
    times = edge / min(image.size)
    width, height = (max(_STEP, round(side * times / _STEP) * _STEP) for side in image.size)
    if max(width, height) > images.MAX_EDGE:
        raise StudioError(
            f"a map of {width}x{height} pixels; at most {images.MAX_EDGE} a side",
            field="controlnet_processor_res",
        )
    return width, height


def control_types(library: Library) -> dict[str, Any]:
    """The preprocessors and ControlNets that go together, by the preprocessor's title."""
    modules, models = control_modules()["module_list"], control_models(library)["model_list"]
    own = {one.id: one.control for one in library.entries()}
    found = {"All": _type(modules, models, "none")}
    for name, kind in PREPROCESSORS.items():
        if name != FINISHED:
            fits = [one for one in models if own.get(one) in ("", name)]
            found[kind.title] = _type(["none", name], fits, name)
    return {"control_types": found}


def _type(modules: list[str], models: list[str], module: str) -> dict[str, Any]:
    return {
        "module_list": modules,
        "model_list": ["None", *models],
        "default_option": module,
        "default_model": models[0] if models and module != "none" else "None",
    }
