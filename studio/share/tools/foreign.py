"""Images of other tools (AUTOMATIC1111 and kin, InvokeAI, ComfyUI, Fooocus, NovelAI) as rows.

``sd_parsers`` reads their metadata; this module says what of it a preset can hold, and notes the
rest. Classifier-free guidance of scale w with a negative prompt,
``ε(neg) + w·(ε(pos) − ε(neg))``, is the rows ``+w: pos`` and ``−(w−1): neg``. Other tools put
their LoRAs on the unconditional pass too, which is ω = 1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from PIL import Image
from sd_parsers import ParserManager
from sd_parsers.data import PromptInfo
from sd_parsers.data import Sampler as ForeignSampler

from studio.errors import shorten
from studio.library import ModelEntry
from studio.preset import MAX_SEED, Preset, Sampler, validate
from studio.share.model_names import Shelf
from studio.share.tools.additions import Additions, embeddings_of, loras_of, row_model
from studio.share.tools.prompts import Lora, number, read_prompt

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
    image: Image.Image, name: str, models: Collection[str] | Mapping[str, ModelEntry] = ()
) -> tuple[Preset, list[str]] | None:
    """The preset that another tool's metadata amounts to, and what could not be carried over.

    Args:
        image: opened from a file.
        name: the file's name, for the preset and its errors.
        models: the library, to recognise models by name; from its ids alone, kinds are not known.
    """
    info = _parse(image)
    sampler = None if info is None else _main_sampler(info)
    if info is None or sampler is None:
        return None
    notes = [f"made with {info.generator.value}: the same seed gives other noise here"]
    if len(info.samplers) > 1:
        notes.append(f"it has {len(info.samplers)} samplers; only the main one is read")
    shelf = Shelf(models)
    base = _base(info, sampler, shelf, notes)
    additions = Additions(shelf, base or Preset().base, notes)
    rows, loras = _rows(info, sampler, additions)
    data: dict[str, Any] = {
        "name": PurePath(name).stem[:200],
        "rows": rows,
        "sampler": _sampler(info, sampler, image.size if base else None, notes),
    }
    if base:
        data["base"] = base
    if any(isinstance(row["model"], dict) and "lora" in row["model"] for row in rows):
        data["omega"] = 1.0
    if additions.left:
        left = ", ".join(dict.fromkeys(additions.left))
        data["description"] = f"Not in this library: {left}"[:2000]
    _note_additions(info, sampler, {lora.name for lora in loras}, notes)
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


def _base(info: PromptInfo, sampler: ForeignSampler, shelf: Shelf, notes: list[str]) -> str | None:
    wanted = _model_name(info, sampler)
    if not wanted:
        return None
    found = shelf.find(wanted, ("base", "finetune"))
    if found is None:
        notes.append(f"base: the model {wanted!r} is not in the library; the default base is used")
    return found


def _rows(
    info: PromptInfo, sampler: ForeignSampler, additions: Additions
) -> tuple[list[dict[str, Any]], list[Lora]]:
    """The rows, and every LoRA that the tool named, carried over or not."""
    notes, tool = additions.notes, info.generator.value
    scale = number(sampler.parameters.get("cfg_scale", sampler.parameters.get("cfg")))
    if scale is None or not 0 <= scale <= 1000:
        notes.append(f"rows.0.weight: no usable CFG scale is given; {DEFAULT_SCALE:g} is used")
        scale = DEFAULT_SCALE
    texts = (_text(sampler.prompts), _text(sampler.negative_prompts))
    (positive, tagged), (negative, ignored) = (
        read_prompt(text, tool, f"rows.{index}.prompt", notes) for index, text in enumerate(texts)
    )
    for lora in ignored:  # the web UIs look for tags in the prompt alone
        notes.append(f"rows.1.prompt: {lora} had no effect in a negative prompt; it is left out")
    loras = [*tagged, *loras_of(info, sampler)]
    adapters = additions.loras(loras, "rows.0.model")
    hinted, bare_words = embeddings_of(info), tool != "ComfyUI"
    rows = []
    for index, (text, weight) in enumerate(((positive, scale), (negative, 1.0 - scale))):
        if text or index == 0:
            field = f"rows.{index}.prompt"
            text, words = additions.embeddings(text, hinted, bare_words, field)
            model = row_model(adapters, words)
            rows.append({"prompt": text, "weight": weight, "model": model})
    return rows, [*loras, *ignored]


def _sampler(
    info: PromptInfo,
    sampler: ForeignSampler,
    size: tuple[int, int] | None,
    notes: list[str],
) -> dict[str, Any]:
    values = sampler.parameters
    result: dict[str, Any] = {"scheduler": _scheduler(sampler, notes)}
    steps = number(values.get("steps"))
    if steps is not None:
        result["steps"] = int(min(200, max(1, steps)))
        if result["steps"] != steps:
            notes.append(f"sampler.steps: {steps:g} became {result['steps']}")
    seed = number(values.get("seed", values.get("noise_seed")))
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


def _note_additions(
    info: PromptInfo, sampler: ForeignSampler, named: Collection[str], notes: list[str]
) -> None:
    """Name what else took part in the picture; LoRAs that are ``named`` have been told of."""
    found = {**info.metadata, **(sampler.model.metadata if sampler.model else {})}
    for key, value in found.items():
        if ADDITIONS.search(str(key)) and _untold(value, named):
            told = f" {shorten(value)}" if isinstance(value, str) else ""
            notes.append(f"{str(key)[:60]}{told} is not carried over")
    lowered = {str(key).lower(): value for key, value in {**found, **sampler.parameters}.items()}
    denoise = number(lowered.get("denoising strength", lowered.get("denoise")))
    if denoise is not None and denoise < 1:
        notes.append("image to image (or a second pass) is not carried over")
    if (number(lowered.get("clip skip")) or 1) > 1:
        notes.append("Clip skip is not carried over")


def _untold(value: Any, named: Collection[str]) -> bool:
    """Whether a tool's value holds something besides LoRAs that are ``named``."""
    items = value if isinstance(value, list) else [value]
    return any(item and not _within(item, named) for item in items)


def _within(value: Any, named: Collection[str]) -> bool:
    """Whether a name of ``named`` stands in ``value``."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return any(_within(part, named) for part in value)
    return isinstance(value, str) and (value in named or value.rpartition(" : ")[0] in named)
