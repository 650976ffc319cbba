"""Stable Diffusion 1.x and 2.x, and anything of their shape (the shipped starter family)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.families.base import Family, Text
from studio.engine.families.components import load_component, load_config, load_tokenizer
from studio.engine.inputs.tokens import NO_WORDS, Reader, Words, as_one, knowing, weighted
from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.library.clip_layers import readable_layers

# Linear approximation of the SD 1.x/2.x decoder, latent channel → RGB in [-1, 1]
# (figures published by Birchlabs and in use by most studios for previews).
_LATENT_TO_RGB = (
    (0.298, 0.207, 0.208),
    (0.187, 0.286, 0.173),
    (-0.158, 0.189, 0.264),
    (-0.184, -0.271, -0.473),
)


class StableDiffusion(Family):
    """U-Net with cross-attention on a CLIP text tower; latents of an ``AutoencoderKL``."""

    latent_to_rgb = _LATENT_TO_RGB

    def load_network(
        self, entry: ModelEntry, device: torch.device, dtype: torch.dtype
    ) -> nn.Module:
        """``UNet2DConditionModel`` of the pipeline."""
        from diffusers import UNet2DConditionModel

        return load_component(UNet2DConditionModel, entry, "unet", device, dtype)

    def load_text(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``CLIPTextModel``; its tokenizer rides along as ``.tokenizer``."""
        from transformers import CLIPTextModel, CLIPTokenizer

        encoder = load_component(CLIPTextModel, entry, "text_encoder", device, dtype)
        encoder.tokenizer = load_tokenizer(CLIPTokenizer, entry, "tokenizer")
        return encoder

    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """``AutoencoderKL``."""
        from diffusers import AutoencoderKL

        return load_component(AutoencoderKL, entry, "vae", device, dtype)

    def scheduler_config(self, entry: ModelEntry) -> Mapping[str, Any]:
        """Read from the pipeline's scheduler folder."""
        return load_config(entry, "scheduler")

    def towers(self, text: Any) -> Mapping[str, nn.Module]:
        """One tower."""
        return {"text_encoder": text}

    def spans(self, text: Any, prompt: str, words: Words = NO_WORDS) -> int:
        """As many windows of the tokenizer's length as the prompt fills."""
        return Reader(text.tokenizer, text, words.of("text_encoder")).spans(prompt)

    @torch.no_grad()
    def encode(
        self,
        text: Any,
        prompts: Sequence[str],
        words: Words = NO_WORDS,
        spans: int = 1,
        clip_skip: int | None = None,
    ) -> Text:
        """Last hidden states, padded to the tokenizer's length as the networks were trained.

        ``clip_skip``: the states of that layer from the end, 1 for the last, through the tower's last
        norm; ``None`` for the layer that the family reads.
        """
        vectors = words.of("text_encoder")
        reader = Reader(text.tokenizer, text, vectors)
        spans = max([spans, *(reader.spans(prompt) for prompt in prompts)])
        layer = self.layer(text, clip_skip, 1)
        with knowing(text, vectors, "text_encoder"):
            states = [self._states(text, reader, prompt, spans, layer) for prompt in prompts]
        return Text(as_one(torch.cat(states), len(prompts)))

    def layer(self, text: Any, clip_skip: int | None, own: int) -> int:
        """Which of a tower's states is read, counted from the last that it has, which is 1.

        Args:
            clip_skip: as a preset asks for it, ``None`` for ``own``.

        Raises:
            BadPreset: a tower has no such layer; names ``clip_skip``.
        """
        if clip_skip is None:
            return own
        configs: list[Any] = [tower.config for tower in self.towers(text).values()]
        layers = min(int(config.num_hidden_layers) for config in configs)
        allowed = readable_layers(self.record, layers)
        if clip_skip not in allowed:
            raise BadPreset(
                f"the text encoder has the layers {allowed[0]} to {allowed[-1]}, got {clip_skip}",
                field="clip_skip",
            )
        return clip_skip - self.record.unused_layers

    def _states(self, text: Any, reader: Reader, prompt: str, spans: int, layer: int) -> Tensor:
        """(windows, length, width) of one prompt."""
        device = next(text.parameters()).device
        masked = getattr(text.config, "use_attention_mask", False)

        def run(ids: Tensor, mask: Tensor) -> Tensor:
            output = text(
                ids.to(device),
                attention_mask=mask.to(device) if masked else None,
                output_hidden_states=layer > 1,
            )
            if layer == 1:
                return output.last_hidden_state
            return text.final_layer_norm(output.hidden_states[-layer])

        windows = reader.windows(prompt, spans)
        states = run(windows.ids, windows.mask)
        if bool((windows.weights == 1).all()):
            return states
        empty = reader.windows("")
        return weighted(states, run(empty.ids, empty.mask), windows.weights)

    def text_width(self, network: Any) -> int:
        """What its cross-attention reads."""
        return int(network.config.cross_attention_dim)

    def predict(
        self,
        network: Any,
        latents: Tensor,
        t: Tensor,
        text: Text | None,
        pictures: Tensor | None = None,
        **residuals: Any,
    ) -> Tensor:
        """A U-Net's output; editing and inpainting networks read a picture beside the latent."""
        if text is None:
            return network(latents, t, return_dict=False)[0]
        conditions = self.added(network, latents, text)
        further = network.config.in_channels - latents.shape[1]
        if further > 0:
            empty = latents.new_zeros(latents.shape[0], further, *latents.shape[2:])
            beside = empty if pictures is None else pictures.to(latents)
            latents = torch.cat([latents, beside], dim=1)
        return network(
            latents,
            t,
            encoder_hidden_states=text.states,
            return_dict=False,
            **conditions,
            **residuals,
        )[0]

    def paints(self, network: Any) -> bool:
        """Nine channels: the latent's, a mask's, and the picture's around it."""
        config = network.config
        return config.get("in_channels") == 2 * config.get("out_channels", 0) + 1

    def settings(self, text: Any) -> dict[str, Any]:
        """No safety checker, whose absence diffusers would remark on."""
        return {
            "safety_checker": None,
            "feature_extractor": None,
            "requires_safety_checker": False,
        }

    def preview(self, entry: ModelEntry, channels: int) -> tuple[Tensor, Tensor]:
        """The pipeline's own ``preview.safetensors``, else the published one for four channels."""
        file = Path(entry.path) / "preview.safetensors"
        if entry.path and file.is_file():
            from safetensors.torch import load_file

            state = load_file(file)
            return state["weight"].float(), state["bias"].float()
        weight = torch.zeros(3, channels)
        rows = torch.tensor(self.latent_to_rgb).T[:, :channels]
        weight[:, : rows.shape[1]] = rows
        return weight, torch.zeros(3)
