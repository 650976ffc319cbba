"""Stable Diffusion XL: two text towers, a pooled text and the picture's size as conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families.base import Text
from studio.engine.families.components import load_component, load_model_index, load_tokenizer
from studio.engine.families.stable_diffusion import StableDiffusion
from studio.engine.inputs.tokens import NO_WORDS, Reader, Words, as_one, knowing, weighted
from studio.library import ModelEntry

# Linear approximation of the SDXL decoder, latent channel → RGB in [-1, 1] (widely published).
_LATENT_TO_RGB = (
    (0.3920, 0.4054, 0.4549),
    (-0.2634, -0.0196, 0.0653),
    (0.0568, 0.1687, -0.0755),
    (-0.3112, -0.2359, -0.2076),
)


def xl_conditions(latents: Tensor, pooled: Tensor, factor: int) -> dict[str, Any]:
    """What a network takes besides the states: pooled text, and original size, crop corner and target size.

    Args:
        latents: (batch, channels, h, w), ``factor`` pixels to each position.
        pooled: (batch, width), or (1, width) for all.
    """
    height, width = (factor * edge for edge in latents.shape[-2:])
    ids = torch.tensor([height, width, 0, 0, height, width]).to(latents)
    batch = latents.shape[0]
    return {
        "added_cond_kwargs": {
            "text_embeds": pooled.expand(batch, -1),
            "time_ids": ids.expand(batch, -1),
        }
    }


class Towers(nn.Module):
    """Both text encoders under their names in the pipeline, each with its ``tokenizer``."""

    def __init__(
        self, text_encoder: nn.Module, text_encoder_2: nn.Module, zeros: bool, factor: int
    ) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.text_encoder_2 = text_encoder_2
        self.zeros_for_empty = zeros
        self.factor = factor


class StableDiffusionXL(StableDiffusion):
    """The base network without its refiner."""

    latent_to_rgb = _LATENT_TO_RGB

    def load_text(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """CLIP's tower and OpenCLIP's with its projection."""
        from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

        first = load_component(CLIPTextModel, entry, "text_encoder", device, dtype)
        second = load_component(CLIPTextModelWithProjection, entry, "text_encoder_2", device, dtype)
        first.tokenizer = load_tokenizer(CLIPTokenizer, entry, "tokenizer")
        second.tokenizer = load_tokenizer(CLIPTokenizer, entry, "tokenizer_2")
        zeros = load_model_index(entry).get("force_zeros_for_empty_prompt", True)
        return Towers(first, second, bool(zeros), entry.multiple or 8)

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKL``; in float32 where its config says that half precision overflows."""
        vae = super().load_vae(entry, device, dtype)
        upcast = dtype == torch.float16 and bool(vae.config.force_upcast)  # type: ignore[union-attr]
        return vae.float() if upcast else vae

    def towers(self, text: Any) -> Mapping[str, nn.Module]:
        """Two towers."""
        return {"text_encoder": text.text_encoder, "text_encoder_2": text.text_encoder_2}

    def spans(self, text: Any, prompt: str, words: Words = NO_WORDS) -> int:
        """The longer of what the two tokenizers make of the prompt."""
        return max(
            Reader(tower.tokenizer, tower, words.of(name)).spans(prompt)
            for name, tower in self.towers(text).items()
        )

    @torch.no_grad()
    def encode(
        self,
        text: Any,
        prompts: Sequence[str],
        words: Words = NO_WORDS,
        spans: int = 1,
        clip_skip: int | None = None,
    ) -> Text:
        """Both towers' last states but one, side by side; the second's projected end mark.

        The empty prompt is all zeros where the pipeline says so, as the released models do.
        ``clip_skip``: the states of that layer of both from the end, 1 for the last.
        """
        layer = self.layer(text, clip_skip, 2)
        spans = max([spans, *(self.spans(text, prompt, words) for prompt in prompts)])
        parts, pooled = [], torch.empty(0)  # the last tower's
        for name, tower in self.towers(text).items():
            vectors = words.of(name)
            reader = Reader(tower.tokenizer, tower, vectors)
            with knowing(tower, vectors, name):
                encoded = [_states(tower, reader, prompt, spans, layer) for prompt in prompts]
            parts.append(as_one(torch.cat([states for states, _ in encoded]), len(prompts)))
            pooled = torch.cat([one for _, one in encoded])
        states = torch.cat(parts, dim=-1)
        if text.zeros_for_empty:
            kept = torch.tensor([float(bool(prompt)) for prompt in prompts]).to(states)
            states, pooled = states * kept[:, None, None], pooled * kept[:, None]
        return Text(states, pooled, factor=text.factor)

    def settings(self, text: Any) -> dict[str, Any]:
        """Whether the empty prompt is all zeros."""
        return {"force_zeros_for_empty_prompt": text.zeros_for_empty}

    def added(self, network: Any, latents: Tensor, text: Text) -> dict[str, Any]:
        """Pooled text and time ids: original size, crop corner and target size, as pixels."""
        assert text.pooled is not None
        return xl_conditions(latents, text.pooled, text.factor)


def _states(
    tower: Any, reader: Reader, prompt: str, spans: int, layer: int
) -> tuple[Tensor, Tensor]:
    """(windows, length, width) of one prompt at a layer from the end, and the first window's pooled text (1, width)."""
    device = next(tower.parameters()).device

    def run(ids: Tensor) -> tuple[Tensor, Tensor]:
        output = tower(ids.to(device), output_hidden_states=True)
        pooled = getattr(output, "text_embeds", None)
        return output.hidden_states[-layer], (output.pooler_output if pooled is None else pooled)[
            :1
        ]

    windows = reader.windows(prompt, spans)
    states, pooled = run(windows.ids)
    if bool((windows.weights == 1).all()):
        return states, pooled
    return weighted(states, run(reader.windows("").ids)[0], windows.weights), pooled
