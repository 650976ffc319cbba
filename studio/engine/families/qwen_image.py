"""Qwen-Image: a flow, a transformer on packed latents, the text of a model that sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from studio.engine.families.autoencoders import Normalised
from studio.engine.families.base import Text
from studio.engine.families.components import load_component
from studio.engine.families.flux import packed, unpacked
from studio.engine.families.modular import Modular
from studio.library import ModelEntry, ModelFamily


class QwenImage(Modular):
    """``QwenImageTransformer2DModel``: a text has its own length, after a fixed instruction."""

    reads = "diffusers.modular_pipelines.qwenimage.encoders:QwenImageTextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {
        "states": "prompt_embeds",
        "mask": "prompt_embeds_mask",
    }
    longest: ClassVar[Mapping[str, int]] = {"tokenizer": 1024}
    wide = True

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKLQwenImage``, with what its pipeline does around it."""
        return load_frame(self.record, entry, device, self._held(dtype))

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """Packed; unpacked again."""
        batch, _, height, width = latents.shape
        tall, wide = height // 2, width // 2
        output = network(
            hidden_states=packed(latents),
            timestep=t.expand(batch).to(latents.dtype) / 1000,
            encoder_hidden_states=text.states,
            encoder_hidden_states_mask=text.mask,
            img_shapes=[[(1, tall, wide)]] * batch,
            return_dict=False,
        )[0]
        return unpacked(output, tall, wide)

    def _tokens(self, tokenizer: Any, prompt: str) -> int:
        from diffusers.modular_pipelines.qwenimage import prompt_templates as known

        whole = known.QWENIMAGE_PROMPT_TEMPLATE.format(prompt)
        return len(tokenizer(whole).input_ids) - known.QWENIMAGE_PROMPT_TEMPLATE_START_IDX


def load_frame(
    record: ModelFamily, entry: ModelEntry, device: torch.device, dtype: torch.dtype
) -> nn.Module:
    """``AutoencoderKLQwenImage``, normalised, of a family's base."""
    from diffusers import AutoencoderKLQwenImage

    vae: Any = load_component(AutoencoderKLQwenImage, entry, "vae", device, dtype)
    return _Frame(vae, record.latents(vae.config))


class _Frame(Normalised):
    """A picture is a film's one frame; each channel's mean and deviation stand in the config."""

    def normal(self) -> tuple[Tensor, Tensor]:
        like = next(self.inner.parameters())
        mean, deviation = (
            torch.tensor(self.inner.config[name], dtype=torch.float32, device=like.device)
            for name in ("latents_mean", "latents_std")
        )
        return mean[:, None, None], deviation[:, None, None]

    def packed(self, latents: Tensor) -> Tensor:
        return latents[:, :, 0]

    def unpacked(self, latents: Tensor) -> Tensor:
        return latents[:, :, None]

    def framed(self, pixels: Tensor) -> Tensor:
        return pixels[:, :, None]

    def unframed(self, pixels: Tensor) -> Tensor:
        return pixels[:, :, 0]
