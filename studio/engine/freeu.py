"""FreeU (Si et al. 2024, arXiv:2309.11497): diffusers' own, on a network for one forward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def freed(network: Any, factors: Mapping[str, float]) -> Iterator[None]:
    """Inside the ``with``, the first two levels of its way up scale the first half of their own
    channels, and the lowest frequencies of what skips to them; without factors nothing changes.

    Networks are shared between runs: the next finds it as it was.

    Args:
        network: a U-Net of diffusers, or a null-text network, whose body is one.
        factors: ``b1``, ``b2``, ``s1``, ``s2``, or none.
    """
    if not factors:
        yield
        return
    body = getattr(network, "body", network)
    body.enable_freeu(**factors)
    try:
        yield
    finally:
        body.disable_freeu()
