"""What verbs that make many pictures share: ``--workers``, and who makes the pictures by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import say_notes
from studio.cli.making import kept_picture, maker
from studio.experiments.making import Makers, Making, Said, Todo, one_by_one
from studio.workers.choice import LOCAL, Choice, open_pool
from studio.workers.job import Packer

if TYPE_CHECKING:
    from studio.workers.pool import Pool


def add_workers_argument(verb: Any, *others: str) -> None:
    """``--workers``, and ``others`` that mean the same."""
    verb.add_argument(
        "--workers",
        *others,
        dest="workers",
        metavar="W",
        default=LOCAL,
        help="who makes the pictures: local (this process; default), a number of processes, ray, "
        "or ray://HOST:PORT",
    )


@contextmanager
def makers(
    choice: Choice, roots: Sequence[Path], drift: bool = False, device: str | None = None
) -> Iterator[Makers]:
    """Who makes pictures and keeps them at their paths: this process, or a pool that ends with the
    ``with``.

    Args:
        drift: measure it at every step, and keep it beside each picture.
        device: of every engine; its own choice where none is given.
    """
    if choice.here:
        yield one_by_one(maker(list(roots), device, drift))
        return
    packer = Packer(roots, choice.ray, int(drift))
    with open_pool(choice, roots, device, tell) as pool:
        yield lambda todo: _by_pool(pool, packer, todo, roots, drift)


def tell(line: str) -> None:
    """A line of the pool's on stderr."""
    say_notes([line])


def _by_pool(pool: Pool, packer: Packer, todo: Todo, roots: Sequence[Path], drift: bool) -> Making:
    with closing(pool.run([preset for preset, _ in todo], packer)) as run:
        for number, made in run:
            said: Said = {}
            for done in made.done:
                said = kept_picture(done, todo[number][1], roots, drift)
            yield number, said
