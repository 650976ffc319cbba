"""The one module that an optimiser steps over: the network and, for some methods, its learned word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from studio.train.base import Encoder


class Trainee(nn.Module):
    """Predictions under captions, with the gradient of everything that trains.

    Args:
        network: a U-Net, whole or with adapters, or a null-text network.
        encoder: reads captions; ``None`` for null-text networks.
        word: the learned word, "" where none is learned.
        vectors: its vectors (vectors, width), where they themselves train.
        projection: from image embeddings (batch, width) to vectors (batch, vectors, width), where
            the word is read from the picture (ACCORD's visual encoder).
    """

    def __init__(
        self,
        network: nn.Module,
        encoder: Encoder | None = None,
        word: str = "",
        vectors: Tensor | None = None,
        projection: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = network
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
            captions: one per sample.
            features: image embeddings (batch, width), for the visual encoder.
        """
        if self.encoder is None or captions is None:
            return self.network(latents, times, return_dict=False)[0]
        words = self.words(features, len(captions))
        if self.projection is None:
            states = self.encoder(captions, words[0])
        else:
            states = torch.cat(
                [
                    self.encoder([caption], known)
                    for caption, known in zip(captions, words, strict=True)
                ]
            )
        return self.network(
            latents, times, encoder_hidden_states=states.to(latents), return_dict=False
        )[0]

    def trained(self) -> dict[str, nn.Parameter]:
        """Everything that trains, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}
