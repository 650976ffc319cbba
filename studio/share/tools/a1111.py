"""AUTOMATIC1111's web UI and the many that write as it does (Forge, reForge, SD.Next, civitai.com).

The text is the prompt, lines from ``Negative prompt:`` on, and a last line of settings:
``Steps: 20, Sampler: Euler a, Model: "a, b"``. A value that holds a comma, a colon or a line break
is a JSON string; some tools put a JSON object or list there. The text is read once, from left to
right.
"""

from __future__ import annotations

import re
from typing import Any

from studio.preset.prompts import mentions
from studio.share.texts import Texts
from studio.share.tools.a1111_controls import controls, is_image_prompt
from studio.share.tools.a1111_hashes import NO_NAME, embeddings_of, hashes_of, untagged
from studio.share.tools.clip_layers import take_layer
from studio.share.tools.detailer import detailer
from studio.share.tools.freeu import in_settings
from studio.share.tools.hires import second_pass
from studio.share.tools.infotext import pairs
from studio.share.tools.refiner import in_settings as refining
from studio.share.tools.soft_inpainting import soft_inpainting
from studio.share.tools.table import READERS, Fields, Found, Reader

NEGATIVE = "Negative prompt:"
_KNOWN = ("Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash")
MAX_LINES = 2000
_SIZE = re.compile(r"\s*(\d{1,6})\s*[xX]\s*(\d{1,6})\s*")
_SCHEDULES = ("karras", "exponential", "polyexponential", "uniform", "simple", "beta", "normal")


def read(texts: Texts) -> Found | None:
    """Any text of this grammar."""
    parts = split(texts.parameters())
    return None if parts is None else to_found(parts, "AUTOMATIC1111")


def split(text: str) -> tuple[str, str, dict[str, Any]] | None:
    """Prompt, negative prompt and settings; ``None`` where there are no settings."""
    lines = text.split("\n")
    for index in range(len(lines) - 1, max(-1, len(lines) - MAX_LINES), -1):
        if "Steps:" not in lines[index]:
            continue
        line, negative = lines[index].strip(), ""
        if line.startswith(NEGATIVE):  # some tools break no line after an empty one
            negative, _, rest = line.partition("Steps:")
            line = f"Steps:{rest}"
        settings = pairs(line)
        if "Steps" in settings and sum(key in settings for key in _KNOWN) >= 3:
            for more in lines[index + 1 :]:
                settings |= {k: v for k, v in pairs(more).items() if k not in settings}
            prompt, negative = _prompts([*lines[:index], negative])
            return prompt, negative, settings
    return None


def _prompts(lines: list[str]) -> tuple[str, str]:
    """From the first line that starts with ``Negative prompt:`` on, all lines are negative."""
    positive: list[str] = []
    negative: list[str] = []
    side = positive
    for line in lines:
        if line.startswith(NEGATIVE):
            side, line = negative, line[len(NEGATIVE) :]
        side.append(line)
    return "\n".join(positive).strip(), "\n".join(negative).strip()


def to_found(parts: tuple[str, str, dict[str, Any]], tool: str) -> Found:
    """What the settings say; what they say besides stays to be noted."""
    prompt, negative, settings = parts
    fields = Fields(settings)
    sampler, schedule = _sampler(fields)
    vae = named(fields.text("VAE"))
    hash_of = hashes_of(fields, vae)
    version = fields.text("Version")
    fields.drop("App", "Created Date", "User", "Build")
    embeddings = embeddings_of(settings)
    units = controls(fields)
    found = Found(
        tool,
        fields,
        prompt,
        negative,
        fields.number("CFG scale", "Guidance scale"),
        steps=fields.take("Steps"),
        seed=fields.take("Seed"),
        sampler=sampler,
        schedule=schedule,
        size=read_size(fields),
        model=str(fields.take("Model") or ""),
        hashes=tuple(filter(None, [str(fields.take("Model hash") or ""), hash_of.pop("", "")])),
        hash_of=hash_of,
        vae=vae or hash_of.pop(NO_NAME, ""),
        clip_skip=take_layer(fields, "Clip skip", own=(1,)),
        seamless=fields.among("Tiling", {"true": "both"}),
        rescale=fields.number("CFG Rescale", "CFG rescale", "CFG Rescale phi", "Guidance rescale"),
        eta=fields.number("Eta DDIM", "Eta"),
        variation_seed=fields.take("Variation seed"),
        variation_strength=fields.number("Variation seed strength"),
        noise={"cpu": "cpu", "gpu": "device"}.get(fields.text("RNG").lower(), ""),
        loras=untagged(fields, settings, f"{prompt}\n{negative}"),
        embeddings=embeddings,
        controls=[one for one in units if not is_image_prompt(one)],
        image_prompts=[one for one in units if is_image_prompt(one)],
    )
    # The first digits of the file's SHA-256, of which the site knows ten (AutoV2).
    found.links = {
        name: hash_of[name][:10] for name in embeddings if len(hash_of.get(name, "")) > 10
    }
    for name in embeddings:
        if not mentions(f"{prompt}\n{negative}", name):
            found.notes.append(f"the embedding {name[:80]!r} is listed, and stands in no prompt")
    if "RNG" in settings and not found.noise:
        found.notes.append(f"sampler.noise: RNG {settings['RNG']!r} is not known; cpu is used")
    second_pass(fields, found, settings)
    found.refining = refining(fields, bool(found.second_pass), version)
    detailer(fields, found)
    found.freeu = in_settings(fields, found.notes)
    soft_inpainting(fields, found)
    return found


def named(value: Any) -> str:
    """A model's name; "" for what stands for none, or for the base's own."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.lower() in ("none", "automatic", "default (model)") else text[:200]


def read_size(fields: Fields) -> tuple[int, int] | None:
    """Width and height of ``Size: 512x768``; anything else stays to be noted."""
    given = fields.take("Size")
    match = _SIZE.fullmatch(given) if isinstance(given, str) else None
    if given and match is None:
        fields.put("Size", given)
    return (int(match[1]), int(match[2])) if match else None


def _sampler(fields: Fields) -> tuple[str, str]:
    """Names of sampler and noise schedule; older versions write them as one."""
    name = fields.text("Sampler").strip()
    schedule = fields.text("Schedule type", "Scheduler").strip()
    head, _, tail = name.rpartition(" ")
    if not schedule and head and tail.lower() in _SCHEDULES:
        return head, tail
    return name, schedule


READERS.register("AUTOMATIC1111", Reader(read, order=100))
