"""Training batches without end, made beside the training by worker processes where a GPU would wait for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

Batch = TypeVar("Batch")
WORKERS = 6  # processes, where the machine has cores for them


def stream(make: Callable[[np.random.Generator], Batch], device: torch.device) -> Iterator[Batch]:
    """What ``make`` gives, again and again, never twice the same.

    On a CPU it is made in this process: the cores are busy training.
    """
    if device.type == "cpu":
        rng = np.random.default_rng()
        while True:
            yield make(rng)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads do not survive a fork
    workers = max(1, min(WORKERS, (os.cpu_count() or 2) - 2))
    loader: Any = DataLoader(
        _Endless(make), batch_size=None, num_workers=workers, prefetch_factor=4, collate_fn=_as_is
    )
    yield from loader


class _Endless(IterableDataset):
    def __init__(self, make: Callable[[np.random.Generator], Any]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        torch.set_num_threads(1)
        rng = np.random.default_rng()
        while True:
            yield self.make(rng)


def _as_is(batch: Any) -> Any:
    return batch
