"""Workers on other machines: Ray's actors, each with one GPU or a share of the processors."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from studio.errors import StudioError
from studio.workers.crew import Answered, Lost, Moved, Ready, Report, Setup
from studio.workers.job import Job
from studio.workers.pool import FIELD, Pool
from studio.workers.ray_actor import RayWorker

PACKAGE = "ray>=2.50,<3"
CONNECT_SECONDS, REACH_SECONDS = 5.0, 30.0  # until a cluster's machine answers; and the cluster
POLL_SECONDS = 2.0  # between two looks whether a worker moves
WATCH_SECONDS = 0.3  # the same where somebody looks on
_BESIDE = "beside"  # the concurrency group of what is asked while a job is done


def ray_pool(address: str, setup: Setup, tell: Callable[[str], object]) -> Pool:
    """A pool of as many actors as a cluster has room for.

    Args:
        address: ``HOST:PORT`` of its head; "" for the cluster that this machine is part of, or
            one that is begun for this run.

    Raises:
        StudioError: Ray is not installed, or the cluster cannot be reached.
    """
    crew, places = ray_crew(address, setup)
    return Pool(crew, places, tell)


def ray_crew(address: str, setup: Setup) -> tuple[Rays, int]:
    """The crew of :func:`ray_pool`, and how many actors its cluster has room for.

    Raises:
        StudioError: Ray is not installed, or the cluster cannot be reached.
    """
    ray, own = _connected(address)
    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0)) if setup.device in (None, "cuda") else 0
    if gpus:
        places, share = gpus, {"num_gpus": 1, "num_cpus": 1}
        setup = replace(setup, device="cuda")
    else:
        places = max(1, int(resources.get("CPU", 1)) // setup.threads)
        share = {"num_cpus": setup.threads}
        setup = replace(setup, device=setup.device or "cpu")
        hosts = sum(bool(node["Alive"]) for node in ray.nodes())
        setup = replace(setup, sharing=-(-places // max(1, hosts)))
    return Rays(ray, setup, share, own), places


def need_ray() -> None:
    """Raise a :class:`StudioError` that names the package where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise StudioError(f"ray needs a package: pip install '{PACKAGE}'", field=FIELD)


def _connected(address: str) -> tuple[Any, bool]:
    """Ray, connected; and whether the connection is this pool's own."""
    need_ray()
    ray: Any = importlib.import_module("ray")
    if ray.is_initialized():
        return ray, False
    if address:
        _reach(address)
    try:
        ray.init(
            address=address or None,
            logging_level=logging.CRITICAL,
            log_to_driver=False,
            include_dashboard=None if address else False,
        )
    except Exception as error:  # Ray raises many kinds, some of them with a page of advice
        raise StudioError(f"Ray cannot be used: {_first_line(error)}", field=FIELD) from error
    return ray, True


def _reach(address: str) -> None:
    """See that a cluster answers there: Ray itself would wait for minutes, or end this process."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        why = error.strerror or "no answer"
        raise StudioError(
            f"no Ray cluster can be reached at {address} ({why})", field=FIELD
        ) from error
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        code = subprocess.run(command, capture_output=True, timeout=REACH_SECONDS).returncode
    except subprocess.TimeoutExpired:
        code = 1
    if code:
        raise StudioError(
            f"no Ray cluster of this version answers at {address}; `ray start --head` there says "
            "its address",
            field=FIELD,
        )


@dataclass(eq=False)
class _Member:
    """An actor. ``refs``: what it was asked → the job's number, or what else; ``last``: the last job,
    and ``watched`` whether somebody looks on."""

    actor: Any
    refs: dict[Any, int | str] = field(default_factory=dict)
    last: int = -1
    watched: bool = False
    moves: int = -1
    looked: float = 0.0


class Rays:
    """A crew of Ray's actors (:class:`studio.workers.crew.Crew`).

    Args:
        ray: the module, connected to a cluster.
        setup: of every worker.
        share: what an actor takes of the cluster: ``num_gpus``, ``num_cpus``.
        own: whether the connection ends with the crew.
        actor: what the actors are.
    """

    where = "the cluster"

    def __init__(
        self,
        ray: Any,
        setup: Setup,
        share: dict[str, int],
        own: bool,
        actor: type[RayWorker] = RayWorker,
    ) -> None:
        self.ray, self.setup, self.own = ray, setup, own
        options = {**share, "concurrency_groups": {_BESIDE: 1}, "max_restarts": 0}
        self._class = ray.remote(**options)(actor)
        self._members: dict[int, _Member] = {}

    def hire(self, worker: int) -> None:
        """Ask the cluster for an actor; it comes when there is room."""
        member = self._members[worker] = _Member(self._class.remote(self.setup))
        member.refs[member.actor.hello.remote()] = "hello"

    def give(self, worker: int, number: int, job: Job) -> None:
        """Hand over a job."""
        member = self._members[worker]
        member.last, member.looked, member.watched = number, time.monotonic(), job.watched
        member.refs[member.actor.work.remote(number, job)] = number

    def cancel(self, worker: int) -> None:
        """Cancel what the worker has been given so far."""
        member = self._members[worker]
        member.actor.cancel.options(concurrency_group=_BESIDE).remote(member.last)

    def dismiss(self, worker: int) -> None:
        """End an actor at once."""
        if member := self._members.pop(worker, None):
            with suppress(Exception):
                self.ray.kill(member.actor)

    def wait(self, seconds: float) -> list[Report]:
        """What the actors have said; one whose node has gone is lost."""
        self._look()
        refs = {ref: worker for worker, one in self._members.items() for ref in one.refs}
        if not refs:
            time.sleep(min(seconds, 0.05))
            return []
        known = list(refs)
        self.ray.wait(known, num_returns=1, timeout=seconds, fetch_local=False)
        done, _ = self.ray.wait(known, num_returns=len(known), timeout=0, fetch_local=False)
        return [report for ref in done for report in self._reports(refs[ref], ref)]

    def _look(self) -> None:
        """Ask those at work now and then whether they move."""
        now = time.monotonic()
        for member in self._members.values():
            asked = "moves" in member.refs.values()
            pause = WATCH_SECONDS if member.watched else POLL_SECONDS
            if member.refs and not asked and now - member.looked > pause:
                member.looked = now
                beside = member.actor.moves.options(concurrency_group=_BESIDE)
                member.refs[beside.remote()] = "moves"

    def _reports(self, worker: int, ref: Any) -> list[Report]:
        member = self._members.get(worker)
        if member is None:
            return []
        what = member.refs.pop(ref)
        try:
            said = self.ray.get(ref)
        except Exception as error:
            self.dismiss(worker)
            return [Lost(worker, _first_line(error))]
        if what == "hello":
            return [Ready(worker, *said)]
        if isinstance(what, int):
            return [Answered(worker, what, said)]
        moves, number, events = said
        moved, member.moves = moves != member.moves, moves
        return [Moved(worker, number, event) for event in events] or [Moved(worker)] * moved

    def stop(self) -> None:
        """End every actor, and the connection where it is the crew's own."""
        for worker in list(self._members):
            self.dismiss(worker)
        if self.own:
            self.ray.shutdown()


def _first_line(error: BaseException) -> str:
    """What an error says, without Ray's page around it: of a worker's, its own last line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):
        return f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
