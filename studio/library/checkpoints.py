"""Networks in one file, whole models among them: what their headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.errors import shorten
from studio.library.control_networks import family_of_t2i
from studio.library.families import DEFAULT, FAMILIES, family_of, family_of_file, family_of_width
from studio.library.family import CONTROL, EPSILON, UNET, VAE, Shapes, V, has
from studio.library.networks import control_of, network_problem
from studio.library.t2i_shapes import MARKS as T2I_MARKS
from studio.library.t2i_shapes import t2i_config

FIRST = f"{UNET}input_blocks.0.0.weight"
_LEVEL = re.compile(rf"{re.escape(VAE)}encoder\.down\.(\d+)\.|encoder\.down_blocks\.(\d+)\.")
_LATENT = (f"{VAE}decoder.conv_in.weight", "decoder.conv_in.weight")
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
# What marks a network of diffusers' own names, alone in its file.
_THEIR_UNET = ("up_blocks.0.resnets.0.conv1.weight", "time_embedding.linear_1.weight")
_THEIR_CONTROL = "controlnet_cond_embedding.conv_in.weight"
_THEIR_VAE = "decoder.up_blocks.0.resnets.0.conv1.weight"
# Ends of names beside weights that are rounded to few bits and mean nothing without their scales.
_ROUNDED = (
    *(".scale_weight", "scaled_fp8", ".weight_scale", ".comfy_quant"),
    *(".absmax", ".quant_map", ".qweight", ".SCB"),
)
# Relatives of ControlNets that are not run, by the beginning of a tensor's name.
_NOT_RUN = {
    "lllite_": "is a ControlNet-LLLite",
    "lora_controlnet": "is a Control-LoRA",
    "difference": "is a ControlNet saved as the difference from a base",
}


def describe_checkpoint(
    shapes: Shapes, header: Mapping[str, Any], metadata: Mapping[str, Any], stem: str
) -> dict[str, Any] | None:
    """Fields of a :class:`ModelEntry` for a file with a network; ``None`` for one without.

    Args:
        shapes: by canonical name (:func:`studio.library.family.shapes_of`).
        header: with the marks that some files carry as empty tensors.
        metadata: of the file.
        stem: its name, which says what a ControlNet reads.
    """
    fields = _control(shapes, stem) or _network(shapes, header, metadata) or _autoencoder(shapes)
    if fields is not None and (mark := next((k for k in shapes if k.endswith(_ROUNDED)), "")):
        return fields | {
            "problem": f"is rounded to few bits with scales beside ({shorten(mark)}), which are not "
            "read; take the model in 16 bits, or in plain 8-bit floats"
        }
    if fields is not None and _SHARD.search(stem):
        return fields | {
            "problem": (
                "is one part of several; put the folder in diffusers' layout there, with its index"
            )
        }
    return fields


def _control(shapes: Shapes, stem: str) -> dict[str, Any] | None:
    """A ControlNet or one of its relatives."""
    problem = next((why for mark, why in _NOT_RUN.items() if has(shapes, mark)), "")
    relative = problem and not has(shapes, f"{UNET}input_blocks.")
    adapts = has(shapes, *T2I_MARKS)
    if not (relative or adapts or has(shapes, CONTROL) or _THEIR_CONTROL in shapes):
        return None
    form = "controlnet-union" if "task_embedding" in shapes else ""
    return {
        "kind": "controlnet",
        "family": family_of_t2i(t2i_config(shapes)) if adapts else family_of_network(shapes),
        "control": control_of(stem),
        "form": "t2i-adapter" if adapts else form,
        "problem": f"{problem}; the studio runs whole ControlNets" if problem else "",
    }


def _network(
    shapes: Shapes, header: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any] | None:
    """A whole model, or a denoising network that reads with its base's text towers."""
    name, usual = family_of_file(shapes)
    theirs = all(mark in shapes for mark in _THEIR_UNET)
    if FIRST not in shapes and not theirs:
        return None
    refiner = has(shapes, "conditioner.embedders.0.model.") and has(shapes, f"{UNET}label_emb.")
    alone = not name and not refiner
    name = name or family_of_network(shapes) or DEFAULT
    family = family_of(name)
    first, last = (
        ("conv_in.weight", "conv_out.weight") if theirs else (FIRST, f"{UNET}out.2.weight")
    )
    sized = family.in_file is not None and "addition_embed_type" in family.in_file.network
    labelled = has(shapes, f"{UNET}label_emb.", "class_embedding.") and not sized
    given = shapes.get(last, (family.latent_channels,))[0]
    problem = network_problem(shapes[first][1], given, labelled=labelled)
    if refiner:
        problem = "is an SDXL refiner; the studio runs the base without it"
    space = _latent_space(shapes, family.scaling)
    usual_space = "" if alone else family.latent_space
    return {
        "kind": "finetune" if alone else "base",
        "family": name,
        "channels": shapes[first][1],
        "problem": problem,
        "prediction": _stated(header, metadata) or ("" if alone else usual or family.predicts[0]),
        "latent_space": space[0] if space else usual_space,
        "size": family.size,
        "multiple": space[1] if space else family.latent_factor,
        "lacks": (*(() if space else ("vae",)), *(("text",) if alone else ())),
    }


def _autoencoder(shapes: Shapes) -> dict[str, Any] | None:
    """An autoencoder alone; its scale is that of the base whose latents it decodes."""
    if not has(shapes, f"{VAE}decoder.") and _THEIR_VAE not in shapes:
        return None
    space = _latent_space(shapes, 0.0)
    if space is None:
        return {"kind": "vae", "problem": "is half of an autoencoder"}
    own = space[0].rpartition(":")[0]
    return {"kind": "vae", "family": "", "latent_space": own, "multiple": space[1]}


def _latent_space(shapes: Shapes, scaling: float) -> tuple[str, int] | None:
    """Latent space and pixels per position of an autoencoder in the file; ``None`` without one."""
    levels = {m[1] or m[2] for key in shapes if (m := _LEVEL.match(key))}
    latent = next((shapes[key][1] for key in _LATENT if key in shapes), 0)
    if not levels or not latent:
        return None
    factor = 2 ** (len(levels) - 1)
    return f"{latent}x{factor}:{scaling:.6g}", factor


def family_of_network(shapes: Shapes) -> str:
    """The family of a network alone in its file, from what its attention reads; "" for none."""
    attention = {k: s for k, s in shapes.items() if k.endswith("attn2.to_k.weight")}
    name = family_of_width(next(iter(attention.values()), (0, 0))[1])
    if name:
        return name
    sized = has(shapes, "add_embedding.", f"{UNET}label_emb.", f"{CONTROL}label_emb.")
    projections = (s for k, s in shapes.items() if k.endswith("proj_in.weight"))
    linear = len(next(projections, (0,) * 4)) == 2
    for other, family in FAMILIES.items():
        network = family.in_file.network if family.in_file else None
        if network is None or linear != bool(network.get("use_linear_projection")):
            continue
        if sized == ("addition_embed_type" in network):
            return other
    return ""


def _stated(header: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The prediction that the file itself states; "" for none."""
    stated = str(metadata.get("modelspec.prediction_type", "")).lower()
    if "v_pred" in header or stated.startswith("v"):
        return V
    return EPSILON if stated.startswith("e") else ""
