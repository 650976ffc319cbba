"""What a safetensors file is, from the names, shapes and metadata in its header alone."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.library.adapter_headers import describe_adapter, describe_embedding, trigger
from studio.library.networks import network_problem

MAX_HEADER_BYTES = 100 * 2**20

_UNET = "model.diffusion_model."
_FIRST = f"{_UNET}input_blocks.0.0.weight"


def read_header(path: Path) -> dict[str, Any]:
    """Names, types and shapes of a safetensors file, without its weights.

    Raises:
        ValueError: truncated, too large or no safetensors header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(MAX_HEADER_BYTES, size - 8):
            raise ValueError("no safetensors header")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("no safetensors header")  # noqa: TRY004 - the file is at fault
    ends = [
        v["data_offsets"][1]
        for k, v in header.items()
        if k != "__metadata__" and isinstance(v, dict) and "data_offsets" in v
    ]
    if ends and size != 8 + length + max(ends):
        raise ValueError(f"holds {size} of {8 + length + max(ends)} bytes: a truncated download")
    return header


def describe(
    header: Mapping[str, Any], stem: str, among_embeddings: bool = False
) -> dict[str, Any] | None:
    """Fields of a :class:`ModelEntry` for a lone file; ``None`` for what is no model.

    Args:
        header: from :func:`read_header`.
        stem: the file's name without its suffix, which names an embedding's word.
        among_embeddings: whether it lies where people put embeddings.
    """
    metadata = header.get("__metadata__") or {}
    shapes = {
        k: tuple(v["shape"])
        for k, v in header.items()
        if k != "__metadata__" and isinstance(v, dict) and "shape" in v
    }
    if _FIRST in shapes:
        return {"trigger": trigger(metadata)} | _whole_model(shapes, header, metadata)
    if (adapter := describe_adapter(shapes, metadata)) is not None:
        return adapter
    if any(key.startswith(("control_model.", "controlnet_cond_embedding.")) for key in shapes):
        return {
            "kind": "controlnet",
            "problem": (
                "is a ControlNet in one file; put the folder in diffusers' layout there instead"
            ),
        }
    return describe_embedding(shapes, stem, among_embeddings or stem == "learned_embeds")


def _whole_model(
    shapes: Mapping[str, tuple[int, ...]], header: Mapping[str, Any], metadata: Mapping[str, str]
) -> dict[str, Any]:
    """SD 1.x, 2.x or XL in one file."""
    family = (
        "sdxl"
        if any(key.startswith("conditioner.embedders.1.") for key in shapes)
        else "sd2"
        if any(key.startswith("cond_stage_model.model.") for key in shapes)
        else "sd1"
    )
    channels = shapes[_FIRST][1]
    factor = 2 ** (
        len(
            {
                m[1]
                for k in shapes
                if (m := re.match(r"first_stage_model\.encoder\.down\.(\d+)\.", k))
            }
        )
        - 1
    )
    given = shapes.get(f"{_UNET}out.2.weight", (4,))[0]
    labelled = family != "sdxl" and any(key.startswith(f"{_UNET}label_emb.") for key in shapes)
    problem = ""
    if any(key.startswith("conditioner.embedders.0.model.") for key in shapes):
        problem = "is an SDXL refiner; the studio runs the base without it"
    elif told_problem := network_problem(channels, given, labelled=labelled):
        problem = told_problem
    elif factor < 1:
        problem, factor = "holds no autoencoder; put the whole pipeline there", 8
    scale = {"sdxl": 0.13025}.get(family, 0.18215)
    latent = shapes.get("first_stage_model.post_quant_conv.weight", (4, 4))[1]
    told = str(metadata.get("modelspec.prediction_type", "")).lower()
    prediction = (
        "v_prediction"
        if "v_pred" in header or told.startswith("v")
        else "epsilon"
        if told.startswith("e")
        # As diffusers takes it: SD 2 is the 768 model unless the file says otherwise.
        else "v_prediction"
        if family == "sd2"
        else "epsilon"
    )
    return {
        "kind": "base",
        "family": family,
        "channels": channels,
        "problem": problem,
        "prediction": prediction,
        "latent_space": f"{latent}x{factor}:{scale:.6g}",
        "size": {"sd1": 512, "sd2": 768, "sdxl": 1024}[family],
        "multiple": factor,
    }
