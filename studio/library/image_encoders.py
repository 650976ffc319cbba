"""The image encoder (CLIP) that an IP-Adapter sees with: where it lies, from names and headers.

It is the folder ``image_encoder`` beside the adapter, as its authors publish both, or lies among
others in a folder ``clip_vision``, as ComfyUI has them, each a folder or one file: of those it is the
one whose features are as wide as what the adapter reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import Any

from studio.library.entry import SAFETENSORS, ModelEntry
from studio.library.family import Shapes, shapes_of
from studio.library.folders import read_json
from studio.library.headers import read_header

ENCODER, SEVERAL = "image_encoder", "clip_vision"
PATCHES, EMBEDDING = "hidden_size", "projection_dim"  # what an adapter reads: settings of CLIP
# The tensor of an adapter whose second axis is as wide as what it reads, and what that is.
_READS = {
    "image_proj.proj.weight": EMBEDDING,
    "image_proj.proj_in.weight": PATCHES,
    "image_proj.proj.0.weight": PATCHES,
}
_VISION = "vision_model."
_HEADS = {768: 12, 1024: 16, 1280: 16, 1408: 16, 1664: 16}  # by width, of those that there are
_OPENAI = (768, 1024)  # widths of OpenAI's own, which have another activation
NEEDS = (
    f"needs its image encoder: put the folder {ENCODER!r} (CLIP, in transformers' layout) beside it, "
    f"or its file into a folder {SEVERAL!r} there"
)


def seeing(entry: ModelEntry) -> ModelEntry:
    """The entry, with its problem where it is an IP-Adapter that has nothing to see with."""
    if entry.kind != "ip-adapter" or entry.problem or not entry.path:
        return entry
    problem = _problem(Path(entry.path))
    return replace(entry, problem=problem) if problem else entry


def _problem(adapter: Path) -> str:
    shapes = _shapes(adapter)
    encoder = _beside(adapter) or _among(adapter, shapes)
    if encoder is None:
        return NEEDS
    what, width = reads(shapes)
    given = config_of(encoder).get(what)
    return other_width(encoder, width, given) if width and given and given != width else ""


def other_width(encoder: Path, width: int, given: Any) -> str:
    """What is wrong with an image encoder whose features are ``given`` wide, not ``width``."""
    return (
        f"reads features {width} wide, and its image encoder {encoder.name!r} has {given}; it was "
        "made for another one"
    )


def image_encoder(adapter: Path) -> Path | None:
    """The folder or file of the image encoder of an IP-Adapter's file; ``None`` for none."""
    return _beside(adapter) or _among(adapter, _shapes(adapter))


def _shapes(adapter: Path) -> Shapes:
    """What its header says; nothing where that cannot be read."""
    try:
        return shapes_of(read_header(adapter))
    except (OSError, ValueError):
        return {}


def _beside(adapter: Path) -> Path | None:
    return next((up / ENCODER for up in adapter.parents[:2] if (up / ENCODER).is_dir()), None)


def _among(adapter: Path, shapes: Shapes) -> Path | None:
    """Among several, the one whose features are as wide as what the adapter reads."""
    what, width = reads(shapes)
    among = (item for up in adapter.parents[:3] for item in _items(up / SEVERAL))
    return next((item for item in among if width and config_of(item).get(what) == width), None)


def reads(adapter: Shapes) -> tuple[str, int]:
    """Which features of CLIP an adapter reads, :data:`PATCHES` or :data:`EMBEDDING`, and their width."""
    found = (
        (what, adapter[key][1]) for key, what in _READS.items() if len(adapter.get(key, ())) > 1
    )
    return next(found, ("", 0))


def _items(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except OSError:
        return


def config_of(path: Path) -> Mapping[str, Any]:
    """The settings of an encoder's folder, or of a file in transformers' names; {} for no encoder."""
    if path.is_dir():
        return read_json(path / "config.json")
    if not path.name.lower().endswith(SAFETENSORS):
        return {}
    try:
        return _of_file(shapes_of(read_header(path)))
    except (OSError, ValueError, LookupError):  # damaged, or something else
        return {}


def _of_file(shapes: Shapes) -> dict[str, Any]:
    width, _, patch, _ = shapes[f"{_VISION}embeddings.patch_embedding.weight"]
    places = shapes[f"{_VISION}embeddings.position_embedding.weight"][0]
    layers = {key.split(".")[3] for key in shapes if key.startswith(f"{_VISION}encoder.layers.")}
    return {
        PATCHES: width,
        EMBEDDING: shapes["visual_projection.weight"][0],
        "patch_size": patch,
        "image_size": patch * isqrt(places - 1),  # one place is the class's
        "num_hidden_layers": len(layers),
        "intermediate_size": shapes[f"{_VISION}encoder.layers.0.mlp.fc1.weight"][0],
        "num_attention_heads": _HEADS.get(width, max(1, width // 64)),
        "hidden_act": "quick_gelu" if width in _OPENAI else "gelu",
    }
