"""Workers that are processes of this machine; a pipe to each, and nothing that waits but ``wait``."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import connection, get_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

from studio.events import Event
from studio.workers.crew import (
    Answer,
    Answered,
    Cancelled,
    Lost,
    Moved,
    Ready,
    Report,
    Setup,
    Works,
)
from studio.workers.job import Job
from studio.workers.versions import versions

if TYPE_CHECKING:
    from studio.workers.worker import Worker

JOIN_SECONDS = 3.0  # that a process gets to end by itself
_STOP = "stop"


@dataclass(eq=False)
class _Member:
    """A process, and the thread that writes to it: a pipe may be full."""

    process: Any
    pipe: Any
    mail: SimpleQueue[Any] = field(default_factory=SimpleQueue)

    def write(self) -> None:
        """Pass on what is put into ``mail``, until it is :data:`_STOP` or the process has gone."""
        with suppress(OSError, ValueError):
            while True:
                message = self.mail.get()
                self.pipe.send(message)
                if message == _STOP:
                    return


class Processes:
    """A crew of processes (:class:`studio.workers.crew.Crew`).

    Args:
        setup: of every worker.
        devices: one after another for the workers; the setup's own where there is none.
    """

    where = "this machine"

    def __init__(self, setup: Setup, devices: tuple[str, ...] = ()) -> None:
        self.setup, self.devices = setup, devices
        self._members: dict[int, _Member] = {}

    def hire(self, worker: int) -> None:
        """Start a process; the engine is made in it."""
        context = get_context("spawn")
        mine, theirs = context.Pipe()
        setup = self.setup
        if self.devices:
            setup = replace(setup, device=self.devices[worker % len(self.devices)])
        process = context.Process(
            target=serve, args=(theirs, worker, setup), name=f"worker-{worker}", daemon=True
        )
        with not_interrupted():
            process.start()
        theirs.close()
        member = self._members[worker] = _Member(process, mine)
        threading.Thread(target=member.write, name=f"mail-{worker}", daemon=True).start()

    def give(self, worker: int, number: int, job: Job) -> None:
        """Hand over a job."""
        self._members[worker].mail.put((number, job))

    def cancel(self, worker: int) -> None:
        """Cancel what the worker has been given so far."""
        self._members[worker].mail.put(None)

    def dismiss(self, worker: int) -> None:
        """End a process at once."""
        if member := self._members.pop(worker, None):
            member.mail.put(_STOP)
            with suppress(OSError, ValueError):
                member.process.kill()
            member.pipe.close()

    def wait(self, seconds: float) -> list[Report]:
        """What the processes have said; one that has ended is lost."""
        pipes = {member.pipe: worker for worker, member in self._members.items()}
        found: list[Report] = []
        if not pipes:
            time.sleep(min(seconds, 0.05))
        heard: list[Any] = connection.wait(list(pipes), seconds)
        for pipe in heard:
            worker = pipes[pipe]
            try:
                while pipe.poll():
                    found.append(pipe.recv())
            except Exception as error:  # it has ended, or ended within a word
                found.append(self._ended(worker, error))
        return found

    def _ended(self, worker: int, error: Exception) -> Lost:
        member = self._members.pop(worker)
        member.mail.put(_STOP)
        member.process.join(JOIN_SECONDS)
        code = member.process.exitcode
        member.pipe.close()
        if code is None or not isinstance(error, EOFError | OSError):
            member.process.kill()
            return Lost(worker, f"{type(error).__name__}: {error}")
        return Lost(worker, f"ended by signal {-code}" if code < 0 else f"ended with code {code}")

    def stop(self) -> None:
        """End every process: those in the middle of a step too, after :data:`JOIN_SECONDS`."""
        members, self._members = list(self._members.values()), {}
        for member in members:
            member.mail.put(_STOP)
        for step in (lambda one: None, lambda one: one.kill()):
            for member in members:
                with suppress(OSError, ValueError):
                    step(member.process)
                    member.process.join(JOIN_SECONDS)
        for member in members:
            member.pipe.close()


@contextmanager
def not_interrupted() -> Iterator[None]:
    """What is started inside does not hear Ctrl-C, which ends this process and through it all."""
    if threading.current_thread() is not threading.main_thread():
        yield from _masked()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _masked() -> Iterator[None]:
    """The same in another thread than the first, which may set no handlers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in the process ---------------------------------------------------------------------------------
class Line:
    """A process's end of its pipe: orders are read as they come, as a pipe that nobody reads fills."""

    def __init__(self, pipe: Any, worker: int) -> None:
        self.pipe, self.worker = pipe, worker
        self.jobs: SimpleQueue[tuple[int, Job]] = SimpleQueue()
        self._arrived = self._cancelled = -1  # numbers of jobs, which grow
        self._speaking = threading.Lock()
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def say(self, report: Report) -> None:
        """Tell the pool; raises ``OSError`` where that is no more."""
        with self._speaking:
            self.pipe.send(report)

    def cancelled(self, number: int) -> bool:
        """Whether a job is not wanted any more."""
        return number <= self._cancelled

    def fail(self, error: BaseException) -> NoReturn:
        """End this process, saying why."""
        reason = " ".join(str(error).split())[:300]
        with suppress(OSError):
            named = f"{type(error).__name__}: {reason}" if reason else repr(error)
            self.say(Lost(self.worker, named))
        os._exit(1)

    def _read(self) -> None:
        """Until the pool is done, or is no more; then so is this process, whatever it does."""
        try:
            while (message := self.pipe.recv()) != _STOP:
                if message is None:
                    self._cancelled = self._arrived
                else:
                    self._arrived = message[0]
                    self.jobs.put(message)
        except (EOFError, OSError):
            pass
        except BaseException as error:  # a job that cannot be read here
            self.fail(error)
        os._exit(0)


def serve(pipe: Any, worker: int, setup: Setup) -> None:
    """What a process does: jobs, one after another. It ends with the pool."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    attend(Line(pipe, worker), lambda: _made(setup))


def _made(setup: Setup) -> Worker:
    from studio.workers.worker import Worker

    return Worker(setup)


def attend(line: Line, make: Callable[[], Works]) -> NoReturn:
    """Make a worker and have it do what comes along the line, until this process ends."""
    try:
        worker = make()
        line.say(Ready(line.worker, versions(), device=worker.device))
        while True:
            _do(worker, line, *line.jobs.get())
    except BaseException as error:  # anything: a package of somebody else, a GPU that is no more
        line.fail(error)


def _do(made: Works, line: Line, number: int, job: Job) -> None:
    def moved(event: Event | None = None) -> None:
        line.say(Moved(line.worker, number, event))

    moved()
    answer: Answer = Cancelled()
    if not line.cancelled(number):
        answer = made.work(job, lambda: line.cancelled(number), moved)
    line.say(Answered(line.worker, number, answer))
