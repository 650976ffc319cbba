"""Resemblance under a vision network of one's choice: DINO-I with DINO, by its own name with another."""

from __future__ import annotations

import numpy as np

from studio.metrics.backbones import vision_at_hand
from studio.metrics.clip import resemblance
from studio.metrics.table import METRICS, Metric, Scored


def vision_i(scored: Scored) -> np.ndarray:
    """Each picture's mean cosine with the references, in the class token of the vision network."""
    return resemblance(scored, scored.backbones.vision)


METRICS.register(
    "vision-i",
    Metric(
        "vision-i",
        "higher",
        "-1 to 1",
        ("references",),
        "How much the picture resembles the references under --vision; DINO-I where that is a DINO.",
        "DreamBooth, Ruiz et al. 2023",
        each=vision_i,
        at_hand=vision_at_hand,
        subject=True,
    ),
)
