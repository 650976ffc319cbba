"""Stage `canny`: a ControlNet that follows the edges of a picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, UNet2DConditionModel

from studio.starter.common import SEED, Budget, Loop, autocast, save_network, to_float, write_json
from studio.starter.pictures.captions import random_caption
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES
from studio.starter.pictures.data import SIZE, Pictures, compose, compose_pair
from studio.starter.shipped import go_on
from studio.starter.stages.patch_basis import CHANNELS, fit_basis
from studio.starter.stages.prior import DROPPED, Texts, build_scheduler, velocity_batch

EMBEDDING = (8, 16, 48, 96)  # three strides of two: 128 pixels → 16×16


def edges(picture: np.ndarray) -> np.ndarray:
    """Canny edges (H, W) uint8, 0 or 255, of a picture (H, W, 3), thresholds 100 and 200."""
    import cv2

    return cv2.Canny(picture, 100, 200)


def encode(work: Path, count: int = 8000) -> None:
    """Latents, descriptions and packed edges of singles and pairs."""
    if (work / "latents-canny.json").exists():
        return
    pictures, basis, rng = Pictures.load(work), fit_basis(work), np.random.default_rng(SEED + 30)
    styles, colours = list(STYLES), list(BACKGROUNDS)
    latents = np.empty((count, CHANNELS, SIZE // 8, SIZE // 8), np.float16)
    lines, entries = np.empty((count, SIZE * SIZE // 8), np.uint8), []
    for i in range(count):
        style, colour = styles[rng.integers(len(styles))], colours[rng.integers(len(colours))]
        chosen = [
            CONTENTS[j]
            for j in rng.choice(len(CONTENTS), 2 if rng.random() < 0.2 else 1, replace=False)
        ]
        rgba = [pictures.rgba[pictures.row(c.slug, style) or 0] for c in chosen]
        mover = rng if i % 2 else None
        if len(rgba) == 2:
            picture = compose_pair(rgba[0], rgba[1], colour, mover)
        else:
            picture = compose(rgba[0], colour, mover)
        lines[i] = np.packbits(edges(picture) > 0)
        latents[i] = basis.encode(to_float(picture[None], torch.device("cpu")))[0].half().numpy()
        entries.append({"names": [c.name for c in chosen], "style": style, "background": colour})
    np.save(work / "latents-canny.npy", latents)
    np.save(work / "edges-canny.npy", lines)
    write_json(entries, work / "latents-canny.json")


def unpack(lines: np.ndarray) -> torch.Tensor:
    """Packed edges (N, 128·128/8) → condition images (N, 3, 128, 128) in [0, 1]."""
    bits = np.unpackbits(lines, axis=1).reshape(-1, 1, SIZE, SIZE)
    return torch.from_numpy(bits).float().expand(-1, 3, -1, -1)


def train(
    work: Path, minutes: float, device: torch.device, batch: int = 24, cpu_bf16: bool = True
) -> None:
    """Train (or go on training) the ControlNet against the frozen prior; saved as ``canny/``."""
    encode(work)
    torch.manual_seed(SEED + 31)
    rng = np.random.default_rng()
    latents = np.load(work / "latents-canny.npy", mmap_mode="r")
    lines, entries = (
        np.load(work / "edges-canny.npy"),
        json.loads((work / "latents-canny.json").read_text()),
    )
    unet = UNet2DConditionModel.from_pretrained(work / "unet").to(
        device, memory_format=torch.channels_last
    )
    unet.requires_grad_(False)
    model = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=EMBEDDING)
    model.requires_grad_(True).to(device, memory_format=torch.channels_last).train()
    texts, alphas = Texts(work, device), build_scheduler().alphas_cumprod.to(device)
    loop = Loop(model, Budget(minutes), work / "canny.pt", rate=8e-4, warmup=30, ema_decay=0.99)
    go_on(loop, work, "canny", "canny")

    def loss_of(step: int) -> torch.Tensor:
        rows = rng.integers(len(latents), size=batch)
        says = [
            ""
            if rng.random() < 3 * DROPPED
            else random_caption(
                tuple(entries[r]["names"]), entries[r]["style"], entries[r]["background"], rng
            )
            for r in rows
        ]
        clean = torch.from_numpy(np.stack([latents[r] for r in rows])).to(device).float()
        noisy, times, target = velocity_batch(clean, alphas)
        states, condition = texts(says), unpack(lines[rows]).to(device)
        with autocast(device, cpu_bf16):
            down, middle = model(noisy, times, states, controlnet_cond=condition, return_dict=False)
            output = unet(
                noisy,
                times,
                states,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
        return F.mse_loss(output.float(), target)

    for _ in loop.steps(loss_of, "canny"):
        pass
    save_network(loop.best(), work / "canny")
    write_json(
        {"steps": loop.step, "minutes": loop.spent / 60, "batch": batch, "history": loop.history},
        work / "figures" / "canny.json",
    )
