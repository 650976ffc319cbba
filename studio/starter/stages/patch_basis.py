"""The latents: partially whitened principal components of 8×8 patches, written into an encoder's layers.

Free latents of a small autoencoder collapse to a few dimensions and a small prior cannot model them. Here the
encoder computes, by construction, z_k = λ_k^(-1/4) ⟨v_k, patch⟩ (v_k, λ_k: eigenvectors and values of the patch
covariance). Partial whitening keeps colour and brightness strongest, so sampling goes from coarse to fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from studio.starter.common import SEED, atomic_save, to_float
from studio.starter.pictures.data import Pictures, make_pool, split_rows

PATCH = 8
CHANNELS = 16
LATENT_NOISE = 0.05


def patches(images: torch.Tensor, size: int = PATCH) -> torch.Tensor:
    """Images (N, 3, H, W) → flat patches (N, 3·size², H/size, W/size)."""
    return F.pixel_unshuffle(images, size)


@dataclass(frozen=True)
class PatchBasis:
    """Partially whitened principal components of patches: ``matrix`` (C, 3·p²), ``mean`` (3·p²,)."""

    matrix: torch.Tensor
    mean: torch.Tensor

    @classmethod
    def fit(cls, images: torch.Tensor, channels: int = CHANNELS) -> PatchBasis:
        """From images (N, 3, H, W); the targets' mean square is one."""
        flat = patches(images).permute(0, 2, 3, 1).reshape(-1, 3 * PATCH**2).double()
        mean = flat.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((flat - mean).T))
        values, vectors = values.flip(0)[:channels], vectors.flip(1)[:, :channels]
        kept = values.sqrt()  # variances of the targets: λ · λ^(-1/2)
        matrix = (vectors / values.clamp_min(1e-8).pow(0.25)).T / kept.mean().sqrt()
        return cls(matrix.float(), mean.float())

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, H, W) → targets (N, C, H/8, W/8)."""
        flat = patches(images)
        offset = (self.matrix @ self.mean).view(1, -1, 1, 1)
        return torch.einsum("cp,nphw->nchw", self.matrix, flat) - offset

    def decode(self, targets: torch.Tensor) -> torch.Tensor:
        """The least-squares picture of targets; inverse of `encode` on the kept components."""
        inverse = torch.linalg.pinv(self.matrix)
        flat = torch.einsum("pc,nchw->nphw", inverse, targets) + self.mean.view(1, -1, 1, 1)
        return F.pixel_shuffle(flat, PATCH)


@torch.no_grad()
def set_linear_encoder(model: AutoencoderKL, basis: PatchBasis) -> None:
    """Write ``basis`` into the encoder's layers, so that its mean *is* ``basis.encode`` (to about 1 %).

    Of four levels for the picture itself; of five for the picture averaged 2×2.

    The residual branches are silenced; each strided convolution gathers 2×2 neighbours; the norm before the
    output is fed large constants of both signs, which fix its statistics; and silu(x) − silu(−x) = x undoes
    the activation. The latents are then linear in the picture, of full rank and free of training.
    """
    encoder, channels = model.encoder, basis.matrix.shape[0]
    for name, parameter in encoder.named_parameters():
        parameter.zero_() if not name.endswith(
            ("norm1.weight", "norm2.weight")
        ) else parameter.fill_(1.0)
    quadrants = (
        basis.matrix.cpu()
        .reshape(channels, 3, 2, 4, 2, 4)
        .permute(2, 4, 0, 1, 3, 5)
        .reshape(4, channels, 48)
    )
    encoder.conv_in.weight[:3, :, 1, 1] = torch.eye(3)
    for block in encoder.down_blocks[1:-1]:
        shortcut = block.resnets[0].conv_shortcut.weight
        shortcut[: shortcut.shape[1], :, 0, 0] = torch.eye(shortcut.shape[1])
    strides = [b.downsamplers[0].conv.weight for b in encoder.down_blocks if b.downsamplers]
    if len(strides) > 3:  # twice the edge: the picture is averaged first
        for colour in range(3):
            strides[0][colour, colour, :2, :2] = 0.25
    pixels, halves, quarters = strides[-3:]
    width = halves.shape[0]
    kept = (
        torch.linalg.svd(quadrants.reshape(-1, 48).double(), full_matrices=False).Vh[:width].float()
    )
    gather = kept.reshape(len(kept), 3, 2, 2, 2, 2)  # (kept, colour, Y, y, X, x)
    for tap in range(4):
        dy, dx = divmod(tap, 2)
        for colour in range(3):
            pixels[4 * colour + tap, colour, dy, dx] = 1.0
            for inner in range(4):
                y, x = divmod(inner, 2)
                halves[: len(kept), 4 * colour + inner, dy, dx] = gather[:, colour, dy, y, dx, x]
        quarters[:channels, : len(kept), dy, dx] = quadrants[tap] @ kept.T
    last = encoder.down_blocks[-1].resnets[0].conv_shortcut
    identity, total, constant = torch.eye(channels), last.weight.shape[0], 30.0
    last.weight[:channels, :channels, 0, 0] = identity
    last.weight[channels : 2 * channels, :channels, 0, 0] = -identity
    last.bias[2 * channels :] = (
        constant * (1 - 2 * (torch.arange(total - 2 * channels) % 2)).float()
    )
    offset = basis.matrix.cpu() @ basis.mean.cpu()
    spread = float(np.sqrt(((total - 2 * channels) * constant**2 + 2 * channels) / total))
    encoder.conv_norm_out.weight[: 2 * channels] = spread
    encoder.conv_out.weight[:channels, :channels, 1, 1] = identity
    encoder.conv_out.weight[:channels, channels : 2 * channels, 1, 1] = -identity
    encoder.conv_out.bias[:channels] = -offset
    model.quant_conv.weight[:, :, 0, 0] = torch.eye(2 * channels)
    model.quant_conv.bias.zero_()
    model.quant_conv.bias[channels:] = 2 * float(np.log(LATENT_NOISE))


@torch.no_grad()
def read_basis(model: AutoencoderKL) -> PatchBasis:
    """The basis that `set_linear_encoder` wrote into ``model``.

    Only ``matrix @ mean`` can be read back; ``mean`` is the smallest vector that gives it.
    """
    encoder = model.encoder
    strides = [b.downsamplers[0].conv.weight for b in encoder.down_blocks if b.downsamplers]
    weight = strides[-2]
    width, channels = len(weight), encoder.conv_out.weight.shape[0] // 2
    kept = torch.empty(width, 3, 2, 2, 2, 2)
    for tap in range(4):
        dy, dx = divmod(tap, 2)
        for inner in range(4):
            y, x = divmod(inner, 2)
            kept[:, :, dy, y, dx, x] = weight[:, inner : inner + 9 : 4, dy, dx]
    last = strides[-1][:channels, :width]
    quadrants = torch.stack([last[:, :, t // 2, t % 2] @ kept.reshape(width, 48) for t in range(4)])
    matrix = quadrants.view(2, 2, channels, 3, 4, 4).permute(2, 3, 0, 4, 1, 5).reshape(channels, -1)
    offset = -encoder.conv_out.bias[:channels]
    return PatchBasis(matrix.clone(), torch.linalg.pinv(matrix) @ offset)


def fit_basis(work: Path) -> PatchBasis:
    """The basis of the latents, from the training pictures; kept in ``basis.pt``."""
    path = work / "basis.pt"
    if not path.exists():
        pictures = Pictures.load(work)
        pool = make_pool(pictures, split_rows(pictures)[0], 2000, np.random.default_rng(SEED))
        basis = PatchBasis.fit(to_float(pool, torch.device("cpu")))
        atomic_save({"matrix": basis.matrix, "mean": basis.mean}, path)
    return PatchBasis(**torch.load(path, weights_only=True))
