"""Clip skip: which layer of its CLIP towers a base reads, counted from the end as web UIs count."""

from __future__ import annotations

from studio.library.configs import config_beside
from studio.library.entry import ModelEntry
from studio.library.families import FAMILIES
from studio.library.family import ModelFamily


def readable_layers(family: ModelFamily, layers: int) -> range:
    """The values of ``clip_skip`` that a tower of ``layers`` layers answers; none of other families.

    The count includes last layers that the family's models ship without (Stable Diffusion 2.x).
    """
    if not family.clip_skip:
        return range(0)
    return range(1 + family.unused_layers, layers + family.unused_layers + 1)


def layers_of(base: ModelEntry) -> int:
    """Layers of the shortest CLIP tower of a base; 0 where its configs do not say, or are not there."""
    family = FAMILIES.get(base.family)
    if family is None or base.one_file or family.in_file is None:
        return 0
    counts = [
        config_beside(base, f"{n}/config.json").get("num_hidden_layers")
        for n in family.in_file.towers
    ]
    return min(count if isinstance(count, int) else 0 for count in counts)
