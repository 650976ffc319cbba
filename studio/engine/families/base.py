"""What the engine asks of a family of models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import pad

from studio.engine.families.pixels import shift_of, to_images
from studio.engine.inputs.tokens import NO_WORDS, Words
from studio.library import ModelEntry, ModelFamily


@dataclass(frozen=True)
class Text:
    """Prompts as a family's networks take them; the first axis of every tensor is the prompt.

    ``states``: (prompts, tokens, width). ``pooled``: (prompts, width), ``None`` where networks do
    not ask for it. ``mask``: (prompts, tokens), 1 where a token may be attended; ``None``: all.
    ``factor``: pixels per latent position, for networks that take the picture's size.
    ``distilled``: the guidance that a distilled network reads, ``None`` for its family's own.
    """

    states: Tensor
    pooled: Tensor | None = None
    mask: Tensor | None = None
    factor: int = 8
    distilled: float | None = None

    @staticmethod
    def cat(parts: Sequence[Text], dtype: torch.dtype | None = None) -> Text:
        """One batch of several; ``dtype`` for the states, of one length or filled up where masked."""
        longest = max(part.states.shape[1] for part in parts)
        parts = [part if part.mask is None else part._filled(longest) for part in parts]

        def join(name: str) -> Tensor | None:
            tensors = [getattr(part, name) for part in parts]
            return None if tensors[0] is None else torch.cat(tensors)

        states, pooled = torch.cat([part.states for part in parts]), join("pooled")
        return Text(
            states.to(dtype),
            None if pooled is None else pooled.to(dtype),
            join("mask"),
            parts[0].factor,
            parts[0].distilled,
        )

    def _filled(self, length: int) -> Text:
        """The same in ``length`` tokens, further ones zero and hidden."""
        more = length - self.states.shape[1]
        if not more or self.mask is None:
            return self
        return replace(
            self, states=pad(self.states, (0, 0, 0, more)), mask=pad(self.mask, (0, more))
        )

    def __getitem__(self, index: Tensor) -> Text:
        """The prompts at ``index``."""
        return Text(
            self.states[index],
            None if self.pooled is None else self.pooled[index],
            None if self.mask is None else self.mask[index],
            self.factor,
            self.distilled,
        )


class Family(ABC):
    """Loading, text, latents and network call of one family; the plan and the algebra know none.

    Args:
        record: what the library knows of it.
    """

    def __init__(self, record: ModelFamily) -> None:
        self.record = record

    @abstractmethod
    def load_network(
        self, entry: ModelEntry, device: torch.device, dtype: torch.dtype
    ) -> nn.Module:
        """The denoising network of a base or a full fine-tune."""

    @abstractmethod
    def load_text(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """The text tower or towers, with tokenizers as attributes."""

    @abstractmethod
    def load_vae(self, entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """The autoencoder."""

    @abstractmethod
    def scheduler_config(self, entry: ModelEntry) -> Mapping[str, Any]:
        """The base's noise schedule and prediction type."""

    @abstractmethod
    def towers(self, text: Any) -> Mapping[str, nn.Module]:
        """The text encoders by their names in a pipeline, for adapters and learned words."""

    def reads_guidance(self, network: nn.Module) -> bool:
        """Whether a network was distilled and reads its guidance as a number."""
        return False

    @abstractmethod
    def spans(self, text: Any, prompt: str, words: Words = NO_WORDS) -> int:
        """How many of the text tower's windows ``prompt`` fills; at least one."""

    @abstractmethod
    def encode(
        self, text: Any, prompts: Sequence[str], words: Words = NO_WORDS, spans: int = 1
    ) -> Text:
        """Encode ``prompts``, each padded to at least ``spans`` windows, so that lengths agree.

        ``words`` are vectors that only these prompts know; ``(word:1.2)`` weights what it holds.
        Families whose record says so (``clip_skip``) take the layer to read under that name.
        """

    def encode_text(self, text: Any, prompts: Sequence[str]) -> Tensor:
        """The states of plain prompts alone: (prompts, tokens, width)."""
        return self.encode(text, prompts).states

    @abstractmethod
    def text_width(self, network: Any) -> int:
        """Width of the states that ``network`` reads."""

    @abstractmethod
    def predict(
        self,
        network: Any,
        latents: Tensor,
        t: Tensor,
        text: Text | None,
        pictures: Tensor | None = None,
        **residuals: Any,
    ) -> Tensor:
        """The network's output for ``latents`` (batch, channels, h, w) at time step ``t``.

        ``text`` is ``None`` for null-text networks. ``pictures``: what networks read beside the
        latent: the picture that an editing one changes, of that shape; a mask and the picture around
        it (1 + channels) for one that paints; ``None`` for no picture. ``residuals`` are a ControlNet's.
        """

    def paints(self, network: Any) -> bool:
        """Whether ``network`` reads a mask and the picture around it beside the latent."""
        return False

    def added(self, network: Any, latents: Tensor, text: Text) -> dict[str, Any]:
        """What networks and ControlNets of the family take besides the states."""
        return {}

    @torch.no_grad()
    def decode(self, vae: Any, latent: Tensor) -> list[Image.Image]:
        """Scaled latents (batch, channels, h, w) to RGB pictures, through the whole decoder."""
        dtype = next(vae.parameters()).dtype
        latent = latent / vae.config.scaling_factor + shift_of(vae)
        pixels = vae.decode(latent.to(dtype), return_dict=False)[0]
        return to_images(pixels)

    def settings(self, text: Any) -> dict[str, Any]:
        """What diffusers' pipeline of the family takes besides its networks and tokenizers."""
        return {}

    @abstractmethod
    def preview(self, entry: ModelEntry, channels: int) -> tuple[Tensor, Tensor]:
        """A linear map of scaled latents to pixels: weight (3·p·p, channels), bias (3·p·p)."""
