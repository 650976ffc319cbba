"""How a family's networks were taught to see noise: a diffusion's levels or the straight line of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio.diffusion import sampling
from studio.diffusion.noise_table import shifted, total_of
from studio.train import losses


@dataclass(frozen=True)
class Diffusion:
    """``x_t = √ᾱ_t·x_0 + √(1−ᾱ_t)·ε``. ``levels``: ᾱ of every time step; ``prediction``: of what."""

    levels: Tensor
    prediction: str

    def __len__(self) -> int:
        return len(self.levels)

    def add(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Noisy latents (batch, …) at ``times``, integers in [0, steps)."""
        return losses.add_noise(clean, noise, self.levels[times])

    def wanted(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the network should answer."""
        return losses.target(clean, noise, self.levels[times], self.prediction)

    def conditioning(self, times: Tensor) -> Tensor:
        """What the network reads as the time."""
        return times

    def to(self, device: torch.device, dtype: torch.dtype) -> Diffusion:
        """The same, kept there."""
        return replace(self, levels=self.levels.to(device, dtype))


@dataclass(frozen=True)
class Flow:
    """``x_σ = (1−σ)·x_0 + σ·ε``, whose networks predict ``ε − x_0`` (flow matching; SANA, Sec. 2.4).

    ``levels``: σ of every time step, with the base's shift towards noise
    ``σ = s·u / (1 + (s−1)·u)`` of the even ``u = (i+1)/T``.
    """

    levels: Tensor

    def __len__(self) -> int:
        return len(self.levels)

    def add(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """As :meth:`Diffusion.add`."""
        sigma = self._sigma(clean, times)
        return (1 - sigma) * clean + sigma * noise

    def wanted(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """The flow's velocity, the same at every time."""
        del times
        return noise - clean

    def conditioning(self, times: Tensor) -> Tensor:
        """``T·σ``, as the family's schedulers have it."""
        return (len(self) * self.levels[times]).float()

    def to(self, device: torch.device, dtype: torch.dtype) -> Flow:
        """The same, kept there."""
        return Flow(self.levels.to(device, dtype))

    def _sigma(self, latent: Tensor, times: Tensor) -> Tensor:
        return self.levels[times].to(latent).view(-1, *[1] * (latent.ndim - 1))


Noising = Diffusion | Flow


def noising_of(config: Mapping[str, Any]) -> Noising:
    """From a base's scheduler config."""
    prediction = str(config.get("prediction_type", "epsilon"))
    if prediction == sampling.FLOW:
        steps = total_of(config)
        even = np.arange(1, steps + 1) / steps
        return Flow(torch.from_numpy(shifted(config, even)).float())
    return Diffusion(sampling.make_scheduler("ddim", config).alphas_cumprod.float(), prediction)
