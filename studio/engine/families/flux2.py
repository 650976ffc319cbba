"""FLUX.2: a flow, a transformer on latents that its autoencoder packs, a language model's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from studio.engine.families.autoencoders import Normalised
from studio.engine.families.base import Text
from studio.engine.families.components import load_component
from studio.engine.families.modular import Modular
from studio.errors import StudioError
from studio.library import ModelEntry, ModelFamily

IMAGE = "[IMG]"
_DEV = "diffusers.modular_pipelines.flux2.encoders:Flux2TextEncoderStep"


class Flux2(Modular):
    """``Flux2Transformer2DModel``: every prompt is 512 tokens long, and its padding is attended.

    [dev] reads with another language model than [klein], and takes its distilled guidance as a number.
    """

    reads = "diffusers.modular_pipelines.flux2.encoders:Flux2KleinTextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {"states": "prompt_embeds"}
    longest: ClassVar[Mapping[str, int]] = {"tokenizer": 512}
    chat: ClassVar[Mapping[str, Any] | None] = {"enable_thinking": False}
    wide = True

    def block(self, index: Mapping[str, Any]) -> str:
        """That of [dev] for its own pipeline."""
        return _DEV if index.get("_class_name") == "Flux2Pipeline" else self.reads

    def reads_guidance(self, network: Any) -> bool:
        """[dev] does, [klein] does not."""
        return bool(network.config.guidance_embeds)

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKLFlux2``, with what its pipeline does around it."""
        return load_packing(self.record, entry, device, self._held(dtype))

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """One of the network's positions is one of the latent's; places are time, row, column, token."""
        batch, _, height, width = latents.shape
        length = text.states.shape[1]
        places = torch.zeros(height * width + length, 4, device=latents.device)
        places[:length, 3] = torch.arange(length)
        rows_and_columns = torch.cartesian_prod(torch.arange(height), torch.arange(width))
        places[length:, 1:3] = rows_and_columns.to(places)
        scale = self.record.distilled if text.distilled is None else text.distilled
        read = torch.full((batch,), scale, device=t.device, dtype=torch.float32)
        output = network(
            hidden_states=latents.flatten(2).transpose(1, 2),
            timestep=t.expand(batch).to(latents.dtype) / 1000,
            guidance=read if self.reads_guidance(network) else None,
            encoder_hidden_states=text.states,
            txt_ids=places[:length],
            img_ids=places[length:],
            return_dict=False,
        )[0]
        return output.transpose(1, 2).reshape_as(latents)

    def _tokens(self, tokenizer: Any, prompt: str) -> int:
        if not hasattr(tokenizer, "tokenizer"):
            return super()._tokens(tokenizer, prompt)
        if IMAGE in prompt:  # its block would leave that out without a word
            raise StudioError(
                f"{IMAGE} stands for a picture in what FLUX.2 [dev] reads; write the prompt without it",
                field="prompt",
            )
        from diffusers.modular_pipelines.flux2 import encoders as known

        message = known.Flux2TextEncoderStep.DEFAULT_SYSTEM_MESSAGE
        said = known.format_text_input([prompt], system_message=message)
        return len(
            tokenizer.apply_chat_template(said, tokenize=True, return_dict=True).input_ids[0]
        )


def load_packing(
    record: ModelFamily,
    entry: ModelEntry,
    device: torch.device,
    dtype: torch.dtype,
    epsilon: float | None = None,
) -> nn.Module:
    """``AutoencoderKLFlux2``, packed and normalised, of a family's base.

    Args:
        epsilon: what is added to the counted variance; ``None``: what its config says.
    """
    from diffusers import AutoencoderKLFlux2

    vae: Any = load_component(AutoencoderKLFlux2, entry, "vae", device, dtype)
    return _Packing(vae, record.latents(vae.config), vae.bn.eps if epsilon is None else epsilon)


class _Packing(Normalised):
    """Two by two positions are one, whose mean and deviation its batch norm has counted.

    Args:
        epsilon: what is added to the counted variance.
    """

    def __init__(self, inner: Any, config: Mapping[str, Any], epsilon: float) -> None:
        super().__init__(inner, config)
        self.epsilon = epsilon

    def normal(self) -> tuple[Tensor, Tensor]:
        known = self.inner.bn
        mean, variance = known.running_mean, known.running_var
        return mean[:, None, None], (variance + self.epsilon).sqrt()[:, None, None]

    def packed(self, latents: Tensor) -> Tensor:
        return pixel_unshuffle(latents, 2)

    def unpacked(self, latents: Tensor) -> Tensor:
        return pixel_shuffle(latents, 2)
