"""Stage `decoder`: the autoencoder at 256 pixels, for the latents that the prior already speaks.

Its encoder is the same patch basis on the picture averaged 2×2, so that every latent, adapter and concept
network of the 128-pixel edition stays as it is. Its decoder learns mostly from *the prior's own* predictions
of finished latents, and so repairs what the prior does. Late in the run a small patch discriminator
(spectral norm, hinge loss) takes over what absolute errors cannot say: edges.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from studio.starter.common import (
    SEED,
    Budget,
    Loop,
    autocast,
    batch_for,
    log,
    save_grid,
    to_float,
    to_uint8,
    write_json,
)
from studio.starter.pictures.data import Pictures, split_rows
from studio.starter.pictures.large import EDGE, FACTOR, Drawn, draw_pool
from studio.starter.shipped import FINE, go_on
from studio.starter.stages.judge import unit
from studio.starter.stages.patch_basis import (
    LATENT_NOISE,
    PatchBasis,
    fit_basis,
    set_linear_encoder,
)
from studio.starter.stages.prior import Texts, build_scheduler
from studio.starter.stages.vae import reconstruction_loss

WIDTHS = (16, 24, 48, 96, 128)
CROP = 8  # latent cells along an edge of most training crops
PREDICTED = 0.7  # share of inputs that are the prior's predictions
LATEST = 700  # noisiest time step at which the prior is asked
ADVERSARIAL_FROM, ADVERSARIAL_WEIGHT, RAMP = 0.3, 0.02, 0.05  # shares of the run, and the weight
GUIDANCES = (1.0, 1.0, 3.0, 5.0)  # scales with which the prior predicts
POOL = 2600
BATCH, BATCH_GPU = 8, 48


def build(channels: int = 16) -> AutoencoderKL:
    """The untrained autoencoder: 256×256×3 → 16×16×``channels``."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(WIDTHS),
        up_block_types=("UpDecoderBlock2D",) * len(WIDTHS),
        block_out_channels=WIDTHS,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=1,
        sample_size=EDGE,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def build_discriminator(widths: tuple[int, ...] = (24, 48, 96)) -> nn.Sequential:
    """Pictures (N, 3, H, W) → one score per patch (N, 1, H/8, W/8)."""
    layers: list[nn.Module] = []
    before = 3
    for width in widths:
        layers += [spectral_norm(nn.Conv2d(before, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(before, 1, 3, 1, 1)))


@torch.no_grad()
def predicted(
    drawn: Drawn, latents: Tensor, unet: Any, texts: Texts, rng: np.random.Generator
) -> Tensor:
    """The prior's predictions ``x₀ = √ᾱ z − √(1−ᾱ) v`` of ``latents`` (N, C, 16, 16), each at its own time.

    Times are ``700·U^1.3``; guided by its caption at one of :data:`GUIDANCES`.
    """
    device = next(unet.parameters()).device
    alphas = build_scheduler().alphas_cumprod.to(device)
    found = torch.empty_like(latents)
    null = texts([""])
    for part in torch.arange(len(latents)).split(32 if device.type == "cpu" else 256):
        clean = latents[part].to(device)
        drawn_times = (LATEST * rng.random(len(part)) ** 1.3).astype(np.int64)
        times = torch.from_numpy(drawn_times).to(device)
        scale = torch.from_numpy(rng.choice(GUIDANCES, len(part)).astype(np.float32)).to(device)
        signal, spread = (
            level.sqrt().view(-1, 1, 1, 1) for level in (alphas[times], 1 - alphas[times])
        )
        noise = torch.from_numpy(rng.standard_normal(clean.shape).astype(np.float32)).to(device)
        z = signal * clean + spread * noise
        states = texts([drawn.captions[i] for i in part.tolist()])
        both = torch.cat([null.expand_as(states), states])
        free, asked = unet(torch.cat([z, z]), torch.cat([times, times]), both).sample.chunk(2)
        v = free + scale.view(-1, 1, 1, 1) * (asked - free)
        found[part] = (signal * z - spread * v).to(found.device)
    return found


class Inputs:
    """Crops of latents and of the pictures that they should become, on ``device``."""

    def __init__(self, work: Path, basis: PatchBasis, count: int, device: torch.device) -> None:
        pictures, rng = Pictures.load(work), np.random.default_rng()
        seed = int(rng.integers(1 << 30))
        drawn = draw_pool(work, split_rows(pictures)[0], count, seed)
        self.rng, self.device = rng, device
        self.pictures = torch.from_numpy(drawn.pictures).permute(0, 3, 1, 2).to(device)
        basis = PatchBasis(basis.matrix.to(device), basis.mean.to(device))
        self.latents = torch.cat(
            [basis.encode(F.avg_pool2d(unit(part), 2)) for part in self.pictures.split(32)]
        )
        texts = Texts(work, device)
        unet: Any = UNet2DConditionModel.from_pretrained(work / "unet")
        self.predicted = predicted(drawn, self.latents, unet.eval().to(device), texts, rng)
        self.known = np.flatnonzero([bool(text) for text in drawn.captions])

    def batch(self, crop: int, count: int) -> tuple[Tensor, Tensor]:
        """Latents (N, C, crop, crop) and pictures (N, 3, 16·crop, 16·crop) in [-1, 1]."""
        latents, images = [], []
        for _ in range(count):
            x, y = self.rng.integers(0, EDGE // FACTOR - crop + 1, 2)
            if self.rng.random() < PREDICTED:
                row = self.known[self.rng.integers(len(self.known))]
                source = self.predicted[row]
            else:
                row = self.rng.integers(len(self.latents))
                source = self.latents[row]
                source = source + LATENT_NOISE * torch.randn_like(source)
            latents.append(source[:, y : y + crop, x : x + crop])
            top, left, edge = y * FACTOR, x * FACTOR, crop * FACTOR
            images.append(self.pictures[row, :, top : top + edge, left : left + edge])
        return torch.stack(latents), unit(torch.stack(images))


def train(
    work: Path,
    minutes: float,
    device: torch.device,
    batch: int | None = None,
) -> None:
    """Train the decoder (or go on training it) and save ``vae-256/``, which ships as ``starter/fine``."""
    torch.manual_seed(SEED + 60)
    basis = fit_basis(work)
    batch = batch or batch_for(device, BATCH, BATCH_GPU)
    inputs = Inputs(work, basis, POOL, device)
    model = build()
    set_linear_encoder(model, basis)
    model.encoder.requires_grad_(False)
    model.quant_conv.requires_grad_(False)
    model.to(device, memory_format=torch.channels_last)
    loop = Loop(
        model,
        Budget(minutes),
        work / "decoder.pt",
        rate=2e-3,
        warmup=50,
        weight_decay=0.0,
        ema_decay=0.995,
    )
    go_on(loop, work, FINE, "decoder")
    critic = Critic(work / "decoder-critic.pt", device)

    def loss_of(step: int) -> Tensor:
        whole = step % 4 == 0
        latents, images = inputs.batch(
            EDGE // FACTOR if whole else CROP, batch // 4 if whole else batch
        )
        latents, images = (
            part.contiguous(memory_format=torch.channels_last) for part in (latents, images)
        )
        with autocast(device):
            output = model.decode(latents).sample.float()
        loss = reconstruction_loss(output, images)
        share = critic.share(loop.progress())
        if share:
            with autocast(device):
                loss = loss + share * critic.step(output, images)
        return loss

    for step in loop.steps(loss_of, "decoder"):
        if step % 400 == 0:
            critic.save()
        if step % 1200 == 0:
            loop.best().save_pretrained(work / FINE)
            check(work, loop.best(), 24)
    loop.best().save_pretrained(work / FINE)
    figures = check(work, loop.best(), 200)
    figures |= loop.figures(batch)
    write_json(figures, work / "figures" / "decoder.json")


class Critic:
    """The discriminator with its own optimiser, kept beside the decoder's checkpoint."""

    def __init__(self, path: Path, device: torch.device) -> None:
        self.path = path
        self.network = build_discriminator().to(device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-3, betas=(0.0, 0.95))
        if path.exists():
            state = torch.load(path, weights_only=True, map_location="cpu")
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])

    def share(self, progress: float) -> float:
        """The weight of its loss at this share of the run."""
        return ADVERSARIAL_WEIGHT * min(1.0, max(0.0, (progress - ADVERSARIAL_FROM) / RAMP))

    def step(self, output: Tensor, images: Tensor) -> Tensor:
        """Learn to tell ``output`` from ``images`` (hinge loss); returns the decoder's loss ``−D(output)``."""
        real, made = self.network(torch.cat([images, output.detach()])).float().chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + made).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.network.requires_grad_(False)
        fooled = -self.network(output).float().mean()
        self.network.requires_grad_(True)
        return fooled

    def save(self) -> None:
        """Write it, so that a later run goes on from here."""
        partial = self.path.with_suffix(".part")
        torch.save(
            {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()},
            partial,
        )
        partial.replace(self.path)


@torch.no_grad()
def check(work: Path, model: Any, count: int) -> dict[str, float]:
    """PSNR in dB at 256 pixels on drawings that were never trained on, from their true latents and
    from the prior's predictions of known drawings; beside them the 128-pixel decoder's, enlarged."""
    rng, device = np.random.default_rng(SEED + 61), next(model.parameters()).device
    pictures, basis = Pictures.load(work), fit_basis(work)
    seen, hidden = split_rows(pictures)
    first: Any = AutoencoderKL.from_pretrained(work / "vae")
    first = first.eval().to(device)
    unseen = draw_pool(work, hidden, count, SEED + 61, any_drawing=1.0)
    known = draw_pool(work, seen, count, SEED + 62, any_drawing=0.0)
    unet: Any = UNet2DConditionModel.from_pretrained(work / "unet")
    unet, texts = unet.eval().to(device), Texts(work, device)
    figures, shown = {}, []
    for name, drawn in (("unseen", unseen), ("predicted", known)):
        images = to_float(drawn.pictures, torch.device("cpu"))
        latents = basis.encode(F.avg_pool2d(images, 2))
        if name == "predicted":
            latents = predicted(drawn, latents, unet, texts, rng)
        parts = latents.to(device).split(8)
        output = torch.cat([model.decode(part).sample.cpu() for part in parts])
        before = torch.cat([first.decode(part).sample.cpu() for part in parts])
        before = F.interpolate(before, scale_factor=2, mode="bicubic")
        for edition, found in (("", output), ("_enlarged_128", before)):
            error = ((found.clamp(-1, 1) - images) / 2).square().mean((1, 2, 3))
            figures[name + edition] = float((-10 * error.clamp_min(1e-8).log10()).mean())
        shown += [to_uint8(part[:12]) for part in (images, before, output)]
    save_grid(np.concatenate(shown), work / "grids" / "decoder.png", min(12, count))
    log("decoder check: " + ", ".join(f"{k} {v:.2f}" for k, v in figures.items()))
    return figures
