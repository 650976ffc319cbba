"""Many pictures over several processes: of this machine (``--jobs``), or of ``accelerate launch``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.cli.making import maker
from studio.errors import StudioError
from studio.preset import Preset

Todo = Sequence[tuple[Preset, Path]]
MOST_JOBS = 64


def make_all(
    todo: Todo, roots: list[Path], jobs: int, drift: bool, tell: Callable[[int], object]
) -> None:
    """Make every picture, in ``jobs`` processes; ``tell`` gets how many are made after each.

    Args:
        drift: keep beside each how far its run drifted from the prior.

    Raises:
        StudioError: ``jobs`` is out of range, or what the first picture that failed said.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise StudioError(f"got {jobs}; 1 to {MOST_JOBS}", field="--jobs")
    several = min(jobs, len(todo)) > 1
    made = _in_processes(todo, roots, jobs, drift) if several else _here(todo, roots, drift)
    for number, _ in enumerate(made, 1):
        tell(number)


def _here(todo: Todo, roots: list[Path], drift: bool) -> Iterator[None]:
    make = maker(roots, _device(), drift)
    for preset, path in todo:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(preset, path)
        yield


def _in_processes(todo: Todo, roots: list[Path], jobs: int, drift: bool) -> Iterator[None]:
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    jobs = min(jobs, len(todo))
    threads = max(1, (os.cpu_count() or 1) // jobs)
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (roots, threads, drift))
    with pool:
        waiting = [pool.submit(_one, preset, path) for preset, path in todo]
        try:
            for done in as_completed(waiting):
                if (failed := done.result()) is not None:
                    raise StudioError(failed[0], field=failed[1])
                yield
        except BrokenProcessPool as error:
            raise StudioError(
                "a process that makes pictures has ended, perhaps for want of memory; what is made is "
                "kept, and the same command goes on from there",
                field="--jobs",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_makers: list[Callable[[Preset, Path], None]] = []  # of a process, made when it begins


def _begin(roots: list[Path], threads: int, drift: bool) -> None:
    import torch

    torch.set_num_threads(threads)
    _makers.append(maker(roots, None, drift))


def _one(preset: Preset, path: Path) -> tuple[str, str] | None:
    """Make a picture in a process of its own; what went wrong comes back as words and a field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _makers[0](preset, path)
    except StudioError as error:
        return error.message, error.field
    return None


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
