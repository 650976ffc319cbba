"""Stage `canny`: a ControlNet that follows the edges of a picture."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, UNet2DConditionModel

from studio.starter.common import (
    SEED,
    Budget,
    Loop,
    autocast,
    batch_for,
    save_network,
    to_uint8,
    write_json,
)
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.contents import BACKGROUNDS
from studio.starter.pictures.data import CELL, SIZE
from studio.starter.pictures.drawings import SceneBatch
from studio.starter.pictures.scenes import Scene
from studio.starter.shipped import go_on
from studio.starter.stages.prior import (
    DROPPED,
    Texts,
    build_scheduler,
    memory_format,
    velocity_batch,
)
from studio.starter.stages.text_grounding import known_drawings

BATCH, BATCH_GPU = 24, 128
EMBEDDING = (8, 16, 48, 96)  # three strides of two: 128 pixels → 16×16


def edges(picture: np.ndarray) -> np.ndarray:
    """Canny edges (H, W) uint8, 0 or 255, of a picture (H, W, 3), thresholds 100 and 200."""
    import cv2

    return cv2.Canny(picture, 100, 200)


def encode(work: Path, device: torch.device, count: int = 8000) -> None:
    """Latents, captions' scenes and packed edges; half of the lone drawings stand a latent cell aside."""
    if (work / "latents-canny.npy").exists():
        return
    drawings, rng = known_drawings(work, device), np.random.default_rng(SEED + 30)
    scenes = [drawings.scenes.draw(rng) for _ in range(count)]
    latents, lines = [], []
    for part in np.array_split(np.arange(count), -(-count // 200)):
        images = drawings.pictures(SceneBatch.of([scenes[i] for i in part]))
        for image, number in zip(images, part, strict=True):
            if number % 2 and scenes[number].layout == "single" and plain(scenes[number]):
                move = [CELL * int(step) for step in rng.integers(-1, 2, 2)]
                image.copy_(image.roll(move, (1, 2)))  # only background comes round the edge
        latents.append(drawings.basis.encode(images).half().cpu().numpy())
        lines += [np.packbits(edges(picture) > 0) for picture in to_uint8(images)]
    np.save(work / "edges-canny.npy", np.stack(lines))
    write_json([asdict(scene) for scene in scenes], work / "latents-canny.json")
    np.save(work / "latents-canny.npy", np.concatenate(latents))


def plain(scene: Scene) -> bool:
    """Whether the scene stands on one colour."""
    return EVERY[scene.background] in BACKGROUNDS


def unpack(lines: np.ndarray) -> torch.Tensor:
    """Packed edges (N, 128·128/8) → condition images (N, 3, 128, 128) in [0, 1]."""
    bits = np.unpackbits(lines, axis=1).reshape(-1, 1, SIZE, SIZE)
    return torch.from_numpy(bits).float().expand(-1, 3, -1, -1)


def train(
    work: Path,
    minutes: float,
    device: torch.device,
    batch: int | None = None,
) -> None:
    """Train (or go on training) the ControlNet against the frozen prior; saved as ``canny/``."""
    encode(work, device)
    batch = batch or batch_for(device, BATCH, BATCH_GPU)
    torch.manual_seed(SEED + 31)
    rng = np.random.default_rng()
    latents = np.load(work / "latents-canny.npy", mmap_mode="r")
    lines = np.load(work / "edges-canny.npy")
    scenes = [
        Scene(**{**entry, "rows": tuple(entry["rows"]), "names": tuple(entry["names"])})
        for entry in json.loads((work / "latents-canny.json").read_text())
    ]
    order = memory_format(device)
    unet = UNet2DConditionModel.from_pretrained(work / "unet").to(device, memory_format=order)
    unet.requires_grad_(False)
    model = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=EMBEDDING)
    model.requires_grad_(True).to(device, memory_format=order).train()
    texts, alphas = Texts(work, device), build_scheduler().alphas_cumprod.to(device)
    loop = Loop(model, Budget(minutes), work / "canny.pt", rate=8e-4, warmup=30, ema_decay=0.99)
    go_on(loop, work, "canny", "canny")

    def loss_of(step: int) -> torch.Tensor:
        rows = rng.integers(len(latents), size=batch)
        says = ["" if rng.random() < 3 * DROPPED else scenes[r].caption(rng) for r in rows]
        clean = torch.from_numpy(np.stack([latents[r] for r in rows])).to(device).float()
        noisy, times, target = velocity_batch(clean, alphas)
        states, condition = texts(says), unpack(lines[rows]).to(device)
        with autocast(device):
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
        {**loop.figures(batch), "history": loop.history},
        work / "figures" / "canny.json",
    )
