"""Gram-D: how far a picture's texture statistics lie from a style's references."""

from __future__ import annotations

import numpy as np

from studio.metrics.backbones import vision_at_hand
from studio.metrics.scores import gram
from studio.metrics.table import METRICS, Metric, Scored


def gram_d(scored: Scored) -> np.ndarray:
    """Mean over the references r of ``‖G(x) − G(r)‖_F``, G the Gram matrices of the vision network's
    feature maps (ACCORD, Sec. 5; Gatys et al. 2016)."""
    name, backbones = scored.backbones.vision, scored.backbones
    total = np.zeros(len(scored.images))
    for held in backbones.batches(name, scored.references, "map"):
        wanted, at = gram(held), 0
        for part in backbones.batches(name, scored.images, "map"):
            for made in gram(part):
                total[at] += np.linalg.norm(wanted - made, axis=(1, 2)).sum()
                at += 1
    return total / len(scored.references)


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
        at_hand=vision_at_hand,
    ),
)
