"""Images that carry their preset.

PNG: an iTXt chunk ``guidance_studio`` holds the versioned preset, images included; a
``parameters`` chunk beside it says what other tools can read of it. JPEG and WebP: both in one
EXIF UserComment, in the ``parameters`` grammar with a last key for the packed preset; control
images that do not fit into its 64 KB stay references.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio.errors import StudioError
from studio.files import slug, write_atomically, write_new
from studio.preset import ModelRef, Preset, Row
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.prompts import split_prompt
from studio.preset.schedulers import AUTOMATIC, SCHEDULERS
from studio.settings.file_names import filled
from studio.share.embed import drop_images, embed_images
from studio.share.exif import EXIF_IFD, UNICODE_PREFIX, USER_COMMENT
from studio.share.link import pack
from studio.share.upscaler_names import name_of

UNSAVED = "guidance-studio-unsaved"  # in the temporary folder
PNG_KEY = "guidance_studio"
COMMENT_KEY = "Guidance Studio"
JPEG_QUALITY = 95
MAX_COMMENT_CHARACTERS = 30_000  # UTF-16 in one 64 KB segment of a JPEG


@dataclass(frozen=True)
class Naming:
    """What a picture's file is called.

    ``pattern``: of :mod:`studio.settings.file_names`; without one the name is new and sorts by time.
    ``taken``: whether a name is not to be had though no file has it, as that of a picture in the bin.
    """

    pattern: str = ""
    taken: Callable[[Path], bool] = lambda path: False


BY_TIME = Naming()


def save_image(
    image: Image.Image,
    preset: Preset,
    folder: str | Path,
    roots: Sequence[str | Path] = (),
    naming: Naming = BY_TIME,
) -> Path:
    """Save a PNG that carries ``preset``, under a name that no file has.

    Args:
        preset: makes this image again (its seed, count 1), as :class:`studio.events.Done` has it.
        roots: folders that the preset's relative control images may lie in.
    """
    data = encode(image, preset, ".png", roots)
    return save_encoded(data, preset, image.size, folder, naming)


def save_encoded(
    data: bytes,
    preset: Preset,
    size: tuple[int, int],
    folder: str | Path,
    naming: Naming = BY_TIME,
) -> Path:
    """Save a PNG that carries ``preset`` already as :func:`save_image` does.

    Args:
        size: of the picture, width and height in pixels.
    """
    now = datetime.now()
    stem = filled(naming.pattern, _values(preset, size, now), _stem(preset, now))
    return write_new(Path(folder), stem, ".png", data, naming.taken)


def _stem(preset: Preset, now: datetime) -> str:
    """The studio's own: its beginning is what :data:`studio.outputs.STAMP` reads."""
    stamp = now.strftime("%Y%m%d-%H%M%S-%f")
    words = slug(preset.name or _prompt(preset))
    return "-".join(filter(None, [stamp, f"seed{preset.sampler.seed}", words]))


def _values(preset: Preset, size: tuple[int, int], now: datetime) -> dict[str, str]:
    """Of each token of a pattern."""
    sampler = preset.sampler
    return {
        "date": now.strftime("%Y-%m-%d"),
        "time": now.strftime("%H-%M-%S"),
        "seed": str(sampler.seed),
        "model": re.sub(r"\.(safetensors|sft|ckpt|gguf)$", "", PurePath(preset.base).name),
        "prompt": _prompt(preset),
        "preset": preset.name,
        "width": str(size[0]),
        "height": str(size[1]),
        "steps": str(sampler.steps),
        "sampler": sampler.scheduler,
    }


def _prompt(preset: Preset) -> str:
    return next((row.prompt for row in preset.rows if row.prompt), "")


def save_or_keep(
    image: Image.Image,
    preset: Preset,
    folder: str | Path,
    roots: Sequence[str | Path] = (),
    naming: Naming = BY_TIME,
) -> tuple[Path, str]:
    """:func:`save_image`; where that fails, the picture is kept in the temporary folder instead.

    Returns:
        Its path, and "" or what went wrong and where it is now.

    Raises:
        StudioError: neither folder can be written to.
    """
    try:
        return save_image(image, preset, folder, roots, naming), ""
    except StudioError as error:
        kept = Path(tempfile.gettempdir()) / UNSAVED
        path = save_image(image, preset, kept, roots)
        return path, f"{error}; the picture is kept as {path} instead"


def write_metadata(
    image: Image.Image, preset: Preset, path: str | Path, roots: Sequence[str | Path] = ()
) -> Path:
    """Save ``image`` with its preset to ``path``, as PNG, JPEG or WebP by its suffix."""
    path = Path(path)
    return write_atomically(path, encode(image, preset, path.suffix, roots))


def encode(
    image: Image.Image, preset: Preset, suffix: str, roots: Sequence[str | Path] = ()
) -> bytes:
    """The bytes of an image file that carries ``preset``."""
    full = embed_images(preset, roots)
    parameters = parameters_text(preset, image.size)
    buffer = io.BytesIO()
    match suffix.lower():
        case ".png":
            image.save(buffer, format="PNG", pnginfo=_chunks(full, parameters))
        case ".jpg" | ".jpeg":
            exif = _comment(preset, full, parameters)
            image.convert("RGB").save(buffer, format="JPEG", quality=JPEG_QUALITY, exif=exif)
        case ".webp":
            image.save(buffer, format="WEBP", quality=95, exif=_comment(preset, full, parameters))
        case other:
            raise StudioError(f"cannot write {other or 'no suffix'}; png, jpg, webp", field="path")
    return buffer.getvalue()


def _chunks(full: Preset, parameters: str) -> PngInfo:
    chunks = PngInfo()
    # Not compressed: readers refuse compressed text of more than 1 MiB.
    chunks.add_itxt(PNG_KEY, full.to_json())
    chunks.add_itxt("parameters", parameters)
    return chunks


def _comment(preset: Preset, full: Preset, parameters: str) -> Image.Exif:
    packed = pack(full)
    if len(packed) + len(parameters) > MAX_COMMENT_CHARACTERS:
        packed = pack(drop_images(preset, keep_files=True)[0])
    text = f"{parameters}, {COMMENT_KEY}: {packed}"
    if len(text) > MAX_COMMENT_CHARACTERS:
        text = f"{_settings(full, None)}, {COMMENT_KEY}: {packed}"
    if len(text) > MAX_COMMENT_CHARACTERS:
        raise StudioError("the preset is too long for a JPEG or WebP; save a PNG", field="rows")
    return comment_of(text)


def comment_of(text: str) -> Image.Exif:
    """The text as a picture's user comment, where the web UIs write theirs; what is longer than a JPEG
    holds is cut."""
    exif = Image.Exif()
    shown = text[:MAX_COMMENT_CHARACTERS].encode("utf_16_be", "replace")
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = UNICODE_PREFIX + shown
    return exif


def parameters_text(preset: Preset, size: tuple[int, int] | None = None) -> str:
    """The preset as the web UIs' ``parameters``, as well as that grammar can say it.

    Positive rows become one prompt (several joined by ``AND`` with their weights relative to the
    first, which is the CFG scale), negative ones the negative prompt, on one line as SwarmUI
    expects it. LoRAs are tags, by which civitai.com lists them.
    """
    rows = [row for _, row in preset.active_rows() if row.prompt]
    positive = [row for row in rows if row.weight > 0]
    negative = " ".join(", ".join(row.prompt for row in rows if row.weight < 0).split())
    lines = [" ".join(filter(None, [_joined(positive), *_tags(positive)]))]
    if negative:
        lines.append(f"Negative prompt: {negative}")
    lines.append(_settings(preset, size))
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


def _settings(preset: Preset, size: tuple[int, int] | None) -> str:
    sampler = preset.sampler
    width, height = size or (sampler.width, sampler.height)
    if preset.second_pass.on:  # what is said is the first's
        width, height = sampler.width, sampler.height
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
        **_detailer(preset),
    }
    return ", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items() if value != "")


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
    }


def _detailer(preset: Preset) -> dict[str, object]:
    """A detail pass as ADetailer's, which finds faces; nothing for any other."""
    again = preset.detail
    if again.finder != "faces":
        return {}
    said = {
        "model": "face_yolov8n.pt",
        "prompt": again.prompt,
        "mask only top k largest": again.most,
        "dilate erode": again.grow,
        "denoising strength": f"{again.strength:g}",
        "inpaint only masked": "True",
        "inpaint padding": again.padding,
    }
    return {f"ADetailer {name}": value for name, value in said.items()}


def _sampler_name(name: str) -> str:
    kind = SCHEDULERS[name]
    return kind.a1111 or kind.title


def _schedule_name(name: str) -> str:
    kind = NOISE_SCHEDULES[name]
    return "" if name == AUTOMATIC else kind.a1111 or kind.title


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ",:\n") else text
