"""A batch of training: its slice, the pieces that it may be computed in, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.train.captions import Caption
from studio.train.latents import Latents


@dataclass(frozen=True)
class Batch:
    """One process's slice of a batch."""

    noisy: Tensor
    times: Tensor
    wanted: Tensor
    captions: Sequence[Caption]
    features: Tensor | None
    weight: Tensor | None = None

    def pieces(self, count: int) -> Iterator[tuple[Batch, float]]:
        """The slice in about equal pieces, each with its share of the mean."""
        size = len(self.noisy)
        for first in range(0, size, -(-size // count)):
            piece = slice(first, first + -(-size // count))
            yield (
                Batch(
                    self.noisy[piece],
                    self.times[piece],
                    self.wanted[piece],
                    self.captions[piece],
                    None if self.features is None else self.features[piece],
                    None if self.weight is None else self.weight[piece],
                ),
                len(self.noisy[piece]) / size,
            )


def add_to(total: dict[str, Tensor], values: Mapping[str, Tensor], share: float) -> None:
    """Add a share of each value, without its graph."""
    for name, value in values.items():
        total[name] = total.get(name, 0) + value.detach() * share


def side(item: Latents, flip: bool) -> Tensor:
    """A picture's latent distribution, or its mirror image's where there is one."""
    return item.flipped if flip and item.flipped is not None else item.straight


def weights(items: Sequence[Latents], flips: Sequence[bool], device: torch.device) -> Tensor | None:
    """(batch, 1, h, w) where a picture of the batch has a weight; the others' count is 1."""
    if all(item.weight is None for item in items):
        return None
    found = []
    for item, flip in zip(items, flips, strict=True):
        weight = torch.ones(item.shape) if item.weight is None else item.weight
        found.append(weight.flip(-1) if flip and item.flipped is not None else weight)
    return torch.stack(found)[:, None].to(device)
