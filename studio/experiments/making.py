"""Many pictures, by whoever makes them: one after another in this process, or by a pool of workers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.preset import Preset

Said = Mapping[str, Any]  # what is said of a picture
Todo = Sequence[tuple[Preset, Path]]
Making = Generator[tuple[int, Said], None, None]  # each one's number as it is there, in any order
Makers = Callable[[Todo], Making]


def one_by_one(make: Callable[[Preset, Path], Said | None]) -> Makers:
    """Pictures in their order, each made when it is asked for.

    Args:
        make: makes a preset's picture and keeps it at a path.
    """

    def make_all(todo: Todo) -> Making:
        for number, (preset, path) in enumerate(todo):
            yield number, make(preset, path) or {}

    return make_all
