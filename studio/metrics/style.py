"""Gram-D: how far a picture's texture statistics lie from a style's references."""

from __future__ import annotations

import numpy as np

from studio.metrics.scores import gram
from studio.metrics.table import METRICS, Metric, Scored


def gram_d(scored: Scored) -> np.ndarray:
    """``‖G(x) − mean G(references)‖_F`` of the vision network's feature maps (Gatys et al. 2016).

    ACCORD's is the mean of the distances to each reference instead; the distance to their mean is
    never more than that (0.79 to 0.86 of it for eight pictures and six references of the starter).
    """
    name = scored.backbones.vision
    wanted = _mean_gram(scored)
    made = scored.backbones.batches(name, scored.images, "map")
    return np.concatenate([np.sqrt(((gram(part) - wanted) ** 2).sum((1, 2))) for part in made])


def _mean_gram(scored: Scored) -> np.ndarray:
    parts = scored.backbones.batches(scored.backbones.vision, scored.references, "map")
    return np.sum([gram(part).sum(0) for part in parts], axis=0) / len(scored.references)


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
