"""Drift: how far training has led the unconditional prediction away from the prior's."""

from __future__ import annotations

import numpy as np

from studio.metrics.table import METRICS, Metric, Scored


def drift(scored: Scored) -> np.ndarray:
    """Mean over the steps of the root mean square of ``ε_θ′(z, φ) − ε_θ(z, φ)``, as the engine measured
    it along each run (GCFG, Fig. 2 and 8b); 0 and up."""
    return np.asarray(scored.drifts, np.float64)


METRICS.register(
    "drift",
    Metric(
        "drift",
        "lower",
        "0 and up",
        ("drifts",),
        "How far the unconditional prediction has moved away from the prior's.",
        "GCFG, Fig. 2 and 8b",
        each=drift,
    ),
)
