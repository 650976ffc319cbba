"""A family that a package adds: Stable Diffusion's layout on eight latent channels, predicting v."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from studio.engine.families.stable_diffusion import StableDiffusion
from studio.library import FAMILIES, ModelEntry
from studio.library.family import V


class Toy(StableDiffusion):
    """Its own preview; everything else is Stable Diffusion's."""

    def preview(self, entry: ModelEntry, channels: int) -> tuple[Tensor, Tensor]:
        """Grey, from the first channel."""
        weight, bias = super().preview(entry, channels)
        weight[:] = 0
        weight[:, 0] = 0.5
        return weight, bias


def add() -> None:
    """What the package's entry point calls."""
    record = replace(
        FAMILIES["sd1"],
        title="Toy diffusion",
        runs=f"{__name__}:Toy",
        recognises=lambda config, pipeline: pipeline == "ToyPipeline",
        pipelines=("ToyPipeline",),
        predicts=(V,),
        latent_channels=8,
        in_file=None,
        marks=("toy",),
        controls=False,
    )
    FAMILIES.register("toy", record)
