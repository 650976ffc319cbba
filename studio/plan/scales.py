"""Sums of scaled models, in a form in which equal ones compare equal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import fsum

ROUNDED = 10  # digits of a scale: equal scales are equal in spite of rounding, as a cache's keys


def summed(parts: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Scales of the same model add; what comes to nothing is left out."""
    scales: dict[str, list[float]] = defaultdict(list)
    for name, scale in parts:
        scales[name].append(scale)
    sums = ((name, round(fsum(values), ROUNDED)) for name, values in scales.items())
    return tuple(sorted((name, total) for name, total in sums if total != 0))


def differing(
    texts: Iterable[tuple[str, float]], loras: Iterable[tuple[str, float]]
) -> tuple[tuple[str, float], ...]:
    """Scales in the text encoders of the models that have other ones there than in the network."""
    return tuple((n, text) for n, scale, text in with_texts(loras, texts) if text != scale)


def with_texts(
    loras: Iterable[tuple[str, float]], texts: Iterable[tuple[str, float]]
) -> list[tuple[str, float, float]]:
    """Model, scale in the network and scale in the text encoders of all that have either."""
    of_network, of_text = dict(summed(loras)), dict(summed(texts))
    names = sorted(of_text.keys() | of_network.keys())
    return [(name, of_network.get(name, 0.0), of_text.get(name, 0.0)) for name in names]
