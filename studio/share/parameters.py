"""A preset in the web UIs' words: the text ``parameters`` that they read and show."""

from __future__ import annotations

import json
from pathlib import PurePath

from studio.preset import ModelRef, Preset, Row
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.prompts import split_prompt
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS
from studio.share.turns import leading
from studio.share.units import unit_texts
from studio.share.upscaler_names import name_of


def parameters_text(
    preset: Preset, size: tuple[int, int] | None = None, finished: bool = False
) -> str:
    """The preset as the web UIs' ``parameters``, as well as that grammar can say it.

    Positive rows become one prompt (several joined by ``AND`` with their weights relative to the
    first, which is the CFG scale), negative ones the negative prompt, on one line as SwarmUI
    expects it. LoRAs are tags, by which civitai.com lists them.

    Args:
        size: the picture's, in pixels; of a preset that has yet to be made, the first pass's.
        finished: whether it is that of a finished picture, after a second pass.
    """
    rows = [row for _, row in leading(preset.active_rows())]
    positive = [row for row in rows if row.weight > 0]
    negative = " ".join(
        ", ".join(row.prompt for row in rows if row.weight < 0 and row.prompt).split()
    )
    lines = [" ".join(filter(None, [_joined(positive), *_tags(positive)]))]
    if negative:
        lines.append(f"Negative prompt: {negative}")
    lines.append(settings_line(preset, size, finished))
    return "\n".join(lines)


def _joined(rows: list[Row]) -> str:
    if len(rows) < 2:
        return "".join(row.prompt for row in rows)
    parts = [
        (text, share * row.weight / rows[0].weight)
        for row in rows
        for text, share in split_prompt(row.prompt)
    ]
    return " AND ".join(f"{text} :{weight:.4g}" for text, weight in parts)


def _tags(rows: list[Row]) -> list[str]:
    """``<lora:name:strength>`` for each LoRA of these rows, once."""
    found = {}
    for row in rows:
        if isinstance(row.model, ModelRef):
            pairs = zip(row.model.adapters(), row.model.text_strengths(), strict=True)
            for (name, strength), text in pairs:
                weights = f"{strength:g}" if text == strength else f"{text:g}:{strength:g}"
                found[f"<lora:{PurePath(name).name}:{weights}>"] = None
    return list(found)


def settings_line(preset: Preset, size: tuple[int, int] | None, finished: bool = False) -> str:
    """The last line of that text: what the picture was made with, besides its prompts."""
    sampler = preset.sampler
    width, height = _first_size(preset, size, finished)
    scale = next((row.weight for _, row in preset.active_rows() if row.weight > 0), 1.0)
    pairs: dict[str, object] = {
        "Steps": sampler.steps,
        "Sampler": _sampler_name(sampler.scheduler),
        "Schedule type": _schedule_name(sampler.schedule),
        "CFG scale": f"{scale:g}",
        "Seed": sampler.seed,
        "Variation seed": sampler.variation_seed if sampler.variation_strength else "",
        "Variation seed strength": f"{sampler.variation_strength:g}"
        if sampler.variation_strength
        else "",
        "Eta DDIM": "" if sampler.eta is None else f"{sampler.eta:g}",
        "Size": f"{width}x{height}" if width and height else "",
        "Model": preset.base,
        "VAE": PurePath(preset.vae).name,
        "Clip skip": preset.clip_skip or "",
        "Tiling": "True" if preset.seamless == "both" else "",
        "CFG Rescale": f"{preset.guidance_rescale:g}" if preset.guidance_rescale else "",
        "Denoising strength": f"{preset.init.strength:g}" if preset.init else "",
        **({} if preset.init else _hires(preset)),
        **_refiner(preset),
        **_detailer(preset),
        **_freed(preset),
        **unit_texts(preset),
    }
    return ", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items() if value != "")


def _first_size(
    preset: Preset, size: tuple[int, int] | None, finished: bool
) -> tuple[int | None, int | None]:
    """The first pass's size, of a picture that may be the second's; a finished preset holds it."""
    own, again = (preset.sampler.width, preset.sampler.height), preset.second_pass
    if not again.on or all(own):
        return own if again.on else size or own
    if size is None:
        return own
    # A side that the preset leaves open is the first pass's, or the second's of a finished picture.
    larger = finished or any(side and side != made for side, made in zip(own, size, strict=True))
    width, height = (round(made / (again.scale if larger else 1)) for made in size)
    return own[0] or width, own[1] or height


def _hires(preset: Preset) -> dict[str, object]:
    """A second pass as the web UIs' hires fix, whose steps are those that run."""
    again = preset.second_pass
    if not again.on:
        return {}
    steps = again.steps or preset.sampler.steps
    enlarger = name_of(PurePath(again.upscaler).name) or "Lanczos"
    return {
        "Denoising strength": f"{again.strength:g}",
        "Hires upscale": f"{again.scale:g}",
        "Hires steps": int(steps * again.strength) or "",
        "Hires upscaler": "Latent" if again.enlarge == "latents" else enlarger,
        "Hires sampler": _sampler_name(again.scheduler) if again.paints and again.scheduler else "",
        "Hires checkpoint": PurePath(again.model).name if again.paints else "",
        "Hires prompt": again.prompt if again.paints else "",
        "Hires negative prompt": again.negative_prompt if again.paints else "",
        "Hires CFG Scale": f"{again.cfg:g}" if again.paints and again.cfg else "",
    }


def _refiner(preset: Preset) -> dict[str, object]:
    """Another model that finishes the picture; beside a second pass the web UIs keep it for that alone."""
    if not preset.refiner.on or (preset.second_pass.on and not preset.init):
        return {}
    name, at = PurePath(preset.refiner.model).name, f"{preset.refiner.at:g}"
    return {"Refiner": name, "Refiner switch at": at}


def _detailer(preset: Preset) -> dict[str, object]:
    """A detail pass as ADetailer's, which finds faces; nothing for any other."""
    again = preset.detail
    if again.finder != "faces":
        return {}
    said = {
        "model": "face_yolov8n.pt",
        "prompt": again.prompt,
        "mask only top k largest": again.most,
        "dilate erode": 2 * again.grow,  # the side of its kernel, which grows by half to each side
        "denoising strength": f"{again.strength:g}",
        "inpaint only masked": "True",
        "inpaint padding": again.padding,
    }
    return {f"ADetailer {name}": value for name, value in said.items()}


def _freed(preset: Preset) -> dict[str, object]:
    """FreeU in Forge's names, with the factors that are stated."""
    factors = {f"freeu_{name}": f"{value:g}" for name, value in preset.freeu.factors().items()}
    return {"freeu_enabled": "True", **factors} if preset.freeu.on else {}


def _sampler_name(name: str) -> str:
    kind = SCHEDULERS[name]
    return kind.a1111 or kind.title


def _schedule_name(name: str) -> str:
    kind = NOISE_SCHEDULES[name]
    return "" if name == AUTOMATIC else kind.a1111 or kind.title


def _quoted(value: object) -> str:
    """As its readers read it again: quoted where it would end, or begins as a string or an object does."""
    text = str(value)
    ambiguous = (
        any(c in text for c in ",:\n") or text[:1] in ('"', "{", "[") or text != text.strip()
    )
    return json.dumps(text, ensure_ascii=False) if ambiguous else text
