"""The one module that an optimiser steps over: the network and, for some methods, its learned word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor, nn

from studio.engine.families import Family, Text
from studio.train.base import Encoder, FixedEncoder


class Trainee(nn.Module):
    """Predictions under captions, with the gradient of everything that trains.

    Args:
        network: a denoising network, whole or with adapters, or a null-text network.
        family: how it is called.
        encoder: reads captions; ``None`` for null-text networks.
        word: the learned word, "" where none is learned.
        vectors: its vectors (vectors, width), where they themselves train.
        projection: from image embeddings (batch, width) to vectors (batch, vectors, width), where
            the word is read from the picture (ACCORD's visual encoder).
    """

    def __init__(
        self,
        network: nn.Module,
        family: Family,
        encoder: Encoder | FixedEncoder | None = None,
        word: str = "",
        vectors: Tensor | None = None,
        projection: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.family = family
        self.encoder = encoder
        self.word = word
        self.vectors = nn.Parameter(vectors) if vectors is not None else None
        self.projection = projection

    def words(self, features: Tensor | None, count: int) -> list[Mapping[str, Tensor]]:
        """What the learned word means, for each of ``count`` samples."""
        if self.projection is not None and features is not None:
            return [{self.word: vectors} for vectors in self.projection(features)]
        known = {} if self.vectors is None else {self.word: self.vectors}
        return [known] * count

    def forward(
        self,
        latents: Tensor,
        times: Tensor,
        captions: Sequence[str] | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """The network's output for ``latents`` (batch, channels, h, w) at ``times`` (batch,).

        Args:
            captions: one per sample; the null prompt's for all where there are none.
            features: image embeddings (batch, width), for the visual encoder.
        """
        if self.encoder is None:
            return self.family.predict(self.network, latents, times, None)
        if captions is None:
            captions = [""] * len(latents)
        words = self.words(features, len(captions))
        if self.projection is None:
            text = self.encoder(captions, words[0])
        else:
            text = Text.cat(
                [
                    self.encoder([caption], known)
                    for caption, known in zip(captions, words, strict=True)
                ]
            )
        return self.family.predict(self.network, latents, times, _placed(text, latents))

    def trained(self) -> dict[str, nn.Parameter]:
        """Everything that trains, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def _placed(text: Text, latents: Tensor) -> Text:
    """The text where the latents are, in their precision; its mask as it is."""
    return replace(
        text,
        states=text.states.to(latents),
        pooled=None if text.pooled is None else text.pooled.to(latents),
        mask=None if text.mask is None else text.mask.to(latents.device),
    )
