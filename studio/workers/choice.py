"""``--workers``: what a person may ask for, and the pool that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.workers.crew import Setup
from studio.workers.pool import FIELD, Pool
from studio.workers.processes import Processes

LOCAL = "local"
MOST = 64


@dataclass(frozen=True)
class Choice:
    """Who makes pictures: this process (``count`` 0), or ``count`` others."""

    count: int = 0

    @property
    def here(self) -> bool:
        """Whether this process makes them itself."""
        return not self.count


def read_workers(text: str) -> Choice:
    """``local``, or a number of processes.

    Raises:
        StudioError: anything else.
    """
    if text == LOCAL:
        return Choice()
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST:
        return Choice(int(text))
    raise StudioError(
        f"got {shorten(text)}; local, or a number of processes (1 to {MOST})", field=FIELD
    )


def open_pool(
    choice: Choice,
    roots: Sequence[Path] = (),
    device: str | None = None,
    tell: Callable[[str], object] = lambda line: None,
) -> Pool:
    """The pool of a choice; nobody is hired before there is work.

    Args:
        roots: folders that relative pictures may lie in.
        device: of every worker; by itself each takes a GPU where there is one.
        tell: gets a line for what a person should know.
    """
    import torch

    folders, threads = tuple(str(root.resolve()) for root in roots), torch.get_num_threads()
    gpus = torch.cuda.device_count() if device in (None, "cuda") else 0
    devices = tuple(f"cuda:{number}" for number in range(gpus))
    sharing = -(-choice.count // max(1, gpus))
    return Pool(Processes(Setup(folders, threads, device, sharing), devices), choice.count, tell)
