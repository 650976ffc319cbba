"""Gram-D: how far a picture's texture statistics lie from a style's references."""

from __future__ import annotations

import numpy as np

from studio.metrics.scores import gram
from studio.metrics.table import METRICS, Metric, Scored


def gram_d(scored: Scored) -> np.ndarray:
    """``‖G(x) − mean G(references)‖_F`` of the vision network's feature maps (Gatys et al. 2016)."""
    name = scored.backbones.vision
    made = gram(scored.backbones.pictures(name, scored.images, "map"))
    wanted = gram(scored.backbones.pictures(name, scored.references, "map")).mean(0)
    return np.sqrt(((made - wanted) ** 2).sum((1, 2)))


METRICS.register(
    "gram-d",
    Metric(
        "gram-d",
        "lower",
        "0 and up",
        ("references",),
        "How far the picture's style lies from the references'.",
        "ACCORD, Table 3; Gatys et al. 2016",
        each=gram_d,
    ),
)
