"""Whole models in one file: what their headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.library.families import (
    DEFAULT,
    EPSILON,
    UNET,
    Shapes,
    V,
    family_of,
    family_of_file,
    has,
)
from studio.library.networks import network_problem

FIRST = f"{UNET}input_blocks.0.0.weight"
_LEVEL = re.compile(r"first_stage_model\.encoder\.down\.(\d+)\.")


def describe_checkpoint(
    shapes: Shapes, header: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Fields of a :class:`ModelEntry` for a file that holds a denoising network of a family.

    Args:
        shapes: by tensor.
        header: with the marks that some files carry as empty tensors.
        metadata: of the file.
    """
    name, usual = family_of_file(shapes)
    name = name or DEFAULT
    family = family_of(name)
    factor = 2 ** (len({match[1] for key in shapes if (match := _LEVEL.match(key))}) - 1)
    sized = family.in_file is not None and "addition_embed_type" in family.in_file.network
    problem = _problem(shapes, sized)
    if factor < 1:
        problem = problem or "holds no autoencoder; put the whole pipeline there"
        factor = family.latent_factor
    latent = shapes.get("first_stage_model.post_quant_conv.weight", (4, family.latent_channels))[1]
    return {
        "kind": "base",
        "family": name,
        "channels": shapes[FIRST][1],
        "problem": problem,
        "prediction": _stated(header, metadata) or usual or family.predicts[0],
        "latent_space": f"{latent}x{factor}:{family.scaling:.6g}",
        "size": family.size,
        "multiple": factor,
    }


def _problem(shapes: Shapes, sized: bool) -> str:
    """Why the network is no base or row. ``sized``: whether its family's takes labels of size."""
    labelled = has(shapes, f"{UNET}label_emb.")
    if labelled and has(shapes, "conditioner.embedders.0.model."):
        return "is an SDXL refiner; the studio runs the base without it"
    given = shapes.get(f"{UNET}out.2.weight", (4,))[0]
    return network_problem(shapes[FIRST][1], given, labelled=labelled and not sized)


def _stated(header: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The prediction that the file itself states; "" for none."""
    stated = str(metadata.get("modelspec.prediction_type", "")).lower()
    if "v_pred" in header or stated.startswith("v"):
        return V
    return EPSILON if stated.startswith("e") else ""
