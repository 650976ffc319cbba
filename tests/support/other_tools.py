"""Pictures as other tools write them, made by hand from their formats' own rules."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio import share
from studio.preset import Preset

EXIF_IFD, USER_COMMENT = 0x8769, 0x9286
_COUNT = count()


def png(
    folder: Path,
    chunks: Mapping[str, str] = MappingProxyType({}),
    *,
    size: tuple[int, int] = (64, 64),
    **more: str,
) -> Path:
    """A PNG with these text chunks."""
    info = PngInfo()
    for key, value in {**chunks, **more}.items():
        info.add_itxt(key, value)
    path = folder / f"theirs{next(_COUNT)}.png"
    Image.new("RGB", size, "teal").save(path, pnginfo=info)
    return path


def photo(folder: Path, comment: bytes, suffix: str = "jpg", first: bool = False) -> Path:
    """A JPEG or WebP with this user comment, in the EXIF part or in the first one."""
    exif = Image.Exif()
    if first:
        exif[USER_COMMENT] = comment
    else:
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = comment
    path = folder / f"theirs{next(_COUNT)}.{suffix}"
    Image.new("RGB", (64, 64), "teal").save(path, exif=exif.tobytes())
    return path


def read(path: Path, models: Any = ("mymodel",)) -> tuple[Preset, str]:
    """The preset in a picture, and its notes as one text."""
    preset, notes = share.read_image(path, models)
    return preset, "\n".join(notes)


def rows(preset: Preset) -> list[tuple[str, float]]:
    """Prompt and weight of every row."""
    return [(row.prompt, row.weight) for row in preset.rows]


PLAIN = [("a cat", 7.0), ("bad", -6.0)]


def a1111(prompt: str = "a cat", negative: str = "bad", more: str = "", size: str = "64x96") -> str:
    """The web UI's text."""
    lines = [prompt, *([f"Negative prompt: {negative}"] if negative else [])]
    settings = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: {}, Model: mymodel{}"
    return "\n".join([*lines, settings.format(size, more)])


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node of ComfyUI's graph."""
    return {"class_type": kind, "inputs": inputs}


def encode(text: Any, clip: str = "4") -> dict[str, Any]:
    """A text through the checkpoint's encoder."""
    return node("CLIPTextEncode", text=text, clip=[clip, 1])


def graph(**changed: dict[str, Any]) -> dict[str, Any]:
    """ComfyUI's default graph of ``PLAIN``, with nodes added or replaced: ``n7`` is node 7."""
    sampler = node(
        "KSampler",
        seed=42,
        steps=20,
        cfg=7.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
        model=["4", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    )
    nodes = {
        "3": sampler,
        "4": node("CheckpointLoaderSimple", ckpt_name="mymodel.safetensors"),
        "5": node("EmptyLatentImage", width=64, height=96, batch_size=1),
        "6": encode("a cat"),
        "7": encode("bad"),
    }
    return nodes | {key.removeprefix("n"): value for key, value in changed.items()}


def sampler(**inputs: Any) -> dict[str, Any]:
    """The default sampler with other inputs."""
    return node("KSampler", **(graph()["3"]["inputs"] | inputs))


def comfy(folder: Path, nodes: dict[str, Any]) -> Path:
    """A PNG with a graph and no drawing of it."""
    return png(folder, prompt=json.dumps(nodes))


def stealth(
    folder: Path, text: str, packed: bool = True, place: str = "alpha", suffix: str = "png"
) -> Path:
    """A picture with ``text`` in its lowest bits, column by column."""
    data = gzip.compress(text.encode()) if packed else text.encode()
    name = f"stealth_{'png' if place == 'alpha' else 'rgb'}{'comp' if packed else 'info'}"
    stream = name.encode() + (len(data) * 8).to_bytes(4, "big") + data
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))
    width, height, channels = 96, 80, 4 if place == "alpha" else 3
    pixels = np.full((width, height, channels), 254, np.uint8)  # column by column
    target = pixels[..., 3] if place == "alpha" else pixels
    flat = target.reshape(-1).copy()
    flat[: bits.size] |= bits
    if place == "alpha":
        pixels[..., 3] = flat.reshape(width, height)
    else:
        pixels = flat.reshape(width, height, channels)
    path = folder / f"theirs{next(_COUNT)}.{suffix}"
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
    image.save(path, lossless=True) if suffix == "webp" else image.save(path)
    return path
