"""Pictures as the autoencoder's latents, encoded once and kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from studio.engine.families.pixels import to_pixels
from studio.errors import StudioError
from studio.files import write_atomically
from studio.home import studio_home
from studio.images import open_checked, to_rgb
from studio.library import ModelEntry
from studio.train.data import fitted, open_picture

WEIGHED = 1  # the cache's edition of weights


@dataclass
class Latents:
    """One picture's latent distributions, each (2·channels, h, w): mean, then log variance.

    Of an autoencoder whose latents are not drawn (SANA's), the latents themselves (channels, h, w).

    ``flipped`` holds those of the mirrored picture where flips are wanted, ``features`` the
    picture's CLIP embedding (width,) where the method reads it, ``weight`` what each place (h, w)
    of the straight one counts in the loss, 0 to 1, where it has a mask or transparency.
    """

    straight: Tensor
    flipped: Tensor | None = None
    features: Tensor | None = None
    weight: Tensor | None = None

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
    masks: Sequence[Path | None] = (),
    weigh: bool = True,
) -> Iterator[Latents]:
    """The latents of each picture in turn; those that were encoded before come from the cache.

    Args:
        edge, multiple: as :func:`studio.train.data.fitted`'s.
        features: image embeddings to keep beside the latents, by the CLIP that ``reader`` names.
        masks: each picture's mask, ``None`` for none.
        weigh: whether masks and transparency weigh the loss.
    """
    version = _version(entry)
    for number, picture in enumerate(pictures):
        mask = masks[number] if number < len(masks) else None
        key = hashlib.sha256(
            f"{version}:{edge}:{multiple}:{flips}:{reader if features else None}:".encode()
            + hashlib.sha256(picture.read_bytes()).digest()
            + (hashlib.sha256(mask.read_bytes()).digest() if weigh and mask else b"")
            + bytes([WEIGHED if weigh else 0])
        ).hexdigest()[:40]
        path = studio_home() / "cache" / "latents" / f"{key}.safetensors"
        state = _kept(path)
        if state is None:
            image, *_ = open_picture(picture)
            state = _encoded(image, vae, edge, multiple, flips)
            if features is not None:
                state["features"] = features(image).float().cpu().contiguous()
            if weigh and (weight := _weight(picture, mask, state["straight"])) is not None:
                state["weight"] = weight
            write_atomically(path, save(state))
        yield Latents(
            state["straight"], state.get("flipped"), state.get("features"), state.get("weight")
        )


def _weight(picture: Path, mask: Path | None, latent: Tensor) -> Tensor | None:
    """What each place of a latent (…, h, w) counts: its picture's opacity times its mask's white.

    Raises:
        StudioError: a mask that cannot be read, or nothing that counts; names the file.
    """
    height, width = latent.shape[-2:]
    parts = [_opacity(open_checked(picture, picture.name))]
    if mask is not None:
        shown = open_checked(mask, mask.name)
        parts.append(_opacity(shown) or to_rgb(shown).convert("L"))
    planes = [
        np.asarray(part.resize((width, height), Image.Resampling.BOX), dtype=np.float32) / 255
        for part in parts
        if part is not None
    ]
    if not planes:
        return None
    weight = np.prod(planes, axis=0, dtype=np.float32)
    if weight.max() == 0:
        name = (mask or picture).name
        raise StudioError("leaves nothing of the picture that counts", field=name)
    return torch.from_numpy(weight)


def _opacity(image: Image.Image) -> Image.Image | None:
    """The alpha channel of the upright picture where it varies, in 8 bits."""
    if not image.has_transparency_data:
        return None
    alpha = ImageOps.exif_transpose(image).convert("RGBA").getchannel("A")
    low, high = alpha.getextrema()
    return alpha if low != high else None


def digest(latents: Sequence[Latents]) -> str:
    """What the pictures are, to know whether a resumed training has the same."""
    total = hashlib.sha256()
    for item in latents:
        total.update(item.straight.contiguous().numpy().tobytes())
        if item.weight is not None:
            total.update(item.weight.contiguous().numpy().tobytes())
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
