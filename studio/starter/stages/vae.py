"""Stage `vae`: a small AutoencoderKL with an exact linear encoder (`basis`) and a learned decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL

from studio.starter.common import (
    SEED,
    Budget,
    Loop,
    autocast,
    log,
    save_grid,
    to_float,
    to_uint8,
    write_json,
)
from studio.starter.pictures.backdrops import backdrop
from studio.starter.pictures.contents import BACKGROUNDS
from studio.starter.pictures.data import SIZE, Pictures, make_pool, split_rows
from studio.starter.stages.patch_basis import (
    CHANNELS,
    LATENT_NOISE,
    PATCH,
    PatchBasis,
    fit_basis,
    patches,
    set_linear_encoder,
)


def build(channels: int = CHANNELS, widths: tuple[int, ...] = (16, 32, 64, 128)) -> AutoencoderKL:
    """The untrained autoencoder: 128×128×3 → 16×16×``channels``."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=1,
        sample_size=SIZE,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean absolute and squared error of the pixels, and absolute error of their differences."""
    error = output - target
    slopes = (error[..., 1:] - error[..., :-1]).abs().mean() + (
        error[..., 1:, :] - error[..., :-1, :]
    ).abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * slopes


def train(work: Path, minutes: float, device: torch.device, batch: int = 8) -> None:
    """Train the decoder (or go on training it) and save ``vae/``; mostly whole pictures late in the run."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    pictures = Pictures.load(work)
    seen, hidden = split_rows(pictures)
    pool = make_pool(pictures, seen, 6000, rng)
    basis = fit_basis(work)
    basis = PatchBasis(basis.matrix.to(device), basis.mean.to(device))
    model = build()
    set_linear_encoder(model, basis)
    model.encoder.requires_grad_(False)
    model.quant_conv.requires_grad_(False)
    model.to(device, memory_format=torch.channels_last)
    loop = Loop(
        model,
        Budget(minutes),
        work / "vae.pt",
        rate=2e-3,
        warmup=50,
        weight_decay=0.0,
        ema_decay=0.995,
    )

    def loss_of(step: int) -> torch.Tensor:
        crop = SIZE if loop.progress() > 0.6 or step % 4 == 0 else SIZE // 2
        images = pool[rng.integers(len(pool), size=batch * (SIZE // crop) ** 2)]
        if crop < SIZE:
            x, y = rng.integers(0, (SIZE - crop) // PATCH + 1, 2) * PATCH
            images = images[:, y : y + crop, x : x + crop]
        images = to_float(images, device)
        latents = basis.encode(images)
        latents = (latents + LATENT_NOISE * torch.randn_like(latents)).contiguous(
            memory_format=torch.channels_last
        )
        with autocast(device):
            output = model.decode(latents).sample.float()
        return reconstruction_loss(output, images)

    look = make_pool(pictures, hidden, 48, np.random.default_rng(5))
    for step in loop.steps(loss_of, "vae"):
        if step % 300 == 0:
            check(loop.best(), look, work / "grids" / "vae.png")
            loop.best().save_pretrained(work / "vae")
    model = loop.best()
    figures = check(
        model,
        make_pool(pictures, hidden, 200, np.random.default_rng(6)),
        work / "grids" / "vae.png",
    )
    model.save_pretrained(work / "vae")
    figures |= loop.figures(batch)
    write_json(figures, work / "figures" / "vae.json")


@torch.no_grad()
def check(model: Any, pictures: np.ndarray, grid: Path | None = None) -> dict[str, float]:
    """PSNR in dB on ``pictures``, the worst plain background in 1/255, and the latents' smallest eigenvalue."""
    device = next(model.parameters()).device
    images = to_float(pictures, device)
    latents = model.encode(images).latent_dist.mean
    output = to_uint8(model.decode(latents).sample)
    error = (output.astype(np.float64) - pictures) ** 2
    colours = np.stack([backdrop(name, SIZE) for name in BACKGROUNDS])
    plain = to_uint8(model.decode(model.encode(to_float(colours, device)).latent_dist.mean).sample)
    drift = np.abs(plain.astype(np.float64).mean((1, 2)) - colours.mean((1, 2))).max()
    flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).double()
    values = torch.linalg.eigvalsh(torch.cov(flat.T))
    figures = {
        "psnr": float(np.mean(10 * np.log10(255**2 / error.mean((1, 2, 3)).clip(1e-3)))),
        "psnr_of_mean_error": float(10 * np.log10(255**2 / error.mean())),
        "plain_drift": float(drift),
        "smallest_eigenvalue": float(values[0]),
        "largest_eigenvalue": float(values[-1]),
    }
    if grid is not None:
        save_grid(
            np.concatenate([np.stack([a, b]) for a, b in zip(pictures, output, strict=True)]),
            grid,
            12,
        )
        log("vae check: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))
    return figures


@torch.no_grad()
def fit_preview(
    model: AutoencoderKL, pictures: np.ndarray, ridge: float = 1e-3
) -> dict[str, torch.Tensor]:
    """The linear map from scaled latents to picture patches that a live preview uses, by least squares.

    Returns ``weight`` (3·8², C) and ``bias`` (3·8²,): a 1×1 convolution whose output goes through a pixel
    shuffle by 8 and lies in [-1, 1].
    """
    device = next(model.parameters()).device
    images = to_float(pictures, device)
    latents = torch.cat([model.encode(part).latent_dist.mean for part in images.split(32)])
    latents = latents * model.config.scaling_factor
    inputs = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).double()
    inputs = torch.cat([inputs, torch.ones_like(inputs[:, :1])], 1)
    outputs = patches(images).permute(0, 2, 3, 1).reshape(len(inputs), -1).double()
    gram = inputs.T @ inputs + ridge * torch.eye(
        inputs.shape[1], dtype=torch.float64, device=device
    )
    solution = torch.linalg.solve(gram, inputs.T @ outputs).float().cpu()
    return {"weight": solution[:-1].T.contiguous(), "bias": solution[-1].contiguous()}
