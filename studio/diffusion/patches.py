"""A refinement that works on patches of two by two latent positions."""

from __future__ import annotations

import torch
from torch import Tensor

from studio.diffusion.guidance import Moment
from studio.diffusion.parameterisation import Prediction


def rescale_patches(guided: Prediction, moment: Moment, share: float) -> Prediction:
    """Each patch ``p`` of two by two positions at the reference's length there, by ``share``.

        ε̂_p ← s·ε̂_p·‖ε_ref,p‖₂/‖ε̂_p‖₂ + (1 − s)·ε̂_p

    As Qwen-Image's pipelines do, whose network takes such a patch as one position; with several rows
    the reference is :attr:`Moment.reference`, our reading.
    """
    assert moment.reference is not None
    output = guided.output
    wanted, there = (
        _of_patches(one.square().sum(1, keepdim=True)) for one in (moment.reference, output)
    )
    ratio = torch.where(there > 0, wanted / there, 1).sqrt()  # a patch of zeros stays as it is
    return guided._replace(output=share * (output * ratio) + (1 - share) * output)


def _of_patches(values: Tensor) -> Tensor:
    """The mean of each patch of (batch, 1, h, w), at every position of it."""
    means = torch.nn.functional.avg_pool2d(values, 2, ceil_mode=True)
    wide = means.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return wide[..., : values.shape[-2], : values.shape[-1]]
