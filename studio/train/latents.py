"""Pictures as the autoencoder's latents, encoded once and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from studio.engine.families.pixels import to_pixels
from studio.files import write_atomically
from studio.home import studio_home
from studio.library import ModelEntry
from studio.train.data import fitted, open_picture


@dataclass
class Latents:
    """One picture's latent distributions, each (2·channels, h, w): mean, then log variance.

    Of an autoencoder whose latents are not drawn (SANA's), the latents themselves (channels, h, w).

    ``flipped`` holds those of the mirrored picture where flips are wanted, ``features`` the
    picture's CLIP embedding (width,) where the method reads it.
    """

    straight: Tensor
    flipped: Tensor | None = None
    features: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the latent."""
        return int(self.straight.shape[-2]), int(self.straight.shape[-1])


def draw(moments: Tensor, noise: Tensor, scaling: float) -> Tensor:
    """A latent of the distribution (batch, 2·channels, h, w), scaled for the network; or as it is.

    ``scaling·(mean + exp(½·logvar)·noise)``, as diffusers' ``DiagonalGaussianDistribution`` does.
    """
    if moments.shape == noise.shape:
        return scaling * moments
    mean, logvar = moments.chunk(2, dim=1)
    return scaling * (mean + (0.5 * logvar.clamp(-30.0, 20.0)).exp() * noise)


def encode_all(
    pictures: Sequence[Path],
    vae: nn.Module,
    entry: ModelEntry,
    edge: int,
    multiple: int,
    flips: bool,
    features: Callable[[Image.Image], Tensor] | None = None,
    reader: str = "",
) -> Iterator[Latents]:
    """The latents of each picture in turn; those that were encoded before come from the cache.

    Args:
        edge, multiple: as :func:`studio.train.data.fitted`'s.
        features: image embeddings to keep beside the latents, by the CLIP that ``reader`` names.
    """
    version = _version(entry)
    for picture in pictures:
        key = hashlib.sha256(
            f"{version}:{edge}:{multiple}:{flips}:{reader if features else None}:".encode()
            + hashlib.sha256(picture.read_bytes()).digest()
        ).hexdigest()[:40]
        path = studio_home() / "cache" / "latents" / f"{key}.safetensors"
        state = _kept(path)
        if state is None:
            image, _ = open_picture(picture)
            state = _encoded(image, vae, edge, multiple, flips)
            if features is not None:
                state["features"] = features(image).float().cpu().contiguous()
            write_atomically(path, save(state))
        yield Latents(state["straight"], state.get("flipped"), state.get("features"))


def digest(latents: Sequence[Latents]) -> str:
    """What the pictures are, for telling whether a resumed training has the same."""
    total = hashlib.sha256()
    for item in latents:
        total.update(item.straight.contiguous().numpy().tobytes())
    return total.hexdigest()[:16]


@torch.no_grad()
def _encoded(
    image: Image.Image, vae: nn.Module, edge: int, multiple: int, flips: bool
) -> dict[str, Tensor]:
    resized = image.resize(fitted(image.size, edge, multiple), Image.Resampling.LANCZOS)
    pixels = to_pixels(resized)
    weight = next(vae.parameters())

    def moments(pixels: Tensor) -> Tensor:
        found = vae.encode(pixels.to(weight))  # type: ignore[operator]
        if hasattr(found, "latent_dist"):
            return found.latent_dist.parameters[0].float().cpu().contiguous()
        return found.latent[0].float().cpu().contiguous()

    state = {"straight": moments(pixels)}
    if flips:
        state["flipped"] = moments(pixels.flip(-1))
    return state


def _kept(path: Path) -> dict[str, Tensor] | None:
    if not path.is_file():
        return None
    try:
        return load_file(path)
    except (OSError, SafetensorError):
        return None  # a damaged cache is made again


def _version(entry: ModelEntry) -> str:
    """What tells one autoencoder's files from another's; fine-tunes that share one share its latents."""
    folder = Path(entry.path) / "vae"
    files = (
        sorted(folder.glob("*")) if folder.is_dir() else [Path(entry.path)] if entry.path else []
    )
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return str(stats or entry.id)
