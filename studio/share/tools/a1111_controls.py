"""The web UI's ControlNet extension: how it wrote its units over the years.

``ControlNet 0: "Module: canny, Model: name [hash], Weight: 1, Guidance Start: 0, …"`` today;
``"preprocessor: canny, model: …, starting/ending: (0, 1), preprocessor params: (512, 100, 200)"``
before; ``ControlNet-0 Module: canny, ControlNet-0 Model: …`` and ``ControlNet Module: …`` at first.
"""

from __future__ import annotations

import re
from typing import Any

from studio.preset import Control
from studio.preset.bounds import bounds
from studio.preset.preprocessors import CANNY_THRESHOLDS
from studio.share.tools.infotext import pairs
from studio.share.tools.prompts import number
from studio.share.tools.table import ControlUse, Fields

_UNIT = re.compile(r"(controlnet[ -]?\d{0,3})(?: (.+))?", re.IGNORECASE)
_PARTS = re.compile(r"\(?\s*([\d.]{1,12})\s*,\s*([\d.]{1,12})\s*\)?")
UNIT = "unit"  # before a number, in the place of the picture that comes with a request
_PLAIN = {
    "control mode": ("Balanced", "ControlMode.BALANCED"),
    # A control image is brought to the picture's size, whatever its aspect, before its map is made.
    "resize mode": ("Crop and Resize", "ResizeMode.INNER_FIT", "Just Resize", "ResizeMode.RESIZE"),
    "pixel perfect": ("True", True),
    "processor res": ("512", "-1"),
    "hr option": ("Both", "HiResFixOption.BOTH"),
    "threshold a": ("-1", "64", "0", "None"),  # what a module without thresholds writes
    "threshold b": ("-1", "64", "0", "None"),
}
_UNSET = ("-1", "None")  # of edges, whose thresholds may be 0 and 64


def controls(fields: Fields) -> list[ControlUse]:
    """The units, taken; what is not known of one is left under its name."""
    units: dict[str, dict[str, Any]] = {}
    for start in ("ControlNet", "Controlnet"):
        for name, value in fields.starting(start).items():
            match = _UNIT.fullmatch(name)
            if match is None:
                fields.put(name, value)
            elif match[2]:
                units.setdefault(match[1], {})[match[2].lower()] = value
            else:
                given = value if isinstance(value, dict) else pairs(str(value))
                units.setdefault(name, {}).update({k.lower(): v for k, v in given.items()})
    found = []
    for name, values in units.items():
        unit = Fields({key.replace("_", " "): value for key, value in values.items()})
        if str(unit.take("enabled") or "True").lower() == "false":
            continue
        found.append(_unit(name, unit))
        fields.within(name, unit)
    return found


def _unit(name: str, unit: Fields) -> ControlUse:
    model, _, digest = str(unit.take("model") or "").partition(" [")
    both = unit.take("starting/ending")
    match = _PARTS.fullmatch(both) if isinstance(both, str) else None
    if both and match is None:
        unit.put("starting/ending", both)
    edges = (number(match[1]), number(match[2])) if match else (None, None)
    start = unit.number("guidance start", "starting step", plain=edges[0])
    end = unit.number("guidance end", "ending step", plain=edges[1])
    weight = unit.number("weight", plain=1.0)
    kind = str(unit.take("module", "preprocessor") or "")
    if kind.lower() == "none":  # the picture is the map, and these do nothing
        unit.drop("processor res", "preprocessor params", "threshold a", "threshold b")
    thresholds = _thresholds(unit) if kind.lower() == "canny" else None
    union = unit.text("union control type")
    finished = kind.lower() == "none" and union.lower() not in ("", "unknown")
    picture = unit.take("picture")
    if not isinstance(picture, int):  # as only a request has it, which brings the pictures
        unit.put("picture", picture)
        picture = None
    unit.drop("save detected map", "low vram", "batch images", "input mode")
    for key, plain in _PLAIN.items():
        unit.drop_if(key, *plain)
    named = model.lower() not in ("", "none")
    return ControlUse(
        model if named else name,
        union if finished else kind,
        float(weight or 0.0),
        _range(0.0 if start is None else start, 1.0 if end is None else end),
        finished=finished,
        thresholds=thresholds,
        picture="" if picture is None else f"{UNIT} {picture}",
        named=named,
        hash=digest.rstrip("]") if named else "",
    )


def _thresholds(unit: Fields) -> tuple[int, int]:
    """Low and high; one that is not given, or that no preset can hold, is the usual one."""
    least, most = bounds(Control, "low")
    found = list(CANNY_THRESHOLDS)
    for at, key in enumerate(("threshold a", "threshold b")):
        given = str(unit.take(key))
        value = number(given)
        if value is not None and given not in _UNSET and least <= value <= most:
            found[at] = round(value)
        elif given not in _UNSET:
            unit.put(key, given)
    return found[0], found[1]


def is_image_prompt(unit: ControlUse) -> bool:
    """Whether a unit holds an IP-Adapter."""
    return any(
        text.lower().replace("_", "-").startswith("ip-adapter") for text in (unit.model, unit.kind)
    )


def _range(start: float, end: float) -> tuple[float, float]:
    start, end = (min(1.0, max(0.0, float(edge))) for edge in (start, end))
    return (start, end) if start < end else (0.0, 1.0)
