"""Go on from what ships: an empty work folder takes the family's networks instead of training them again.

Checkpoints with their optimisers do not ship; weights, tokenizer and figures do. A stage that finds its network
but no checkpoint starts there, with a fresh optimiser and a budget of its own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL
from safetensors.torch import load_file
from transformers import CLIPModel

from studio.starter.common import Loop, atomic_save, log, write_json
from studio.starter.stages.patch_basis import read_basis

FINE = "vae-256"  # the 256-pixel autoencoder in the work folder; it ships as ``fine``
FOLDERS = (
    "tokenizer",
    "text_encoder",
    "clip",
    "vae",
    "unet",
    "faces",
    "animals",
    "food",
    "canny",
    "judge",
    "lora-blob",
    "lora-fox",
    "lora-hero",
    "lora-polar",
    "lora-glossy",
    "word-hero",
)


def unpack(work: Path, assets: Path) -> None:
    """Copy the shipped networks, figures and the latents' basis into ``work``; what is there is kept."""
    source = assets / "starter"
    if not (source / "model_index.json").exists():
        return
    for folder, name in {**{one: one for one in FOLDERS}, "fine": FINE}.items():
        if (source / folder).exists() and not (work / name).exists():
            shutil.copytree(source / folder, work / name)
            log(f"unpack: {folder} as it ships")
    for name, figures in json.loads((source / "figures.json").read_text()).items():
        if not (work / "figures" / f"{name}.json").exists():
            write_json(figures, work / "figures" / f"{name}.json")
    if not (work / "basis.pt").exists():
        basis = read_basis(AutoencoderKL.from_pretrained(source / "vae").float())
        atomic_save({"matrix": basis.matrix, "mean": basis.mean}, work / "basis.pt")


def go_on(loop: Loop, work: Path, folder: str, stage: str) -> None:
    """Where ``loop`` found no checkpoint of its own: its network from ``folder``, its counts from the figures."""
    kept = work / "figures" / f"{stage}.json"
    if loop.step or not (work / folder).exists() or not kept.exists():
        return
    figures = json.loads(kept.read_text())
    kind: Any = type(loop.model)
    weights = kind.from_pretrained(work / folder).float().state_dict()
    loop.take_over(weights, figures["steps"] + figures.get("steps_before", 0))


def load_text_tower(model: CLIPModel, work: Path) -> bool:
    """Put a text encoder that is there into ``model``; False where there is none."""
    path = work / "text_encoder" / "model.safetensors"
    if not path.exists():
        return False
    tower = {k.removeprefix("text_model."): v.float() for k, v in load_file(path).items()}
    model.text_model.load_state_dict(tower)
    return True


def load_vision_tower(model: CLIPModel, work: Path) -> bool:
    """Put a CLIP's vision tower and projections that are there into ``model``; False where there are none."""
    if not (work / "clip" / "config.json").exists():
        return False
    there = CLIPModel.from_pretrained(work / "clip").float().state_dict()
    kept = {key: value for key, value in there.items() if not key.startswith("text_model.")}
    model.load_state_dict(kept, strict=False)
    return True
