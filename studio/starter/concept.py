"""Stage `concept`: null-text networks of faces and animals, trained from the prior without any text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel

from studio.engine.nulltext import null_text_unet
from studio.starter.basis import fit_basis
from studio.starter.common import SEED, Budget, Loop, autocast, write_json
from studio.starter.contents import CONTENTS, HELD_OUT
from studio.starter.data import Pictures
from studio.starter.drawings import Drawings
from studio.starter.prior import Texts, build_scheduler, velocity_batch
from studio.starter.shipped import go_on

FOLDERS = {"face": "faces", "animal": "animals"}


def train(
    work: Path, group: str, minutes: float, device: torch.device, mode: str = "uniform", batch: int = 32,
    cpu_bf16: bool = True,
) -> None:  # fmt: skip
    """Train (or go on training) the concept network of ``group``; saved as ``faces/`` or ``animals/``.

    It sees every content of the group, held-out ones included, in all styles on all backgrounds.
    """
    folder = FOLDERS[group]
    torch.manual_seed(SEED + 21)
    rng = np.random.default_rng()
    contents = [c for c in CONTENTS + HELD_OUT if c.group == group]
    drawings = Drawings(Pictures.load(work), fit_basis(work), contents)
    prior = UNet2DConditionModel.from_pretrained(work / "unet").to(device)
    model = null_text_unet(prior, Texts(work, device)([""]), mode)
    model.to(device, memory_format=torch.channels_last).train()
    alphas = build_scheduler().alphas_cumprod.to(device)
    loop = Loop(
        model, Budget(minutes), work / f"{folder}.pt", rate=4e-4, warmup=30, ema_decay=0.995
    )
    go_on(loop, work, folder, folder)

    def loss_of(step: int) -> torch.Tensor:
        scenes = [drawings.draw(rng, paired=0) for _ in range(batch)]
        clean = drawings.latents(scenes).to(device)
        noisy, times, target = velocity_batch(clean, alphas)
        with autocast(device, cpu_bf16):
            output = model(noisy.contiguous(memory_format=torch.channels_last), times).sample
        return F.mse_loss(output.float(), target)

    for _ in loop.steps(loss_of, folder):
        pass
    loop.best().save_pretrained(work / folder)
    write_json({"steps": loop.step, "minutes": loop.spent / 60, "batch": batch, "history": loop.history},
               work / "figures" / f"{folder}.json")  # fmt: skip
