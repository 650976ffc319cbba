"""Presets, links and pictures that carry them: the studio's own and other tools', all mutated."""

from __future__ import annotations

import base64
import io
import json
import zlib
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, PngImagePlugin

from studio.hard.attack import ATTACKS, Attack, Fell
from studio.hard.mutation import bytes_mutated, json_mutated, json_text
from studio.home import PRESETS
from studio.images import store
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import Preset, parse
from studio.share import decode_link, extract, read_image
from studio.share.link import pack
from studio.share.write import EXIF_IFD, UNICODE_PREFIX, USER_COMMENT, encode

_A1111 = (
    "a cat, (very:1.2) AND [old] BREAK <lora:ink:0.8>\nNegative prompt: blurry, bad\n"
    'Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 5, Size: 512x768, Model: "a, b", '
    'Hires upscale: 2, ControlNet 0: "Module: canny, Model: x, Weight: 1"'
)
_COMFY: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 5,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 512, "batch_size": 1},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
}
_INVOKE = {
    "generation_mode": "txt2img",
    "positive_prompt": "a (cat)++",
    "negative_prompt": "bad",
    "seed": 5,
    "steps": 20,
    "cfg_scale": 7.5,
    "width": 512,
    "height": 512,
    "scheduler": "euler",
    "model": {"name": "x"},
}
_NOVEL = {
    "prompt": "{cat}, [dog]",
    "steps": 28,
    "height": 512,
    "width": 512,
    "scale": 5.0,
    "uc": "bad",
    "seed": 5,
    "sampler": "k_euler",
}
_FOOOCUS = {
    "Prompt": "a cat",
    "Negative Prompt": "bad",
    "Steps": 30,
    "Guidance Scale": 4,
    "Seed": "5",
    "Resolution": "(512, 512)",
    "Sampler": "dpmpp_2m",
    "Base Model": "x.safetensors",
}
# Key of a PNG text → what stands there; a JSON value is mutated as one.
_TOOLS: tuple[dict[str, Any], ...] = (
    {"parameters": _A1111},
    {
        "prompt": _COMFY,
        "workflow": {"nodes": [{"id": 3, "type": "KSampler", "widgets_values": [5, "fixed", 20]}]},
    },
    {"invokeai_metadata": _INVOKE},
    {"Software": "NovelAI", "Comment": _NOVEL, "Description": "{cat}"},
    {"parameters": _FOOOCUS, "fooocus_scheme": "fooocus"},
    {
        "parameters": {
            "sui_image_params": {"prompt": "a <lora:x:1>", "seed": 5, "steps": 20, "cfgscale": 7}
        }
    },
)


@lru_cache(maxsize=1)
def shipped() -> tuple[dict[str, Any], ...]:
    """The presets that ship, as plain data."""
    return tuple(
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(PRESETS.glob("*.json"))
    )


@lru_cache(maxsize=1)
def _library() -> Library:
    library = Library()
    len(library)
    return library


def _data(random: Random) -> Any:
    data = random.choice(shipped())
    if random.random() < 0.3:
        data = {**data, "rows": list(data["rows"]) * random.choice((1, 5, 40))}
    return json_mutated(random, data)


def preset(random: Random, folder: Path) -> None:
    """A document: structure or bytes changed; what is valid is compiled and written again."""
    text = (
        json_text(_data(random))
        if random.random() < 0.7
        else bytes_mutated(random, json_text(random.choice(shipped())))
    )
    path = folder / "a.json"
    path.write_bytes(text)
    found = Preset.load(path)
    if parse(found.to_json()) != found:
        raise Fell("what it writes it does not read")
    str(compile_plan(found, _library()))


def link(random: Random, folder: Path) -> None:
    """A link: its letters changed, or what is packed in it."""
    if random.random() < 0.5:
        text = pack(parse(json.dumps(random.choice(shipped()))))
        code = bytes_mutated(random, text.encode()).decode("latin-1")
    else:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflate.compress(json_text(_data(random))) + deflate.flush()
        code = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    extract(decode_link(f"http://x/?p={code}" if random.random() < 0.3 else code))


def picture(random: Random, folder: Path) -> None:
    """A picture that carries a preset of the studio's, its bytes changed."""
    suffix = random.choice((".png", ".jpg", ".webp"))
    document = parse(json.dumps(random.choice(shipped())))
    image = Image.new("RGB", (48, 32), (random.randrange(256), 90, 30))
    path = folder / f"a{suffix}"
    path.write_bytes(bytes_mutated(random, encode(image, document, suffix)))
    if random.random() < 0.5:
        store(path)
    read_image(path, _library())


def other_tools(random: Random, folder: Path) -> None:
    """A picture with another tool's text, that text changed: PNG chunks, or EXIF of JPEG and WebP."""
    texts = {key: _text(random, value) for key, value in random.choice(_TOOLS).items()}
    image, buffer = Image.new("RGB", (16, 16), "gray"), io.BytesIO()
    suffix = random.choice((".png", ".png", ".jpg", ".webp"))
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        for key, text in texts.items():
            info.add_itxt(key, text.encode("utf-8", "replace").decode(), zip=random.random() < 0.3)
        image.save(buffer, "PNG", pnginfo=info)
    else:
        exif = Image.Exif()
        comment = next(iter(texts.values())).encode("utf_16_be", "replace")[:50_000]
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = UNICODE_PREFIX + comment
        image.save(buffer, "JPEG" if suffix == ".jpg" else "WEBP", exif=exif)
    path = folder / f"a{suffix}"
    path.write_bytes(buffer.getvalue())
    found, notes = read_image(path, _library())
    parse(found.to_json())
    if len("".join(notes)) > 100_000:
        raise Fell(f"{len(notes)} notes")


def _text(random: Random, value: Any) -> str:
    if isinstance(value, str):
        return bytes_mutated(random, value.encode()).decode("utf-8", "replace")
    if random.random() < 0.2:
        return bytes_mutated(random, json_text(value)).decode("utf-8", "replace")
    return json.dumps(json_mutated(random, value))


ATTACKS.register("presets", Attack("JSON documents, structure and bytes", preset, seconds=2.0))
ATTACKS.register(
    "links", Attack("links, their letters and what is packed in them", link, seconds=2.0)
)
ATTACKS.register("pictures", Attack("PNG, JPEG and WebP of the studio's own", picture))
ATTACKS.register("other tools", Attack("other tools' texts in PNG, JPEG and WebP", other_tools))
