"""Images of other tools (AUTOMATIC1111 and kin, InvokeAI, ComfyUI, Fooocus, NovelAI) as rows.

``sd_parsers`` reads their metadata; this module says what of it a preset can hold, and notes the
rest. Classifier-free guidance of scale w with a negative prompt,
``ε(neg) + w·(ε(pos) − ε(neg))``, is the rows ``+w: pos`` and ``−(w−1): neg``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from PIL import Image
from sd_parsers import ParserManager
from sd_parsers.data import PromptInfo
from sd_parsers.data import Sampler as ForeignSampler

from studio.errors import shorten
from studio.preset import MAX_SEED, Preset, Sampler, validate
from studio.share.prompts import plain_prompt

DEFAULT_SCALE = 7.0
SCHEDULERS = {  # by the letters of a name, the longest match first
    "eulerancestral": "euler_a",
    "eulera": "euler_a",
    "euler": "euler",
    "ddim": "ddim",
    "unipc": "unipc",
    "dpmpp2m": "dpm++",
    "dpm++2m": "dpm++",
    "dpm": "dpm++",
}
EXACT = ("euler", "ddim", "unipc", "dpmpp2m", "dpm++2m")
ADDITIONS = re.compile(
    r"lora|lycoris|controlnet|ip.?adapter|embed|hypernet|t2i|style", re.IGNORECASE
)


def read_foreign(
    image: Image.Image, name: str, models: Sequence[str] = ()
) -> tuple[Preset, list[str]] | None:
    """The preset that another tool's metadata amounts to, and what could not be carried over.

    Args:
        image: opened from a file.
        name: the file's name, for the preset and its errors.
        models: ids of the library, to recognise the model by name.
    """
    info = _parse(image)
    sampler = None if info is None else _main_sampler(info)
    if info is None or sampler is None:
        return None
    notes = [f"made with {info.generator.value}: the same seed gives other noise here"]
    if len(info.samplers) > 1:
        notes.append(f"it has {len(info.samplers)} samplers; only the main one is read")
    base = _base(info, sampler, models, notes)
    data: dict[str, Any] = {
        "name": PurePath(name).stem[:200],
        "rows": _rows(info, sampler, notes),
        "sampler": _sampler(info, sampler, image.size if base else None, notes),
    }
    if base:
        data["base"] = base
    _note_additions(info, sampler, notes)
    return validate(data), notes


def _parse(image: Image.Image) -> PromptInfo | None:
    try:
        return ParserManager().parse(image)
    except Exception:  # metadata that merely looks like some tool's: there is nothing to read
        return None


def _main_sampler(info: PromptInfo) -> ForeignSampler | None:
    """The sampler with the most words; later ones usually only refine."""
    if not info.samplers:
        return None
    return max(info.samplers, key=lambda one: len(_text(one.prompts) + _text(one.negative_prompts)))


def _text(prompts: Sequence[Any] | None) -> str:
    return ", ".join(str(prompt.value) for prompt in prompts or ())


def _model_name(info: PromptInfo, sampler: ForeignSampler) -> str:
    """The model's name; behind an adapter node the parser gives a link instead of a name."""
    model = sampler.model
    for name in (model.name, model.hash) if model else ():
        if name and isinstance(name, str):
            return name
    for nodes in info.metadata.values():
        for node in nodes if isinstance(nodes, list) else ():
            if isinstance(node, dict) and isinstance(node.get("ckpt_name"), str):
                return node["ckpt_name"]
    return ""


def _base(
    info: PromptInfo, sampler: ForeignSampler, models: Sequence[str], notes: list[str]
) -> str | None:
    wanted = _model_name(info, sampler)
    if not wanted:
        return None
    keys = {wanted.lower(), PurePath(wanted.replace("\\", "/")).stem.lower()}
    for model in models:
        if {model.lower(), PurePath(model).stem.lower()} & keys:
            return model
    notes.append(f"base: the model {wanted!r} is not in the library; the default base is used")
    return None


def _rows(info: PromptInfo, sampler: ForeignSampler, notes: list[str]) -> list[dict[str, Any]]:
    scale = _number(sampler.parameters.get("cfg_scale", sampler.parameters.get("cfg")))
    if scale is None or not 0 <= scale <= 1000:
        notes.append(f"rows.0.weight: no usable CFG scale is given; {DEFAULT_SCALE:g} is used")
        scale = DEFAULT_SCALE
    positive = plain_prompt(_text(sampler.prompts), "rows.0.prompt", notes)
    negative = plain_prompt(_text(sampler.negative_prompts), "rows.1.prompt", notes)
    rows = [{"prompt": positive, "weight": scale}]
    if negative:
        rows.append({"prompt": negative, "weight": 1.0 - scale})
    return rows


def _sampler(
    info: PromptInfo,
    sampler: ForeignSampler,
    size: tuple[int, int] | None,
    notes: list[str],
) -> dict[str, Any]:
    values = sampler.parameters
    result: dict[str, Any] = {"scheduler": _scheduler(sampler, notes)}
    steps = _number(values.get("steps"))
    if steps is not None:
        result["steps"] = int(min(200, max(1, steps)))
        if result["steps"] != steps:
            notes.append(f"sampler.steps: {steps:g} became {result['steps']}")
    seed = _number(values.get("seed", values.get("noise_seed")))
    if seed is not None and 0 <= seed <= MAX_SEED:
        result["seed"] = int(seed)
    else:
        notes.append(f"sampler.seed: no usable seed is given; {Sampler().seed} is used")
    if size is None:
        notes.append("sampler.width: the size is left to the base model")
    elif all(16 <= edge <= 4096 for edge in size):
        result["width"], result["height"] = size
    return result


def _scheduler(sampler: ForeignSampler, notes: list[str]) -> str:
    letters = re.sub(r"[^a-z0-9+]", "", str(sampler.name).lower()).removeprefix("k")
    key = next((key for key in SCHEDULERS if letters.startswith(key)), "")
    mapped = SCHEDULERS.get(key, "dpm++")
    schedule = sampler.parameters.get("scheduler")
    exact = key.startswith(EXACT) and letters in (key, "euler", "eulera", "eulerancestral")
    if not exact:
        notes.append(f"sampler.scheduler: {sampler.name!r} became {mapped!r}")
    if schedule and str(schedule).lower() not in ("automatic", "normal", letters):
        notes.append(f"sampler.scheduler: the noise schedule {str(schedule)!r} is left out")
    return mapped


def _number(value: object) -> float | int | None:
    """A finite number from what a tool wrote; integers stay exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value) if not isinstance(value, float) else _finite(value)
    except ValueError:
        pass
    try:
        return _finite(float(value))
    except (ValueError, OverflowError):
        return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _note_additions(info: PromptInfo, sampler: ForeignSampler, notes: list[str]) -> None:
    """Name what else took part in the picture: adapters, upscaling, image to image."""
    found = {**info.metadata, **(sampler.model.metadata if sampler.model else {})}
    for key, value in found.items():
        if ADDITIONS.search(str(key)) and value:
            named = f" {shorten(value)}" if isinstance(value, str) else ""
            notes.append(f"{str(key)[:60]}{named} is not carried over")
    lowered = {str(key).lower(): value for key, value in {**found, **sampler.parameters}.items()}
    denoise = _number(lowered.get("denoising strength", lowered.get("denoise")))
    if denoise is not None and denoise < 1:
        notes.append("image to image (or a second pass) is not carried over")
    if (_number(lowered.get("clip skip")) or 1) > 1:
        notes.append("Clip skip is not carried over")
