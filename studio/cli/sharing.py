"""Many pictures over several processes: a pool's (``--workers``), or those of ``accelerate launch``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.cli.pooling import makers
from studio.errors import StudioError
from studio.experiments.making import Todo
from studio.workers.choice import Choice
from studio.workers.pool import FIELD


def make_all(
    todo: Todo, roots: list[Path], workers: Choice, drift: bool, tell: Callable[[int], object]
) -> None:
    """Make every picture; ``tell`` gets how many are made after each.

    Args:
        workers: who makes them.
        drift: keep beside each how far its run drifted from the prior.

    Raises:
        StudioError: what the first picture that failed said; workers beside those of a launch.
    """
    if launched() and not workers.here:
        raise StudioError("accelerate launch has started the processes already", field=FIELD)
    with makers(workers, roots, drift, _device()) as make:
        for number, _ in enumerate(make(todo), 1):
            tell(number)


def launched() -> bool:
    """Whether ``accelerate launch`` (or torchrun) started several of this process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _device() -> str | None:
    """This process's own GPU among those that were launched; else the engine's choice."""
    return str(_state().device) if launched() else None


def _state() -> Any:
    from accelerate import PartialState

    return PartialState()


@contextmanager
def share(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """This process's part of what is to be done; leaves when every process has done its own."""
    if not launched():
        yield found
        return
    state = _state()
    yield found[state.process_index :: state.num_processes]
    state.wait_for_everyone()  # one that failed does not come here: the launcher ends the others


def is_first() -> bool:
    """Whether this process scores and writes, once all pictures are there."""
    return not launched() or bool(_state().is_main_process)
