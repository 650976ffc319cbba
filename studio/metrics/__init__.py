"""Scores of pictures: formulas on arrays, models by name, one small file a metric.

:data:`~studio.metrics.table.METRICS` is the table; importing this package fills it.
"""

from studio.metrics import (
    clip,
    control,
    diversity,
    features,
    frechet,
    judge,
    kernel,
    style,
)
from studio.metrics.intervals import Interval, bootstrap, compare
from studio.metrics.table import METRICS, Metric, Scored, measure

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Scored",
    "bootstrap",
    "clip",
    "compare",
    "control",
    "diversity",
    "features",
    "frechet",
    "judge",
    "kernel",
    "measure",
    "style",
]
