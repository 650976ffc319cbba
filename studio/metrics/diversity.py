"""How different a set's pictures are from each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from studio.metrics.backbones import vision_at_hand
from studio.metrics.scores import pairwise_distance, vendi
from studio.metrics.table import METRICS, Metric, Scored


def _over_prompts(
    score: Callable[[np.ndarray], float],
) -> Callable[[Scored], Callable[[np.ndarray], float]]:
    """The mean over prompts of a score of each prompt's own pictures; of all where there is one."""

    def ready(scored: Scored) -> Callable[[np.ndarray], float]:
        features = scored.backbones.pictures(scored.backbones.vision, scored.images)
        prompts = np.array(scored.prompts or [""] * len(features))

        def of(rows: np.ndarray) -> float:
            found = []
            for prompt in np.unique(prompts[rows]):
                own = rows[prompts[rows] == prompt]
                if len(own) > 1:
                    found.append(score(features[own]))
            return float(np.mean(found)) if found else score(features[rows])

        return of

    return ready


def _pictures_of_a_prompt(scored: Scored) -> float:
    """The most that one prompt has; all of them where no text tells them apart."""
    return max(Counter(scored.prompts or [""] * len(scored.images)).values())


METRICS.register(
    "diversity",
    Metric(
        "diversity",
        "higher",
        "0 to 2",
        (),
        "Mean distance (1 − cosine) between pictures of the same prompt.",
        "GCFG, Sec. 5",
        whole=_over_prompts(pairwise_distance),
        at_hand=vision_at_hand,
    ),
)
METRICS.register(
    "vendi",
    Metric(
        "vendi",
        "higher",
        "1 to the pictures of a prompt",
        (),
        "How many different pictures a prompt's pictures are worth.",
        "Friedman & Dieng 2023",
        whole=_over_prompts(vendi),
        at_hand=vision_at_hand,
        most=_pictures_of_a_prompt,
    ),
)
