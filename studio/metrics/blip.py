"""BLIP-T: does the picture follow its text, by a network that was trained to retrieve captions."""

from __future__ import annotations

import numpy as np

from studio.metrics.backbones import blip_at_hand
from studio.metrics.clip import agreement
from studio.metrics.table import METRICS, Metric, Scored


def blip_t(scored: Scored) -> np.ndarray:
    """``cos(f_image(x), f_text(c))`` of BLIP's contrastive heads (the image-text contrastive loss of Li et al. 2022), in [-1, 1].

    ACCORD takes BLIP-2 for its BLIP-T; values of the two are not to be compared.
    """
    return agreement(scored, scored.backbones.blip)


METRICS.register(
    "blip-t",
    Metric(
        "blip-t",
        "higher",
        "-1 to 1",
        ("prompts",),
        "How well the picture follows its text, by --blip's network.",
        "BLIP, Li et al. 2022",
        each=blip_t,
        at_hand=blip_at_hand,
    ),
)
