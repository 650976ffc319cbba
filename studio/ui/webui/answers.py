"""What the web UI's interface answers, in its own shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from studio.images import png_bytes
from studio.preset.schedulers import SCHEDULERS
from studio.share import parameters_text
from studio.share.tools.a1111 import split
from studio.ui.session import Run
from studio.ui.webui.values import switch


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
    """A run that has ended: its pictures, which carry their presets, the request, and what was made."""
    files = [Path(moment.path) for moment in run.moments]
    presets = [moment.preset() for moment in run.moments]
    sizes = [_size(file) for file in files]
    first = presets[0] if presets else run.preset
    sampler = first.sampler
    prompt, negative = str(asked.get("prompt") or ""), str(asked.get("negative_prompt") or "")
    size = sizes[0] if sizes else (sampler.width or 0, sampler.height or 0)
    more = [*(run.done.notes if run.done else ()), *filter(None, [run.problem])]
    info = {
        "prompt": prompt,
        "all_prompts": [prompt] * len(files),
        "negative_prompt": negative,
        "all_negative_prompts": [negative] * len(files),
        "seed": sampler.seed if presets else -1,
        "all_seeds": [one.sampler.seed for one in presets],
        "subseed": sampler.variation_seed,
        "all_subseeds": [one.sampler.variation_seed for one in presets],
        "subseed_strength": sampler.variation_strength,
        "width": size[0],
        "height": size[1],
        "steps": sampler.steps,
        "cfg_scale": asked.get("cfg_scale", 7.0),
        "sampler_name": SCHEDULERS[sampler.scheduler].a1111 or SCHEDULERS[sampler.scheduler].title,
        "batch_size": len(files),
        "index_of_first_image": 0,
        "sd_model_name": first.base,
        "infotexts": [parameters_text(one, size) for one, size in zip(presets, sizes, strict=True)],
        "notes": list(dict.fromkeys([*notes, *more])),
    }
    shown = [base64.b64encode(file.read_bytes()).decode("ascii") for file in files]
    plain = {name: value for name, value in asked.items() if name not in ("init_images", "mask")}
    sent = switch(asked, "send_images", True)
    return {"images": shown if sent else [], "parameters": plain, "info": json.dumps(info)}


def _size(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def said(text: str) -> dict[str, Any]:
    """What a picture carries, as the web UI says it; ``text``: of its grammar, "" for none."""
    parts = split(text)
    if parts is None:
        return {"info": text, "items": {}, "parameters": {}}
    prompt, negative, settings = parts
    plain = {name: str(value) for name, value in settings.items()}
    named = {"Prompt": prompt, "Negative prompt": negative, **plain}
    return {"info": text, "items": {"parameters": text}, "parameters": named}


def encoded(image: Image.Image) -> str:
    """A picture as PNG in base64."""
    return base64.b64encode(png_bytes(image)).decode("ascii")
