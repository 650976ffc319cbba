"""SANA: flow matching, a linear transformer, a Gemma text encoder and a deep-compression VAE."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families.base import Family, Text
from studio.engine.families.components import load_component, load_config, load_tokenizer
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.errors import IncompatibleModels, StudioError, shorten
from studio.library import ModelEntry
from studio.library.noise import with_flow
from studio.preset.prompts import BREAK, has_weights

TOKENS = 300  # what the networks were trained on (SANA, Sec. 3.1)


class Sana(Family):
    """``SanaTransformer2DModel`` on Gemma's states; latents of an ``AutoencoderDC``."""

    def load_network(
        self, entry: ModelEntry, device: torch.device, dtype: torch.dtype
    ) -> nn.Module:
        """The pipeline's ``transformer``."""
        from diffusers import SanaTransformer2DModel

        return load_component(SanaTransformer2DModel, entry, "transformer", device, dtype)

    def load_text(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``Gemma2Model``; its tokenizer rides along as ``.tokenizer``."""
        from transformers import AutoTokenizer, Gemma2Model

        encoder = load_component(Gemma2Model, entry, "text_encoder", device, _wide(dtype))
        encoder.tokenizer = load_tokenizer(AutoTokenizer, entry, "tokenizer")
        encoder.tokenizer.padding_side = "right"
        return encoder

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderDC``."""
        from diffusers import AutoencoderDC

        return load_component(AutoencoderDC, entry, "vae", device, _wide(dtype))

    def scheduler_config(self, entry: ModelEntry) -> Mapping[str, Any]:
        """Read from the pipeline's scheduler folder; whatever it is, the networks predict the flow."""
        return with_flow(load_config(entry, "scheduler"), entry)

    def towers(self, text: Any) -> Mapping[str, nn.Module]:
        """One tower."""
        return {"text_encoder": text}

    def spans(self, text: Any, prompt: str, words: Words = NO_WORDS) -> int:
        """One window, which the prompt must fit into.

        Raises:
            StudioError: a prompt that is longer, or one with what this family does not read.
        """
        if words.vectors:
            named = ", ".join(words.vectors)
            raise IncompatibleModels(f"SANA's text encoder takes no learned words, such as {named}")
        if has_weights(prompt):
            raise StudioError(
                f"SANA reads no attention weights; write {shorten(prompt, 40)} without them",
                field="prompt",
            )
        count = len(text.tokenizer(_cleaned(prompt)).input_ids)
        if count > TOKENS:
            raise StudioError(f"the prompt has {count} tokens; SANA reads {TOKENS}", field="prompt")
        return 1

    @torch.no_grad()
    def encode(
        self, text: Any, prompts: Sequence[str], words: Words = NO_WORDS, spans: int = 1
    ) -> Text:
        """Last hidden states and their mask, after the instruction that the networks know.

        As in diffusers' pipeline a prompt follows a fixed instruction to describe it well, and the
        empty prompt stands alone.
        """
        parts = [self._encoded(text, prompt) for prompt in prompts]
        return Text.cat(parts)

    def _encoded(self, text: Any, prompt: str) -> Text:
        self.spans(text, prompt)
        tokenizer = text.tokenizer
        instruction = _instruction() if prompt else ""
        length = TOKENS
        if instruction:
            length += len(tokenizer.encode(instruction)) - 2
        tokens = tokenizer(
            [instruction + _cleaned(prompt)],
            padding="max_length",
            max_length=length,
            truncation=True,
            return_tensors="pt",
        ).to(next(text.parameters()).device)
        states = text(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
        # The start mark and the end of what is read: the instruction itself is left out.
        kept = [0, *range(length - TOKENS + 1, length)]
        return Text(states[:, kept], mask=tokens.attention_mask[:, kept])

    def text_width(self, network: Any) -> int:
        """What its caption projection reads."""
        return int(network.config.caption_channels)

    def predict(
        self,
        network: Any,
        latents: Tensor,
        t: Tensor,
        text: Text | None,
        pictures: Tensor | None = None,
        **residuals: Any,
    ) -> Tensor:
        """The flow ``ε − x₀``."""
        assert text is not None and pictures is None
        time = t.to(latents.device).expand(latents.shape[0]) * network.config.timestep_scale
        output = network(
            latents,
            encoder_hidden_states=text.states,
            encoder_attention_mask=text.mask,
            timestep=time,
            return_dict=False,
            **residuals,
        )[0]
        return output[:, : latents.shape[1]]  # some networks tell a variance besides

    def preview(self, entry: ModelEntry, channels: int) -> tuple[Tensor, Tensor]:
        """Three of the channels as colours: no published map for this autoencoder is known."""
        weight = torch.zeros(3, channels)
        weight[range(3), range(3)] = 0.5
        return weight, torch.zeros(3)


def _wide(dtype: torch.dtype) -> torch.dtype:
    """Gemma and the autoencoder overflow in fp16; they were released in bfloat16."""
    return torch.bfloat16 if dtype == torch.float16 else dtype


def _cleaned(prompt: str) -> str:
    return BREAK.sub(" ", prompt).lower().strip()  # there is one window


@lru_cache(maxsize=1)
def _instruction() -> str:
    """The instruction that diffusers' pipeline puts before a prompt."""
    from diffusers import SanaPipeline

    parameters = inspect.signature(SanaPipeline.__call__).parameters
    return "\n".join(parameters["complex_human_instruction"].default)
