"""Autoencoders whose latents are normalised channel by channel, in ``AutoencoderKL``'s words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from diffusers.configuration_utils import FrozenDict
from torch import Tensor, nn


class Normalised(nn.Module):
    """What the engine encodes and decodes with, around a network that does so otherwise.

    Its latents need no further scale, and of an encoding it gives the mode, as diffusers' pipelines
    of such families take it.

    Args:
        inner: the autoencoder.
        config: its config in the words of ``AutoencoderKL``'s, as the family's record reads it.
    """

    def __init__(self, inner: Any, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.inner = inner
        self.config = FrozenDict(config)

    @abstractmethod
    def normal(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each channel: (channels, 1, 1)."""

    @abstractmethod
    def packed(self, latents: Tensor) -> Tensor:
        """The network's latents → (batch, channels, h, w)."""

    @abstractmethod
    def unpacked(self, latents: Tensor) -> Tensor:
        """(batch, channels, h, w) → the network's latents."""

    def encode(self, pixels: Tensor) -> Any:
        """``latent`` of pixels (batch, 3, h, w)."""
        mean, deviation = self.normal()
        found = self.inner.encode(self.framed(pixels)).latent_dist.mode()
        return SimpleNamespace(latent=(self.packed(found) - mean) / deviation)

    def decode(self, latents: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        """Pixels (batch, 3, h, w) of latents."""
        mean, deviation = self.normal()
        there = self.unpacked(latents * deviation.to(latents) + mean.to(latents))
        return (self.unframed(self.inner.decode(there, return_dict=return_dict)[0]),)

    def framed(self, pixels: Tensor) -> Tensor:
        """Pictures as the network takes them."""
        return pixels

    def unframed(self, pixels: Tensor) -> Tensor:
        """Pictures as the network gives them."""
        return pixels

    def register_to_config(self, **fields: Any) -> None:
        """As diffusers' networks."""
        self.config = FrozenDict({**self.config, **fields})

    def enable_tiling(self) -> None:
        """Decode tile by tile."""
        self.inner.enable_tiling()

    def disable_tiling(self) -> None:
        """Decode at once."""
        self.inner.disable_tiling()
