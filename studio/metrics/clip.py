"""CLIP's scores: does the picture follow its text, does it resemble the references."""

from __future__ import annotations

import numpy as np

from studio.metrics.scores import cosine, mean_cosine
from studio.metrics.table import METRICS, Metric, Scored


def clip_t(scored: Scored) -> np.ndarray:
    """``cos(f_image(x), f_text(c))`` for each picture and its prompt (Hessel et al. 2021, without
    their factor 2.5 and without cutting at 0)."""
    images = scored.backbones.pictures(scored.backbones.clip, scored.images)
    return cosine(images, scored.backbones.texts(scored.backbones.clip, scored.prompts))


def clip_i(scored: Scored) -> np.ndarray:
    """Each picture's mean cosine with the references, in CLIP's projection (DreamBooth, Sec. 4)."""
    name = scored.backbones.clip
    return mean_cosine(
        scored.backbones.pictures(name, scored.images),
        scored.backbones.pictures(name, scored.references),
    )


METRICS.register(
    "clip-t",
    Metric(
        "clip-t",
        "higher",
        "-1 to 1",
        ("prompts",),
        "How well the picture follows its text.",
        "CLIPScore, Hessel et al. 2021",
        each=clip_t,
    ),
)
METRICS.register(
    "clip-i",
    Metric(
        "clip-i",
        "higher",
        "-1 to 1",
        ("references",),
        "How much the picture resembles the references.",
        "DreamBooth, Ruiz et al. 2023",
        each=clip_i,
    ),
)
