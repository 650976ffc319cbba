"""Stable Diffusion 3 and 3.5: a flow, a transformer on joint text and picture, three text towers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from studio.engine.families.base import Text
from studio.engine.families.modular import Modular


class StableDiffusion3(Modular):
    """``SD3Transformer2DModel`` on both CLIPs' states beside T5's, and the CLIPs' pooled text.

    CLIP reads the beginning of a prompt, T5 all of it. A pipeline without T5, which is most of
    its bytes, has zeros in its place, as diffusers' has.
    """

    reads = (
        "diffusers.modular_pipelines.stable_diffusion_3.encoders:StableDiffusion3TextEncoderStep"
    )
    gives: ClassVar[Mapping[str, str]] = {
        "states": "prompt_embeds",
        "pooled": "pooled_prompt_embeds",
    }
    longest: ClassVar[Mapping[str, int]] = {"tokenizer_3": 256, "tokenizer": 77}

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """One picture's positions and its text attend to each other."""
        return network(
            hidden_states=latents,
            timestep=t.expand(latents.shape[0]),
            encoder_hidden_states=text.states,
            pooled_projections=text.pooled,
            return_dict=False,
        )[0]
