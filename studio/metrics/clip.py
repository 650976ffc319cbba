"""CLIP's scores: does the picture follow its text, does it resemble the references."""

from __future__ import annotations

import numpy as np

from studio.metrics.backbones import clip_at_hand
from studio.metrics.scores import cosine, mean_cosine
from studio.metrics.table import METRICS, Metric, Scored


def clip_t(scored: Scored) -> np.ndarray:
    """``cos(f_image(x), f_text(c))`` for each picture and its prompt (Hessel et al. 2021, without
    their factor 2.5 and without cutting at 0)."""
    return agreement(scored, scored.backbones.clip)


def agreement(scored: Scored, name: str) -> np.ndarray:
    """Cosine of each picture and its prompt under a network of both; features are not held."""
    texts = scored.backbones.texts(name, scored.prompts)
    found = [np.empty(0)]
    for rows in scored.backbones.batches(name, scored.images):
        start = sum(map(len, found))
        found.append(cosine(rows, texts[start : start + len(rows)]))
    return np.concatenate(found)


def resemblance(scored: Scored, name: str) -> np.ndarray:
    """Each picture's mean cosine with the references under a network; features are not held."""
    references = scored.backbones.pictures(name, scored.subjects(scored.references))
    rows = scored.backbones.batches(name, scored.subjects(scored.images))
    return np.concatenate([mean_cosine(part, references) for part in rows])


def clip_i(scored: Scored) -> np.ndarray:
    """Each picture's mean cosine with the references, in CLIP's projection (DreamBooth, Sec. 4)."""
    return resemblance(scored, scored.backbones.clip)


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
        at_hand=clip_at_hand,
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
        at_hand=clip_at_hand,
        subject=True,
    ),
)
