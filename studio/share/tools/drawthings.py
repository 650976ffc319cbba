"""Draw Things: JSON in the user comment of the picture's XMP packet, or of its EXIF.

The first settings stand under short names; ``v2`` holds the whole configuration, with what is off.
"""

from __future__ import annotations

from typing import Any

from studio.share.texts import Texts, json_object
from studio.share.tools.a1111 import read_size
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.prompts import Lora
from studio.share.tools.table import READERS, ControlUse, Fields, Found, Reader

_TWICE = {  # in ``v2``: where it stands besides
    "width": "size",
    "height": "size",
    "steps": "steps",
    "seed": "seed",
    "guidanceScale": "scale",
    "sampler": "sampler",
    "model": "model",
    "strength": "strength",
    "shift": "shift",
    "seedMode": "seed_mode",
    "maskBlur": "mask_blur",
    "upscaler": "upscaler",
    "clipSkip": "clip_skip",
}
_PLAIN: dict[str, tuple[Any, ...]] = {  # what changes nothing in a picture of SD from text
    "shift": (1,),
    "clipWeight": (1,),
    "sharpness": (0,),
    "strength": (1,),
    "upscalerScaleFactor": (0,),
    "cropTop": (0,),
    "cropLeft": (0,),
    "aestheticScore": (6,),
    "negativeAestheticScore": (2.5,),
    "cfgZeroInitSteps": (0,),
    "seedMode": (2,),
    "maskBlur": (0, 1.5),
    "maskBlurOutset": (0,),
    "imageGuidanceScale": (1.5,),
    "imagePriorSteps": (5,),
    "stage2Steps": (10,),
    "stage2Guidance": (1,),
    "stage2Shift": (1,),
    "guidanceEmbed": (3.5,),
    "fps": (5,),
    "motionScale": (127,),
    "guidingFrameNoise": (0.02,),
    "startFrameGuidance": (1,),
    "numFrames": (14,),
    "causalInference": (0,),
    "causalInferencePad": (0,),
}
_SIZES = ("originalImage", "targetImage", "negativeOriginalImage")
_ONLY_WITH = {  # settings of what may be off
    "hiresFix": ("hiresFixWidth", "hiresFixHeight", "hiresFixStrength"),
    "tiledDecoding": ("decodingTileWidth", "decodingTileHeight", "decodingTileOverlap"),
    "tiledDiffusion": ("diffusionTileWidth", "diffusionTileHeight", "diffusionTileOverlap"),
    "refinerModel": ("refinerStart",),
    "separateClipL": ("clipLText",),
    "separateOpenClipG": ("openClipGText",),
    "separateT5": ("t5Text",),
    "teaCache": ("teaCacheStart", "teaCacheEnd", "teaCacheThreshold", "teaCacheMaxSkipSteps"),
}
_COUNTS = ("batchCount", "batchSize", "id", "name")
_ON = (  # of masks, and of families that have a second stage or a flow
    "preserveOriginalAfterInpaint",
    "negativePromptForImagePrior",
    "speedUpWithGuidanceEmbed",
    "resolutionDependentShift",
    "t5TextEncoder",
)
_CONTROLS_OWN: dict[str, tuple[Any, ...]] = {
    "controlImportance": ("balanced", "Balanced"),
    "control_mode": ("balanced", "Balanced"),
    "downSamplingRate": (1,),
    "globalAveragePooling": (False, True),  # of the network, not of a picture
    "targetBlocks": ([],),
}
_STOCHASTIC = ("tcd", "tcd trailing")
_NOISE = {"torch cpu compatible": "cpu", "nvidia gpu compatible": "device"}


def read(texts: Texts) -> Found | None:
    """A comment with ``c`` and ``uc``, of the tool by its own name."""
    data = texts.json("XmpUserComment") or texts.json("UserComment", "parameters")
    if data is None or not {"c", "scale", "sampler"} <= data.keys():
        return None
    data = {**data, "v2": json_object(data.get("v2")) or data.get("v2")}
    fields = Fields({("Size" if key == "size" else key): value for key, value in data.items()})
    more = fields.inner("v2")
    sampler = fields.text("sampler")
    if sampler.strip().lower() in _STOCHASTIC:
        more.drop_if("stochasticSamplingGamma", 0.3)
    else:
        more.drop("stochasticSamplingGamma")
    layer = take_layer(more, "clipSkip", own=(0, 1)) if "clip_skip" not in data else None
    _drop_plain(more, data)
    found = Found(
        "Draw Things",
        fields,
        fields.text("c"),
        fields.text("uc"),
        fields.number("scale"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=sampler,
        size=read_size(fields),
        model=fields.text("model"),
        clip_skip=layer or take_layer(fields, "clip_skip", own=(0, 1)),
        noise=_NOISE.get(fields.text("seed_mode").lower(), ""),
        loras=_loras(more, "loras") or _loras(fields, "lora"),
        controls=_controls(more, "controls") or _controls(fields, "control"),
    )
    fields.drop("profile", "device")
    if found.loras:
        fields.drop("lora")  # the same, in ``v2`` with how each is used
    if found.controls:
        fields.drop("control")
    fields.drop_if("strength", 1)
    fields.drop_if("mask_blur", 0)
    return found


def _drop_plain(more: Fields, data: dict[str, Any]) -> None:
    """What the whole configuration says a second time, or that is off."""
    more.drop(*_COUNTS, *(name for name, twin in _TWICE.items() if data.get(twin) is not None))
    more.off(*_ON)
    for name, values in _PLAIN.items():
        more.drop_if(name, *values)
    whole = json_object(data["v2"]) or {}
    for switch, settings in _ONLY_WITH.items():
        if not whole.get(switch):
            more.drop(*settings)
    for name in _SIZES:
        for edge in ("Width", "Height"):
            more.drop_if(f"{name}{edge}", 0, whole.get(edge.lower()))


def _loras(fields: Fields, name: str) -> list[Lora]:
    found = []
    for item in fields.items(name):
        called = item.text("model", "file")
        weight = item.number("weight", plain=1.0)
        item.drop("version", "prefix")
        item.drop_if("mode", "all")
        if called:
            found.append(Lora(called[:200], float(weight or 0.0)))
        else:
            item.put("weight", weight)
    return found


def _controls(fields: Fields, name: str) -> list[ControlUse]:
    found = []
    for item in fields.items(name):
        weight = item.number("weight", plain=1.0)
        start = item.number("guidance_start", "guidanceStart", plain=0.0)
        end = item.number("guidance_end", "guidanceEnd", plain=1.0)
        for key, plain in _CONTROLS_OWN.items():
            item.drop_if(key, *plain)
        found.append(
            ControlUse(
                (item.text("model", "file") or "ControlNet")[:200],
                item.text("inputOverride", "input_override"),
                float(weight or 0.0),
                (float(start or 0.0), float(end or 0.0)),
            )
        )
    return found


READERS.register("Draw Things", Reader(read, order=20))
