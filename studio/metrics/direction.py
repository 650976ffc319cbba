"""Directional CLIP: does the picture differ from the references as its text differs from theirs."""

from __future__ import annotations

import numpy as np

from studio.metrics.backbones import clip_at_hand
from studio.metrics.scores import cosine, unit
from studio.metrics.table import METRICS, Metric, Scored


def clip_direction(scored: Scored) -> np.ndarray:
    """``cos(f(x) − f(r), g(c) − g(s))``, f and g the CLIP's projections at length one, in [-1, 1].

    The directional loss of Gal et al. 2022 is one less this. ``r``: the references' mean; ``s``: the
    text that describes them. 0 where the prompt is that text, which leads nowhere.
    """
    name = scored.backbones.clip
    start = unit(scored.backbones.pictures(name, scored.references)).mean(0)
    texts = unit(scored.backbones.texts(name, [*scored.prompts, scored.source]))
    wanted = texts[:-1] - texts[-1]
    found = [np.empty(0)]
    for rows in scored.backbones.batches(name, scored.images):
        at = sum(map(len, found))
        found.append(cosine(unit(rows) - start, wanted[at : at + len(rows)]))
    return np.concatenate(found)


METRICS.register(
    "clip-direction",
    Metric(
        "clip-direction",
        "higher",
        "-1 to 1",
        ("prompts", "references", "source"),
        "How well the change from the references follows the change from their text.",
        "StyleGAN-NADA, Gal et al. 2022",
        each=clip_direction,
        at_hand=clip_at_hand,
    ),
)
