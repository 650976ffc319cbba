"""Scores of pictures: formulas on arrays, models by name, one small file a metric.

:data:`~studio.metrics.table.METRICS` is the table; importing this package fills it.
"""

from studio.metrics import (
    blip,
    clip,
    control,
    direction,
    diversity,
    drift,
    faces,
    features,
    frechet,
    judge,
    kernel,
    lpips,
    style,
)
from studio.metrics.intervals import Interval, bootstrap, compare
from studio.metrics.table import METRICS, Metric, Scored, measure

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Scored",
    "blip",
    "bootstrap",
    "clip",
    "compare",
    "control",
    "direction",
    "diversity",
    "drift",
    "faces",
    "features",
    "frechet",
    "judge",
    "kernel",
    "lpips",
    "measure",
    "style",
]
