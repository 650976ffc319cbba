"""What the verbs that make images share: the engine and its progress."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import no_loading_bars, say_notes
from studio.events import Done, FirstPass, Progress, image_line, kept_of, mean_drift
from studio.experiments.beside import drift_file
from studio.files import write_atomically
from studio.preset import Preset
from studio.share.write import encode

if TYPE_CHECKING:
    from studio.engine import Engine


def make_engine(roots: list[Path], device: str | None = None) -> Engine:
    """An engine that finds relative images below ``roots``; torch is loaded now."""
    from studio.engine import Engine

    no_loading_bars()
    return Engine(device, image_roots=roots)


def images_of(
    engine: Engine,
    preset: Preset,
    drift_every: int = 0,
    explain: bool = False,
    first: list[Done] | None = None,
) -> Iterator[Done]:
    """The finished images, while stderr shows how far the next one is.

    Args:
        first: holds the picture as far as it is while a pass after the first goes on.
    """
    first = [] if first is None else first
    for event in engine.generate(preset, drift_every, explain):
        if isinstance(event, FirstPass):
            first[:] = [event.done]
        elif isinstance(event, Done):
            show("")
            first.clear()
            yield event
        elif isinstance(event, Progress):
            left = f", {event.seconds_left:.0f} s left" if event.step else ""
            turn = f", round {event.round[0]} of {event.round[1]}" if event.round else ""
            show(f"{event.stage} {event.step}/{event.steps}{turn}{left}")


def images_kept(engine: Engine, preset: Preset, drift_every: int = 0) -> Iterator[Done]:
    """:func:`images_of`; where Ctrl+C comes in a pass after the first, the finished picture before it is
    the last one.

    Raises:
        KeyboardInterrupt: after that picture.
    """
    first: list[Done] = []
    try:
        yield from images_of(engine, preset, drift_every, first=first)
    except KeyboardInterrupt:
        if not first:
            raise
        show("")
        say_notes([f"stopped before the end; {kept_of(preset)}"])
        yield first[0]
        raise


@contextmanager
def whole() -> Iterator[None]:
    """What is begun in here comes to its end; Ctrl+C is answered then. Where that is ignored,
    or in another thread, which it does not reach, nothing changes.

    Raises:
        KeyboardInterrupt: after it, where it was pressed meanwhile.
    """
    reached = threading.current_thread() is threading.main_thread()
    if not reached or not callable(signal.getsignal(signal.SIGINT)):
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def show(text: str) -> None:
    """The state of things, on a terminal only: in one place, overwritten."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def maker(
    roots: list[Path], device: str | None = None, drift: bool = False
) -> Callable[[Preset, Path], dict[str, Any]]:
    """What makes a preset's picture at a path and says what is said of it; the engine is made with
    the first.

    Args:
        device: the engine's; its own choice where none is given.
        drift: measure it at every step and keep it beside the picture.
    """
    engines: list[Engine] = []

    def make(preset: Preset, path: Path) -> dict[str, Any]:
        if not engines:
            engines.append(make_engine(roots, device))
        said: dict[str, Any] = {}
        for done in images_of(engines[0], preset, int(drift)):
            said = kept_picture(done, path, roots, drift)
        return said

    return make


def kept_picture(done: Done, path: Path, roots: Sequence[Path], drift: bool) -> dict[str, Any]:
    """Keep a picture at a path, and beside it how far its run drifted where that was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if drift:
        write_atomically(drift_file(path), json.dumps({"drift": mean_drift(done)}).encode())
    write_atomically(path, encode(done.image, done.preset, ".png", roots))
    return image_line(done, path)
