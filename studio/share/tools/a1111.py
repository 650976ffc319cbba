"""AUTOMATIC1111's web UI and the many that write as it does (Forge, reForge, SD.Next, civitai.com).

The text is the prompt, lines from ``Negative prompt:`` on, and a last line of settings:
``Steps: 20, Sampler: Euler a, Model: "a, b"``. A value that holds a comma, a colon or a line break
is a JSON string; some tools put a JSON object or list there. The text is read once, from left to
right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from studio.share.texts import Texts
from studio.share.tools.prompts import number
from studio.share.tools.table import READERS, ControlUse, Fields, Found, Reader

NEGATIVE = "Negative prompt:"
_KNOWN = ("Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash")
_KEY = re.compile(r"\s*+(\w[\w \-/]{0,80}):\s*+")
_DECODER = json.JSONDecoder()
MAX_LINES = 2000
MAX_SETTINGS = 100_000  # characters of the line of settings that are read
MAX_DECODED = 200  # values in it that begin as JSON
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


def pairs(line: str) -> dict[str, Any]:
    """The settings of a line, in one pass; values keep their text, quotes are taken off."""
    line = line[:MAX_SETTINGS]
    found: dict[str, list[Any]] = {}
    place, last, decoded = 0, "", 0
    while place < len(line):
        match = _KEY.match(line, place)
        if match is None:  # a comma inside a value that nobody quoted
            end = _comma(line, place)
            if last:
                found[last] += [",", line[place:end]]
            place = end + 1
            continue
        start, last = match.end(), match[1].strip()
        value, place = None, start
        if line[start : start + 1] in ('"', "{", "[") and decoded < MAX_DECODED:
            decoded += 1
            value, place = _decoded(line, start)
        if value is None:
            place = _comma(line, start)
            value = line[start:place].strip()
            place += 1
        if last in found:
            last = ""
        else:
            found[last] = [value]
    return {key: _joined(values) for key, values in found.items()}


def _joined(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else "".join(map(str, values)).strip()


def _decoded(line: str, start: int) -> tuple[Any, int]:
    """A JSON value and the place behind the comma that ends it; ``None`` for neither."""
    try:
        value, end = _DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        return None, start
    rest = _comma(line, end)
    return (None, start) if line[end:rest].strip() else (value, rest + 1)


def _comma(line: str, start: int) -> int:
    place = line.find(",", start)
    return len(line) if place < 0 else place


def to_found(parts: tuple[str, str, dict[str, Any]], tool: str) -> Found:
    """What the settings say; what they say besides stays to be noted."""
    prompt, negative, settings = parts
    fields = Fields(settings)
    sampler, schedule = _sampler(fields)
    hash_of = _hashes(fields, str(settings.get("VAE") or ""))
    fields.drop("Version", "App")
    fields.drop("Created Date", "User", "Parser", "Build", "Operations")
    embeddings = _embeddings(settings)
    units = _controls(fields)
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
        vae=named(fields.take("VAE")),
        rescale=fields.number("CFG Rescale", "CFG rescale", "CFG Rescale phi", "Guidance rescale"),
        eta=fields.number("Eta DDIM", "Eta"),
        variation_seed=fields.take("Variation seed"),
        variation_strength=fields.number("Variation seed strength"),
        noise={"cpu": "cpu", "gpu": "device"}.get(fields.text("RNG").lower(), ""),
        embeddings=embeddings,
        controls=[one for one in units if not _is_image_prompt(one)],
        image_prompts=[one for one in units if _is_image_prompt(one)],
    )
    if "RNG" in settings and not found.noise:
        found.notes.append(f"sampler.noise: RNG {settings['RNG']!r} is not known; cpu is used")
    _note_second_pass(fields, found)
    if "Clip skip" in settings:
        fields.drop_if("Clip skip", "1", 1)
    return found


def named(value: Any) -> str:
    """A model's name; "" for what stands for none, or for the base's own."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.lower() in ("none", "automatic", "default (model)") else text[:200]


def read_size(fields: Fields) -> tuple[int, int] | None:
    """Width and height of ``Size: 512x768``; anything else stays to be noted."""
    given = fields.take("Size")
    match = _SIZE.fullmatch(given) if isinstance(given, str) else None
    return (int(match[1]), int(match[2])) if match else None


def _sampler(fields: Fields) -> tuple[str, str]:
    """Names of sampler and noise schedule; older versions write them as one."""
    name = fields.text("Sampler").strip()
    schedule = fields.text("Schedule type", "Scheduler").strip()
    head, _, tail = name.rpartition(" ")
    if not schedule and head and tail.lower() in _SCHEDULES:
        return head, tail
    return name, schedule


def _embeddings(settings: Mapping[str, Any]) -> list[str]:
    """Embeddings whose hashes the web UI wrote down: those that it found in the prompts."""
    names = [name for name, _ in _pairs(settings.get("TI hashes") or settings.get("TI"))]
    hashes = settings.get("Hashes")
    if isinstance(hashes, dict):
        names += [key[len("embed:") :] for key in hashes if key.startswith("embed:")]
    return [name for name in dict.fromkeys(names) if name]


def _hashes(fields: Fields, vae: str) -> dict[str, str]:
    """Hashes by name of LoRAs, embeddings and the autoencoder; the base's under ""."""
    found: dict[str, str] = {}
    for name in ("Lora hashes", "TI hashes", "TI"):
        found |= {key: value for key, value in _pairs(fields.take(name)) if value}
    listed = fields.take("Hashes")
    for name, value in listed.items() if isinstance(listed, dict) else ():
        kind, _, called = str(name).partition(":")
        if isinstance(value, str) and (called or kind == "model"):
            found[called] = value
    digest = fields.take("VAE hash")
    if isinstance(digest, str) and vae:
        found[vae] = digest
    return found


def _pairs(listed: Any) -> list[tuple[str, str]]:
    """``name: hash, name: hash``, as the web UI lists what it used."""
    items = listed.split(",")[:200] if isinstance(listed, str) else ()
    split = (item.rpartition(":") if ":" in item else (item, "", "") for item in items)
    return [(name.strip(), digest.strip()) for name, _, digest in split]


def _controls(fields: Fields) -> list[ControlUse]:
    """``ControlNet 0: "Module: canny, Model: name [hash], Weight: 1, Guidance Start: 0, …"``."""
    found = []
    for name, value in fields.starting("ControlNet").items():
        unit = Fields({k.lower(): v for k, v in pairs(str(value)).items()})
        model = str(unit.take("model") or "").partition(" [")[0]
        if model.lower() in ("", "none"):
            model = ""
        start, end = unit.number("guidance start"), unit.number("guidance end")
        found.append(
            ControlUse(
                model or name,
                str(unit.take("module", "preprocessor") or ""),
                float(_or(unit.number("weight"), 1.0)),
                _range(_or(start, 0.0), _or(end, 1.0)),
            )
        )
        unit.drop("processor res", "threshold a", "threshold b", "pixel perfect", "hr option")
        unit.drop_if("control mode", "Balanced")
        unit.drop_if("resize mode", "Crop and Resize")
        left = unit.notes()
        if left:
            fields.put(name, "; ".join(left))
    return found


def _is_image_prompt(unit: ControlUse) -> bool:
    """Whether a unit of the ControlNet extension holds an IP-Adapter."""
    return any(
        text.lower().replace("_", "-").startswith("ip-adapter") for text in (unit.model, unit.kind)
    )


def _or(value: float | None, plain: float) -> float:
    return plain if value is None else value


def _range(start: float, end: float) -> tuple[float, float]:
    start, end = (min(1.0, max(0.0, float(edge))) for edge in (start, end))
    return (start, end) if start < end else (0.0, 1.0)


def _note_second_pass(fields: Fields, found: Found) -> None:
    """Hires fix, or a picture that it started from: both state how much was made anew."""
    hires = fields.starting("Hires")
    strength = fields.take("Denoising strength")
    if hires or strength is not None:
        value = number(strength)
        if hires:
            stated = hires if strength is None else {**hires, "Denoising strength": strength}
            listed = ", ".join(f"{key} {given}" for key, given in stated.items())
            found.notes.append(f"a second pass is not carried over ({listed})"[:500])
        elif value is None or value < 1:
            found.notes.append(
                f"image to image is not carried over (Denoising strength {strength})"[:500]
            )


READERS.register("AUTOMATIC1111", Reader(read, order=100))
