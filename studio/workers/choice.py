"""``--workers``: what a person may ask for, and the pool that it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.workers.crew import Setup
from studio.workers.pool import FIELD, Pool

LOCAL, RAY = "local", "ray"
MOST = 64
_ADDRESS = re.compile(r"ray://((?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5})", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """Who makes pictures: this process (``count`` 0), ``count`` others, or Ray's actors.

    ``address``: of the Ray cluster, ``HOST:PORT``; "" for the one that this machine is part of.
    """

    count: int = 0
    ray: bool = False
    address: str = ""

    @property
    def here(self) -> bool:
        """Whether this process makes them itself."""
        return not self.count and not self.ray


def read_workers(text: str) -> Choice:
    """``local``, a number of processes, ``ray`` or ``ray://HOST:PORT``.

    Raises:
        StudioError: anything else.
    """
    if text == LOCAL:
        return Choice()
    if text == RAY:
        return Choice(ray=True)
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST:
        return Choice(int(text))
    found = _ADDRESS.fullmatch(text)
    if found and 0 < int(found[1].rpartition(":")[2]) < 2**16:
        return Choice(ray=True, address=found[1])
    raise StudioError(
        f"got {shorten(text)}; local, a number of processes (1 to {MOST}), ray or ray://HOST:PORT",
        field=FIELD,
    )


def check_installed(choice: Choice) -> None:
    """See that what a choice needs is there, without looking for a cluster.

    Raises:
        StudioError: Ray is not installed.
    """
    if choice.ray:
        from studio.workers.rays import need_ray

        need_ray()


def open_pool(
    choice: Choice,
    roots: Sequence[Path] = (),
    device: str | None = None,
    tell: Callable[[str], object] = lambda line: None,
    apart: bool = False,
) -> Pool:
    """The pool of a choice; nobody is hired before there is work.

    Args:
        roots: folders that relative pictures may lie in.
        device: of every worker; by itself each takes a GPU where there is one.
        tell: gets a line for what a person should know.
        apart: what is connected to a cluster is a process of its own, as the loss of the cluster
            would end this one.

    Raises:
        StudioError: Ray is not installed, or its cluster cannot be reached.
    """
    import torch

    folders, threads = tuple(str(root.resolve()) for root in roots), torch.get_num_threads()
    if choice.ray:
        setup = Setup(threads=threads, device=device, far=True)
        if apart:
            from studio.workers.apart import apart_pool as ray_pool
        else:
            from studio.workers.rays import ray_pool
        return ray_pool(choice.address, setup, tell)
    from studio.workers.processes import Processes

    gpus = torch.cuda.device_count() if device in (None, "cuda") else 0
    devices = tuple(f"cuda:{number}" for number in range(gpus))
    sharing = -(-choice.count // max(1, gpus))
    return Pool(Processes(Setup(folders, threads, device, sharing), devices), choice.count, tell)
