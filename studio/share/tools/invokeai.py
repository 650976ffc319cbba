"""InvokeAI: JSON in ``invokeai_metadata``; ``sd-metadata`` and ``Dream`` of its first versions.

The old ones are read by sd-parsers, from their text alone.
"""

from __future__ import annotations

from typing import Any

from sd_parsers.data import PromptInfo
from sd_parsers.exceptions import ParserError
from sd_parsers.parsers import InvokeAIParser

from studio.errors import cut
from studio.share.texts import Texts
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.prompts import Lora
from studio.share.tools.table import READERS, ControlUse, Fields, Found, Reader

NAME = "InvokeAI"
MAX_OLD = 20_000
_SAYS_NOTHING = (
    "app_version",
    "imported_app_version",
    "metadata_version",
    "created_by",
    "model_hash",
)
_PLAIN: dict[str, tuple[Any, ...]] = {
    "generation_mode": ("txt2img", "sdxl_txt2img"),
    "rand_device": ("cpu", "cuda"),
    "cfg_rescale_multiplier": (0, 0.0),
    "strength": (1, 1.0),
    "hrf_enabled": (False,),
}


def read(texts: Texts) -> Found | None:
    """Any of its three forms."""
    data = texts.json("invokeai_metadata")
    if data is not None:
        return _newest(data)
    old = {key: texts.get(key)[:MAX_OLD] for key in ("sd-metadata", "Dream") if texts.get(key)}
    return _old(old) if old else None


def _newest(data: dict[str, Any]) -> Found | None:
    if "positive_prompt" not in data and "model" not in data:
        return None
    fields = Fields(data)
    notes: list[str] = []
    found = Found(
        NAME,
        fields,
        _with_style(fields, "positive", notes),
        _with_style(fields, "negative", notes),
        fields.number("cfg_scale"),
        grammar=NAME,
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("scheduler"),
        size=fields.size(),
        model=_model(fields, "model"),
        noise={"cpu": "cpu", "cuda": "device"}.get(str(data.get("rand_device")), ""),
        vae=_model(fields, "vae"),
        skipped_layers=take_layer(fields, "clip_skip", own=(0,)),
        seamless=_seamless(fields),
        rescale=fields.number("cfg_rescale_multiplier"),
        loras=_loras(fields),
        notes=notes,
    )
    fields.drop(*_SAYS_NOTHING)
    for name, values in _PLAIN.items():
        fields.drop_if(name, *values)
    found.controls = [
        *_uses(fields, "controlnets", "control"),
        *_uses(fields, "t2iAdapters", "t2i_adapter"),
    ]
    found.image_prompts = _uses(fields, "ipAdapters", "ip_adapter")
    for name in ("ref_images", "regions"):
        fields.items(name)  # each is noted with what it holds
    _canvas(fields, found)
    if fields.take("init_image") or data.get("generation_mode") in ("img2img", "sdxl_img2img"):
        image = cut(str(data.get("init_image")), 260)
        notes.append(f"image to image is not carried over ({image})")
    return found


def _with_style(fields: Fields, side: str, notes: list[str]) -> str:
    """The prompt, with SDXL's own prompt for the second text encoder behind it."""
    text, style = fields.text(f"{side}_prompt"), fields.text(f"{side}_style_prompt")
    if not style.strip() or style.strip() == text.strip():
        return text
    notes.append(f"{side}_style_prompt {style[:80]!r} is read as part of the prompt")
    return ", ".join(filter(None, (text, style)))


def _model_name(model: Any) -> str:
    if isinstance(model, dict):
        model = model.get("model_name") or model.get("name")
        if isinstance(model, dict):  # a reference inside a reference
            return _model_name(model)
    return model[:200] if isinstance(model, str) else ""


def _model(fields: Fields, *names: str) -> str:
    """A model's name; what names none stays to be noted."""
    value = fields.take(*names)
    name = _model_name(value)
    if value and not name:
        fields.put(names[0], value)
    return name


def _loras(fields: Fields) -> list[Lora]:
    found = []
    for item in fields.items("loras"):
        name = _model(item, "lora", "model")
        weight = item.number("weight", plain=1.0)
        if name:
            found.append(Lora(name, float(weight or 0.0)))
        else:
            item.put("weight", weight)
    return found


def _uses(fields: Fields, name: str, kind: str) -> list[ControlUse]:
    """ControlNets, T2I-Adapters or IP-Adapters, whose fields begin with ``kind``."""
    found = []
    for item in fields.items(name):
        start = item.number("begin_step_percent", plain=0.0)
        end = item.number("end_step_percent", plain=1.0)
        weight = item.number("control_weight", "weight", plain=1.0)
        source, map_ = _picture(item, "image"), _picture(item, "processed_image")
        found.append(
            ControlUse(
                _model(item, f"{kind}_model", "model") or kind,
                item.text("processor"),
                float(weight or 0.0),
                (float(start or 0.0), float(end or 0.0)),
                map_ or source,
                kind == "t2i_adapter",
            )
        )
        item.drop("clip_vision_model")  # which belongs to the adapter
        item.drop_if("control_mode", "balanced")
        item.drop_if("resize_mode", "just_resize")
        item.drop_if("method", "full")
    return found


def _picture(item: Fields, name: str) -> str:
    value = item.take(name)
    found = value.get("image_name") if isinstance(value, dict) else None
    if isinstance(found, str):
        return found[:200]
    if value:
        item.put(name, value)
    return ""


def _canvas(fields: Fields, found: Found) -> None:
    """Layers of the canvas; its controls stand in their own list as well."""
    canvas = fields.inner("canvas_v2_metadata")
    if found.controls:
        canvas.drop("controlLayers")
    if found.image_prompts:
        canvas.drop("referenceImages")
    for name in ("controlLayers", "referenceImages", "regionalGuidance", "rasterLayers"):
        for layer in canvas.items(name):
            if layer.take("isEnabled") is False:
                layer.clear()
            layer.drop("id", "isLocked", "type", "name")


def _old(texts: dict[str, str]) -> Found | None:
    texts = {key: " ".join(text.split()) for key, text in texts.items()}
    try:
        info: PromptInfo = InvokeAIParser().parse(dict(texts))
    except ParserError:
        return None
    if not info.samplers:
        return None
    sampler = info.samplers[0]
    values = Fields({**info.metadata, **sampler.parameters})
    values.drop("model_hash", "app_id", "app_version", "type", "images")
    for name, plain in (("postprocessing", None), ("threshold", 0), ("perlin", 0), ("perlin", 0.0)):
        values.drop_if(name, plain)
    sides = [
        ", ".join(str(prompt.value) for prompt in prompts or ())
        for prompts in (sampler.prompts, sampler.negative_prompts)
    ]
    name = sampler.model.name if sampler.model and isinstance(sampler.model.name, str) else ""
    return Found(
        NAME,
        values,
        *sides,
        scale=values.number("cfg_scale"),
        grammar=NAME,
        steps=values.take("steps"),
        seed=values.take("seed"),
        sampler=str(sampler.name),
        size=values.size(),
        model=name or "",
    )


READERS.register(NAME, Reader(read))


def _seamless(fields: Fields) -> str:
    """Along which axes the edges meet."""
    axes = "".join(one for one in "xy" if fields.among(f"seamless_{one}", {"true": one}))
    return "both" if axes == "xy" else axes
