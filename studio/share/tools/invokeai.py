"""InvokeAI: JSON in ``invokeai_metadata``; ``sd-metadata`` and ``Dream`` of its first versions.

The old ones are read by sd-parsers, from their text alone.
"""

from __future__ import annotations

from typing import Any

from sd_parsers.data import PromptInfo
from sd_parsers.exceptions import ParserError
from sd_parsers.parsers import InvokeAIParser

from studio.share.texts import Texts
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import READERS, ControlUse, Fields, Found, Reader

NAME = "InvokeAI"
MAX_OLD = 20_000
_SAYS_NOTHING = (
    "app_version",
    "imported_app_version",
    "metadata_version",
    "created_by",
    "_canvas_objects",
    "canvas_v2_metadata",
    "model_hash",
)
_PLAIN: dict[str, tuple[Any, ...]] = {
    "generation_mode": ("txt2img", "sdxl_txt2img"),
    "clip_skip": (0,),
    "rand_device": ("cpu", "cuda"),
    "cfg_rescale_multiplier": (0, 0.0),
    "strength": (1, 1.0),
    "seamless_x": (False,),
    "seamless_y": (False,),
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
    width, height = fields.number("width"), fields.number("height")
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
        size=(int(width), int(height)) if width and height else None,
        model=_model_name(fields.take("model")),
        noise={"cpu": "cpu", "cuda": "device"}.get(str(data.get("rand_device")), ""),
        vae=_model_name(fields.take("vae")),
        rescale=fields.number("cfg_rescale_multiplier"),
        loras=_loras(fields.take("loras")),
        notes=notes,
    )
    fields.drop(*_SAYS_NOTHING)
    for name, values in _PLAIN.items():
        fields.drop_if(name, *values)
    found.controls = [
        *_uses(fields.take("controlnets"), "control"),
        *_uses(fields.take("t2iAdapters"), "t2i_adapter"),
    ]
    found.image_prompts = _uses(fields.take("ipAdapters"), "ip_adapter")
    for name in ("ref_images", "control_layers", "regions"):
        _note_list(name, fields.take(name), notes)
    if fields.take("init_image") or data.get("generation_mode") in ("img2img", "sdxl_img2img"):
        notes.append(f"image to image is not carried over ({data.get('init_image')})"[:300])
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


def _loras(listed: Any) -> list[Lora]:
    found = []
    for item in listed[:60] if isinstance(listed, list) else ():
        if isinstance(item, dict):
            name = _model_name(item.get("lora") or item.get("model"))
            weight = number(item.get("weight"))
            if name:
                found.append(Lora(name, 1.0 if weight is None else float(weight)))
    return found


def _uses(listed: Any, kind: str) -> list[ControlUse]:
    """ControlNets, T2I-Adapters or IP-Adapters, whose fields begin with ``kind``."""
    found = []
    for item in listed[:20] if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        image = item.get("image")
        weight = number(item.get("control_weight", item.get("weight")))
        edges = [number(item.get(f"{edge}_step_percent")) for edge in ("begin", "end")]
        found.append(
            ControlUse(
                _model_name(item.get(f"{kind}_model") or item.get("model")) or kind,
                str(item.get("processor") or ""),
                1.0 if weight is None else float(weight),
                (float(edges[0] or 0.0), 1.0 if edges[1] is None else float(edges[1])),
                str(image.get("image_name", ""))[:200] if isinstance(image, dict) else "",
                kind == "t2i_adapter",
            )
        )
    return found


def _note_list(name: str, listed: Any, notes: list[str]) -> None:
    """Adapters and regions, each by its model."""
    for item in listed[:20] if isinstance(listed, list) else ():
        model = ""
        if isinstance(item, dict):
            keys = ("ip_adapter_model", "t2i_adapter_model", "model")
            model = next((_model_name(item[key]) for key in keys if item.get(key)), "")
        notes.append(f"{name} {model!r} is not carried over")


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
    width, height = values.number("width"), values.number("height")
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
        size=(int(width), int(height)) if width and height else None,
        model=name or "",
    )


READERS.register(NAME, Reader(read))
