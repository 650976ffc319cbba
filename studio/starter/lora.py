"""Stage `lora`: two adapters of the prior, a held-out style (`blob`) and a held-out subject (`hero`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from studio.starter.basis import fit_basis
from studio.starter.common import SEED, Budget, Loop, autocast, log, write_json
from studio.starter.contents import (
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    HERO_SLUG,
    HERO_WORD,
    STYLES,
    Content,
)
from studio.starter.data import Pictures
from studio.starter.drawings import Drawings
from studio.starter.prior import DROPPED, Texts, build_scheduler, velocity_batch

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]


@dataclass(frozen=True)
class Subject:
    """What an adapter learns: the contents and styles of its drawings, and the word that calls it."""

    folder: str
    word: str
    contents: tuple[Content, ...]
    styles: tuple[str, ...]


SUBJECTS = {
    "blob": Subject("lora-blob", "blob", CONTENTS, ("blob",)),
    "hero": Subject(
        "lora-hero",
        HERO_WORD,
        tuple(c for c in HELD_OUT if c.slug == HERO_SLUG),
        (*STYLES, *HELD_OUT_STYLES),
    ),
}


def train(
    work: Path,
    which: str,
    minutes: float,
    device: torch.device,
    rank: int = 8,
    batch: int = 16,
    cpu_bf16: bool = True,
) -> None:
    """Train (or go on training) one adapter; saved in diffusers' own format."""
    torch.manual_seed(SEED + 40)
    rng, subject = np.random.default_rng(SEED + 40), SUBJECTS[which]
    drawings = Drawings(Pictures.load(work), fit_basis(work), subject.contents, subject.styles)
    unet = UNet2DConditionModel.from_pretrained(work / "unet").to(device)
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=TARGETS)
    )
    texts, alphas = Texts(work, device), build_scheduler().alphas_cumprod.to(device)
    loop = Loop(
        unet, Budget(minutes), work / f"{subject.folder}.pt", rate=2e-3, warmup=20, weight_decay=0.0
    )

    def loss_of(step: int) -> torch.Tensor:
        scenes = [drawings.draw(rng, paired=0) for _ in range(batch)]
        says = ["" if rng.random() < DROPPED else scene.caption(rng) for scene in scenes]
        clean = drawings.latents(scenes).to(device)
        noisy, times, target = velocity_batch(clean, alphas)
        with autocast(device, cpu_bf16):
            output = unet(noisy, times, texts(says)).sample
        return F.mse_loss(output.float(), target)

    for _ in loop.steps(loss_of, subject.folder):
        pass
    weights = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    StableDiffusionPipeline.save_lora_weights(
        work / subject.folder,
        unet_lora_layers={k: v.half().contiguous() for k, v in weights.items()},
    )
    write_json({"steps": loop.step, "minutes": loop.spent / 60, "batch": batch, "rank": rank,
                "pictures": len(drawings.entries), "history": loop.history},
               work / "figures" / f"{subject.folder}.json")  # fmt: skip
    log(f"{subject.folder}: {loop.step} steps")
