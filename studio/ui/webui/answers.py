"""What the web UI's interface answers, in its own shapes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from studio.library import Library, ModelEntry
from studio.library.upscalers import UPSCALER
from studio.preset import Preset
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.schedulers import SCHEDULERS
from studio.preset.styles import styles
from studio.share import parameters_text
from studio.ui.session import Run

_BASES = ("base", "finetune")


def checkpoints(library: Library) -> list[dict[str, Any]]:
    """The bases and fine-tunes that can be used, each by its id."""
    return [
        {
            "title": one.id,
            "model_name": one.id,
            "hash": None,
            "sha256": None,
            "filename": one.id,
            "config": None,
        }
        for one in _usable(library, _BASES)
    ]


def samplers() -> list[dict[str, Any]]:
    """The schedulers under the names that the web UI has for them."""
    names = {kind.a1111 or kind.title: name for name, kind in SCHEDULERS.items()}
    return [{"name": name, "aliases": [own], "options": {}} for name, own in names.items()]


def schedules() -> list[dict[str, Any]]:
    """The noise schedules."""
    return [
        {
            "name": name,
            "label": kind.a1111 or kind.title,
            "aliases": None,
            "default_rho": -1,
            "need_inner_model": False,
        }
        for name, kind in NOISE_SCHEDULES.items()
    ]


def upscalers(library: Library) -> list[dict[str, Any]]:
    """What enlarges pictures: Lanczos, and the library's networks."""
    names = ["None", "Lanczos", *(one.id for one in _usable(library, (UPSCALER,)))]
    empty = {"model_name": None, "model_path": None, "model_url": None, "scale": 4}
    return [{"name": name, **empty} for name in names]


def loras(library: Library) -> list[dict[str, Any]]:
    """The library's LoRAs, under the names that a prompt's tag may have."""
    found = _usable(library, ("lora",))
    return [
        {
            "name": one.id,
            "alias": one.title or one.id,
            "path": one.id,
            "metadata": {"ss_trigger": one.trigger} if one.trigger else {},
        }
        for one in found
    ]


def embeddings(library: Library) -> dict[str, Any]:
    """Models that hold learned words."""
    empty = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    held = [one for one in library.entries() if one.words and not one.problem]
    found = {one.id: {**empty, "shape": 0, "vectors": len(one.words)} for one in held}
    return {"loaded": found, "skipped": {}}


def autoencoders(library: Library) -> list[dict[str, Any]]:
    """The library's autoencoders."""
    return [{"model_name": one.id, "filename": one.id} for one in _usable(library, ("vae",))]


def prompt_styles() -> list[dict[str, Any]]:
    """The styles that are kept."""
    return [
        {"name": one.name, "prompt": one.prompt, "negative_prompt": one.negative}
        for one in styles()
    ]


def control_models(library: Library) -> dict[str, Any]:
    """The library's ControlNets."""
    return {"model_list": [one.id for one in _usable(library, ("controlnet",))]}


def control_modules() -> dict[str, Any]:
    """The preprocessors."""
    return {"module_list": ["none", *PREPROCESSORS], "module_detail": {}}


def options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The few options that there are."""
    plain = {"samples_format": "png", "sd_vae": "Automatic", "CLIP_stop_at_last_layers": 1}
    return {**plain, **chosen}


def progress(run: Run | None, with_image: bool) -> dict[str, Any]:
    """How far a run is; zeros for none."""
    step = run.progress if run else None
    running = run is not None and run.active()
    shown = run.previews[:1] if run and running and with_image else ()
    return {
        "progress": run.share() if run and running else 0.0,
        "eta_relative": (run.seconds_left() or 0.0) if run and running else 0.0,
        "state": {
            "skipped": False,
            "interrupted": bool(run and run.cancelled),
            "stopping_generation": bool(run and run.cancelled and running),
            "job": "generate" if running else "",
            "job_count": run.preset.sampler.count if run and running else 0,
            "job_timestamp": "0",
            "job_no": len(run.moments) if run else 0,
            "sampling_step": step.step if step and running else 0,
            "sampling_steps": step.steps if step and running else 0,
        },
        "current_image": encoded(shown[0]) if shown else None,
        "textinfo": None,
    }


def made(run: Run, asked: Mapping[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    """A finished run: its pictures, which carry their presets, the request, and what was made."""
    files = [Path(moment.path) for moment in run.moments]
    presets = [run.preset.with_seed(run.preset.sampler.seed + n) for n in range(len(files))]
    size = (run.preset.sampler.width or 0, run.preset.sampler.height or 0)
    if files:
        with Image.open(files[0]) as first:
            size = first.size
    texts = [parameters_text(one, size) for one in presets]
    seeds = [one.sampler.seed for one in presets]
    prompt, negative = str(asked.get("prompt") or ""), str(asked.get("negative_prompt") or "")
    info = {
        "prompt": prompt,
        "all_prompts": [prompt] * len(files),
        "negative_prompt": negative,
        "all_negative_prompts": [negative] * len(files),
        "seed": seeds[0] if seeds else -1,
        "all_seeds": seeds,
        "width": size[0],
        "height": size[1],
        "steps": run.preset.sampler.steps,
        "cfg_scale": asked.get("cfg_scale", 7.0),
        "sampler_name": asked.get("sampler_name") or asked.get("sampler_index") or "Euler",
        "sd_model_name": run.preset.base,
        "infotexts": texts,
        "notes": list(notes),
    }
    shown = [base64.b64encode(file.read_bytes()).decode("ascii") for file in files]
    plain = {name: value for name, value in asked.items() if name not in ("init_images", "mask")}
    sent = asked.get("send_images", True)
    return {"images": shown if sent else [], "parameters": plain, "info": json.dumps(info)}


def said(preset: Preset, size: tuple[int, int]) -> dict[str, Any]:
    """What a picture carries, as the web UI says it."""
    text = parameters_text(preset, size)
    return {"info": text, "items": {"parameters": text}, "parameters": {}}


def encoded(image: Image.Image) -> str:
    """A picture as PNG in base64."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _usable(library: Library, kinds: Sequence[str]) -> list[ModelEntry]:
    return [one for one in library.entries() if one.kind in kinds and not one.problem]
