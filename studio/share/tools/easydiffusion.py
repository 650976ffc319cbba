"""Easy Diffusion: a text chunk for each setting in a PNG, one JSON object in a comment elsewhere."""

from __future__ import annotations

import ast
from typing import Any

from studio.share.exif import NAMES as TAGS
from studio.share.texts import Texts
from studio.share.tools.a1111 import named
from studio.share.tools.prompts import Lora, number
from studio.share.tools.table import READERS, Fields, Found, Reader

NAMES = {  # each setting has one of two names
    "prompt": "Prompt",
    "negative_prompt": "Negative Prompt",
    "seed": "Seed",
    "num_inference_steps": "Steps",
    "guidance_scale": "Guidance Scale",
    "sampler_name": "Sampler",
    "scheduler_name": "Scheduler",
    "width": "Width",
    "height": "Height",
    "use_stable_diffusion_model": "Stable Diffusion model",
    "clip_skip": "Clip Skip",
    "use_controlnet_model": "ControlNet model",
    "control_filter_to_apply": "ControlNet Filter",
    "control_alpha": "ControlNet Strength",
    "use_vae_model": "VAE model",
    "prompt_strength": "Prompt Strength",
    "use_lora_model": "LoRA model",
    "lora_alpha": "LoRA Strength",
    "use_hypernetwork_model": "Hypernetwork model",
    "hypernetwork_strength": "Hypernetwork Strength",
    "use_embeddings_model": "Embedding models",
    "tiling": "Seamless Tiling",
    "use_face_correction": "Use Face Correction",
    "use_upscale": "Use Upscaling",
    "upscale_amount": "Upscale By",
    "latent_upscaler_steps": "Latent Upscaler Steps",
    "use_text_encoder_model": "Text Encoder model",
    "distilled_guidance_scale": "Distilled Guidance",
}
_OTHERS = {
    "Software",
    "dpi",
    "comment",
    "xmp",
    "XML:com.adobe.xmp",
    *TAGS.values(),
    "Comment",
    "gamma",
}
_SIGNS = ("num_inference_steps", "use_stable_diffusion_model", "Guidance Scale")


def read(texts: Texts) -> Found | None:
    """Settings under either set of names."""
    data: dict[str, Any] = texts.json("parameters", "UserComment") or dict(texts.named)
    if not any(sign in data for sign in _SIGNS) or not ({"prompt", "Prompt"} & data.keys()):
        return None
    labels = {label: name for name, label in NAMES.items()}
    given = {labels.get(key, key): value for key, value in data.items() if key not in _OTHERS}
    fields = Fields(given)
    found = Found(
        "Easy Diffusion",
        fields,
        str(fields.take("prompt") or ""),
        str(fields.take("negative_prompt") or ""),
        fields.number("guidance_scale"),
        steps=fields.take("num_inference_steps"),
        seed=fields.take("seed"),
        sampler=fields.text("sampler_name"),
        schedule=fields.text("scheduler_name"),
        size=fields.size(),
        model=_file(fields.take("use_stable_diffusion_model")),
        vae=named(_file(fields.take("use_vae_model"))),
        clip_skip=_layer(fields),
        seamless=fields.among("tiling", {"x": "x", "y": "y", "xy": "both"}),
        loras=_loras(fields),
    )
    for name, plain in (("tiling", "none"), ("hypernetwork_strength", 0), ("upscale_amount", "4")):
        fields.drop_if(name, plain)
    return found


def _layer(fields: Fields) -> int | None:
    """The tool only says whether the last layer is skipped."""
    value = fields.take("clip_skip")
    if value is True or value == "True":
        return 2
    if value not in (None, False, "False"):
        fields.put("clip_skip", value)
    return None


def _file(value: Any) -> str:
    return str(value or "").replace("\\", "/").rpartition("/")[2][:200]


def _loras(fields: Fields) -> list[Lora]:
    names, strengths = (_listed(fields.take(key)) for key in ("use_lora_model", "lora_alpha"))
    found = []
    for index, name in enumerate(names[:60]):
        strength = number(strengths[index]) if index < len(strengths) else None
        if isinstance(name, str) and name.strip().lower() not in ("", "none"):
            found.append(Lora(name[:200], 1.0 if strength is None else float(strength)))
    return found


def _listed(value: Any) -> list[Any]:
    """A list, as such or as text of Python's; one value alone."""
    if isinstance(value, str) and value.startswith("[") and len(value) <= 4000:
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


READERS.register("Easy Diffusion", Reader(read))
