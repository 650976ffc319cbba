"""FID, and precision and recall, under the vision network's features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.errors import StudioError
from studio.metrics.backbones import vision_at_hand
from studio.metrics.scores import frechet, precision_recall
from studio.metrics.table import METRICS, Metric, Scored


def fid(scored: Scored) -> Callable[[np.ndarray], float]:
    """The Fréchet distance to the references; refuses fewer pictures than features have dimensions.

    With Inception's features it is FID; with any other network it bears that network's name.
    """
    name = scored.backbones.vision
    made = scored.backbones.pictures(name, scored.images)
    real = scored.backbones.pictures(name, scored.references)
    if not scored.few and min(len(made), len(real)) <= made.shape[1]:
        raise StudioError(
            f"{len(made)} pictures and {len(real)} references under {made.shape[1]} features: too "
            "few for a covariance; take kid, or --few",
            field="fid",
        )
    return lambda rows: frechet(made[rows], real)


def _part(which: int) -> Callable[[Scored], Callable[[np.ndarray], float]]:
    def ready(scored: Scored) -> Callable[[np.ndarray], float]:
        name = scored.backbones.vision
        made = scored.backbones.pictures(name, scored.images)
        real = scored.backbones.pictures(name, scored.references)
        return lambda rows: precision_recall(made[rows], real)[which]

    return ready


METRICS.register(
    "fid",
    Metric(
        "fid",
        "lower",
        "0 and up",
        ("references",),
        "Distance of the pictures' distribution to the references', as Gaussians.",
        "Heusel et al. 2017",
        whole=fid,
        at_hand=vision_at_hand,
    ),
)
for _index, _name, _says in (
    (0, "precision", "Share of pictures that could be references."),
    (1, "recall", "Share of references that could be among the pictures."),
):
    METRICS.register(
        _name,
        Metric(
            _name,
            "higher",
            "0 to 1",
            ("references",),
            _says,
            "Kynkäänniemi et al. 2019",
            whole=_part(_index),
            at_hand=vision_at_hand,
        ),
    )
