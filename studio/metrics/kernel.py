"""KID and CMMD: distances between distributions that are unbiased at any number of pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.metrics.backbones import clip_at_hand, vision_at_hand
from studio.metrics.scores import gaussian_distance, kernel_distance
from studio.metrics.table import METRICS, Metric, Scored


def kid(scored: Scored) -> Callable[[np.ndarray], float]:
    """KID times 1000, as tables give it, under the vision network's features."""
    name = scored.backbones.vision
    made = scored.backbones.pictures(name, scored.images)
    real = scored.backbones.pictures(name, scored.references)
    return lambda rows: 1000 * kernel_distance(made[rows], real)


def cmmd(scored: Scored) -> Callable[[np.ndarray], float]:
    """CMMD under the CLIP's projection."""
    name = scored.backbones.clip
    made = scored.backbones.pictures(name, scored.images)
    real = scored.backbones.pictures(name, scored.references)
    return lambda rows: gaussian_distance(made[rows], real)


METRICS.register(
    "kid",
    Metric(
        "kid",
        "lower",
        "about 0 and up, times 1000",
        ("references",),
        "Distance of the pictures' distribution to the references', sound for few pictures.",
        "Bińkowski et al. 2018",
        whole=kid,
        at_hand=vision_at_hand,
    ),
)
METRICS.register(
    "cmmd",
    Metric(
        "cmmd",
        "lower",
        "about 0 and up, times 1000",
        ("references",),
        "The same with CLIP's features and a Gaussian kernel.",
        "Jayasumana et al. 2024",
        whole=cmmd,
        at_hand=clip_at_hand,
    ),
)
