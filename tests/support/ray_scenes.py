"""What becomes of a run on a real Ray cluster of two nodes on this machine, without an engine.

    python -m tests.support.ray_scenes FOLDER

prints a JSON line for each scene. A command of its own: Ray's connection is a process's own.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from studio.workers.crew import Setup, Works
from studio.workers.desk import Desk
from studio.workers.job import Job
from studio.workers.pool import Pool
from studio.workers.ray_actor import RayWorker
from studio.workers.rays import Rays
from tests.support.fake_crew import seed_of
from tests.support.fake_workers import FakeWorker, asks


class FakeRayWorker(RayWorker):
    """An actor without an engine."""

    def made(self) -> Works:
        return FakeWorker(self.setup.device)

    def where(self) -> str:
        """The node that it runs on."""
        return ray.get_runtime_context().get_node_id()


def main(folder: Path) -> None:
    """Every scene, on one cluster."""
    began = time.monotonic()
    cluster = Cluster(True, head_node_args={**_node(), "include_dashboard": False})
    other = cluster.add_node(**_node())
    print(json.dumps({"up after": round(time.monotonic() - began, 1)}), flush=True)
    ray.init(cluster.address, logging_level="CRITICAL", log_to_driver=False)
    try:
        scene("killed", [asks("slow", n) for n in range(10)], lambda pool: _kill(pool))
        jobs = [asks("cat", n) for n in range(6)]
        jobs[2] = asks(f"die {folder / 'once'}", 2)
        scene("died", jobs)
        cancelled()
        watched()
        scene("fails", [asks("fail")])
        scene("raises", [asks("cat")], device="raises")
        scene("node", [asks("slow", n) for n in range(10)], lambda pool: cluster.remove_node(other))
    finally:
        print(json.dumps({"seconds": round(time.monotonic() - began, 1)}))
        ray.shutdown()
        cluster.shutdown()


def _node() -> dict[str, int]:
    """A node of one processor. Its agents' ports are given: where they are not, a node of a busy
    machine ends as its agents have not chosen theirs within 15 s."""
    agents = ("metrics_agent", "metrics_export", "dashboard_agent_listen", "runtime_env_agent")
    return {"num_cpus": 1, **{f"{name}_port": _free_port() for name in agents}}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def scene(
    name: str,
    jobs: list[Job],
    meanwhile: Callable[[Pool], object] = lambda pool: None,
    device: str | None = None,
) -> None:
    """A run of two workers; ``meanwhile`` once each has made a picture."""
    said: list[str] = []
    found: list[int] = []
    error = ""
    began = time.monotonic()
    with Pool(_crew(device), 2, said.append) as pool:
        try:
            for index, made in pool.run(jobs, lambda job: job):
                assert seed_of(made) == index
                found.append(index)
                if len(found) == 3:
                    meanwhile(pool)
        except Exception as raised:
            error = str(raised)
    spent = round(time.monotonic() - began, 1)
    print(
        json.dumps({"scene": name, "found": found, "said": said, "error": error, "s": spent}),
        flush=True,
    )


def cancelled() -> None:
    """A job that never ends is cancelled, and its worker makes the next picture."""
    with Pool(_crew(None), 1) as pool:
        run = pool.run([asks("cat", 0), asks("wait", 1)], lambda job: job)
        next(run)
        run.close()
        first = [hand.worker for hand in pool.hands]
        found = [seed_of(made) for _, made in pool.run([asks("cat", 7)], lambda job: job)]
        same = first == [hand.worker for hand in pool.hands]
    print(json.dumps({"scene": "cancelled", "found": found, "same": same}), flush=True)


def watched() -> None:
    """A job's steps are heard while it makes them; its follower goes, and the next gets its picture."""
    with Pool(_crew(None), 1) as pool:
        desk = Desk(lambda: pool)
        endless = desk.events(asks("steps"), 60)
        steps = [getattr(next(endless), "step", 0) for _ in range(3)]
        endless.close()
        found = [getattr(event, "seed", None) for event in desk.events(asks("cat", 7), 60)]
    print(json.dumps({"scene": "watched", "steps": steps, "found": found}), flush=True)


def _crew(device: str | None) -> Rays:
    setup = Setup(device=device, far=True)
    return Rays(ray, setup, {"num_cpus": 1}, False, FakeRayWorker)


def _kill(pool: Pool) -> None:
    crew: Any = pool.crew
    busy = next(hand for hand in pool.hands if hand.tickets)
    ray.kill(crew._members[busy.worker].actor)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
