"""Krea 2: a flow, one stream of text and packed latents, states of many layers of a model that sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from studio.engine.families.base import Text
from studio.engine.families.flux import packed, places, unpacked
from studio.engine.families.modular import Modular
from studio.engine.families.qwen_image import load_frame
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.errors import IncompatibleModels, shorten
from studio.library import ModelEntry


class Krea2(Modular):
    """``Krea2Transformer2DModel``; a token's states are those of twelve layers, one after another."""

    reads = "diffusers.modular_pipelines.krea2.encoders:Krea2TextEncoderStep"
    gives: ClassVar[Mapping[str, str]] = {"states": "prompt_embeds", "mask": "prompt_embeds_mask"}
    longest: ClassVar[Mapping[str, int]] = {
        "tokenizer": 507
    }  # 512, the template's last 5 among them
    wide = True

    def block(self, index: Mapping[str, Any]) -> str:
        """Its own, which reads the layers of the models that are published.

        Raises:
            IncompatibleModels: a pipeline that names others.
        """
        from diffusers.modular_pipelines.krea2 import encoders as known

        layers = index.get("text_encoder_select_layers")
        if layers and list(layers) != list(known.KREA2_TEXT_ENCODER_SELECT_LAYERS):
            raise IncompatibleModels(
                f"reads other layers of its text encoder than Krea 2 does: {shorten(layers)}",
                field="base",
            )
        return self.reads

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Qwen-Image's ``AutoencoderKLQwenImage``."""
        return load_frame(self.record, entry, device, self._held(dtype))

    def text_width(self, network: Any) -> int:
        """What its text's fusion reads of a token, layer after layer."""
        return int(network.config.num_text_layers * network.config.text_hidden_dim)

    def encode(
        self, text: Any, prompts: Sequence[str], words: Words = NO_WORDS, spans: int = 1
    ) -> Text:
        """What the block makes of each prompt, a token's layers joined."""
        found = super().encode(text, prompts, words, spans)
        return replace(found, states=found.states.flatten(2))

    def call(self, network: Any, latents: Tensor, t: Tensor, text: Text) -> Tensor:
        """Packed, the text before the picture and all of it at one place; unpacked again."""
        batch, _, height, width = latents.shape
        tall, wide = height // 2, width // 2
        assert text.mask is not None
        before = torch.zeros(text.states.shape[1], 3)
        output = network(
            hidden_states=packed(latents),
            encoder_hidden_states=text.states.unflatten(2, (network.config.num_text_layers, -1)),
            timestep=(t / 1000).expand(batch).to(latents.dtype),
            position_ids=torch.cat([before, places(tall, wide)]).to(latents.device),
            encoder_attention_mask=text.mask.bool(),
            return_dict=False,
        )[0]
        return unpacked(output, tall, wide)

    def _tokens(self, tokenizer: Any, prompt: str) -> int:
        from diffusers.modular_pipelines.krea2 import encoders as known

        whole = tokenizer(known._PROMPT_TEMPLATE_ENCODE_PREFIX + prompt).input_ids
        return len(whole) - known._PROMPT_TEMPLATE_ENCODE_START_IDX
