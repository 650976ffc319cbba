"""Pictures of rows: those that editing models change, as latents, and image prompts, as seen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from studio import images
from studio.engine.adapters.image_prompt import Seen
from studio.engine.families.pixels import to_pixels
from studio.engine.inputs.frame import Frame
from studio.engine.networks.loader import Loader
from studio.errors import StudioError
from studio.plan.passes import Pass, Weights
from studio.preset import Preset


class Edited:
    """Encodes each picture once, at the preset's size: its middle, in the picture's aspect."""

    def __init__(
        self, preset: Preset, loader: Loader, roots: Sequence[Path], frame: Frame | None = None
    ) -> None:
        self.preset = preset
        self.loader = loader
        self.roots = roots
        self.frame = frame
        self.known: dict[str, Tensor] = {}
        self.shown: dict[Hashable, Seen] = {}

    def of(self, item: Pass) -> Tensor | None:
        """The latent (1, channels, h, w) of a pass's picture: the mode, not scaled (as trained).

        Raises:
            StudioError: a picture that cannot be read; names ``rows.N.image``.
        """
        ref = item.condition.image
        if not ref or self.loader.eyes(item.condition.words):  # a picture that a word is read from
            return None
        if ref not in self.known:
            field = f"rows.{item.rows[0]}.image" if item.rows else "image"
            self.known[ref] = self._encode(images.resolve(ref, self.roots, field=field))
        return self.known[ref]

    def seen(self, item: Pass) -> tuple[Seen, ...]:
        """A pass's image prompts as its network sees them.

        Raises:
            StudioError: a picture that cannot be read, or an IP-Adapter that cannot be used; names
                ``rows.N.image_prompt``.
        """
        prompt = item.condition.image_prompt
        shown: list[tuple[str, str | None, float]] = [
            (model, None, strength) for model, strength in item.condition.blank
        ]
        if prompt is not None:
            shown.append((prompt.model, prompt.image, prompt.strength))
        return tuple(self._seen(item, *one) for one in shown)

    def _seen(self, item: Pass, model: str, image: str | None, strength: float) -> Seen:
        """One picture, or with ``None`` no picture, by one IP-Adapter."""
        key = (model, image, strength, item.weights.model)
        if key not in self.shown:
            field = f"rows.{item.rows[0]}.image_prompt" if item.rows else "image_prompt"
            try:
                adapter = self.loader.ip_adapter(model, Weights(item.weights.model))
            except StudioError as error:
                raise type(error)(f"{model!r} {error.message}", field=f"{field}.model") from error
            picture = None
            if image is not None:
                picture = images.resolve(image, self.roots, field=f"{field}.image")
            self.shown[key] = adapter.see(picture, strength)
        return self.shown[key]

    @torch.no_grad()
    def _encode(self, picture: Image.Image) -> Tensor:
        size = (self.preset.sampler.width or 512, self.preset.sampler.height or 512)
        if self.frame is not None:  # the same part of it, where it is the same view
            picture = ImageOps.fit(picture, self.frame.whole.size, Image.Resampling.LANCZOS)
            fitted = self.frame.part(picture).resize(size, Image.Resampling.LANCZOS)
        else:
            fitted = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        vae: Any = self.loader.vae(self.preset.base, self.preset.vae)
        weight = next(vae.parameters())
        return vae.encode(to_pixels(fitted).to(weight)).latent_dist.mode()


def together(pictures: Sequence[Tensor | None], latents: Tensor) -> Tensor | None:
    """The pictures to edit of a batch's samples, zeros for those without one; ``None`` where no sample
    has one.

    Args:
        pictures: (1, channels, h, w) each. latents: of the batch.
    """
    if all(picture is None for picture in pictures):
        return None
    empty = torch.zeros_like(latents[:1])
    return torch.cat([empty if one is None else one.to(empty) for one in pictures])
