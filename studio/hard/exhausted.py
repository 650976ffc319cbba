"""Memory that runs out at every place where the engine or a training takes some.

A place is an operation of torch together with the lines of Python that lead to it. A first run finds
them; then each fails, once or from then on, with each of the errors that say so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from studio.engine import Engine
from studio.errors import OutOfMemory, StudioError
from studio.events import Done
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.tiny import EDGE, models
from studio.hard.tiny_training import WEIGHTS, apart, config, finished, trained
from studio.library import Library
from studio.preset import Preset, validate

_ERRORS: tuple[Callable[[], BaseException], ...] = (
    lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB."),
    MemoryError,
)
_HERE = f"{os.sep}hard{os.sep}"


class Starved(TorchDispatchMode):
    """Counts operations; number ``at`` fails, or all from there on that take memory.

    Attributes:
        places: the number of the first operation of each place that takes memory.
    """

    def __init__(self, at: int = -1, lasting: bool = False, error: int = 0) -> None:
        super().__init__()
        self.at, self.lasting, self.error = at, lasting, _ERRORS[error]
        self.count = 0
        self.places: dict[Any, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs the operation, or fails instead."""
        number, self.count = self.count, self.count + 1
        fails = number == self.at or (self.lasting and number > self.at >= 0)
        if fails and _changes(func):  # before anything has been changed
            raise self.error()
        found = func(*args, **(kwargs or {}))
        takes = _changes(func) or _is_new(found, (args, kwargs))
        if fails and takes:
            raise self.error()
        if self.at < 0 and takes:
            self.places.setdefault((str(func), _lines(sys._getframe(1))), number)
        return found


def _changes(func: Any) -> bool:
    """Whether an operation writes into what it is given, for which it may need room meanwhile."""
    return func._schema.is_mutable and func is not torch.ops.aten.set_.source_Storage


def _is_new(found: Any, given: Any) -> bool:
    """Whether a result is more than a view of what was given."""
    own = {_storage(one) for one in tree_leaves(given) if isinstance(one, torch.Tensor)}
    made = [one for one in tree_leaves(found) if isinstance(one, torch.Tensor)]
    return any(one.untyped_storage().nbytes() and _storage(one) not in own for one in made)


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _lines(frame: FrameType | None) -> tuple[tuple[str, int], ...]:
    """Where in the studio's sources, and what of the library called it last."""
    lines: list[tuple[str, int]] = []
    while frame is not None:
        name = frame.f_code.co_filename
        if f"{os.sep}studio{os.sep}" in name or not lines:
            if _HERE in name:
                break
            lines.append((name, frame.f_lineno))
        frame = frame.f_back
    return tuple(lines)


def _preset() -> Preset:
    rows = [
        {"prompt": "a", "weight": 2.0},
        {"prompt": "b", "weight": 1.5, "model": {"lora": "tiny/lora"}},
        {"prompt": "c", "weight": 1.0, "model": "tuned"},
    ]
    sampler = {"steps": 1, "width": EDGE, "height": EDGE, "count": 2, "seed": 4}
    return validate({"base": "tiny", "rows": rows, "omega": 0.4, "sampler": sampler})


def _engine() -> Engine:
    return Engine(device="cpu", library=Library((models(),)))


def _pictures(engine: Engine) -> list[np.ndarray]:
    return [
        np.asarray(event.image).astype(int)
        for event in engine.generate(_preset())
        if isinstance(event, Done)
    ]


@dataclass
class _Known:
    """What a run takes that nothing disturbs: places where it takes memory, and what it makes."""

    loading: list[int]
    drawing: list[int]
    pictures: list[np.ndarray]
    engine: Engine


@lru_cache(maxsize=1)
def _known() -> _Known:
    engine = _engine()
    pictures = _pictures(engine)
    with Starved() as warm:
        _pictures(engine)
    with Starved() as cold:
        _pictures(_engine())
    loading = [number for place, number in cold.places.items() if place not in warm.places]
    return _Known(sorted(loading), sorted(warm.places.values()), pictures, engine)


def drawing(draw: Draw, folder: Path) -> None:
    """Memory runs out at one place of a generation: in parts the same pictures, or one line."""
    known = _known()
    number, lasting = _turn(draw, len(known.loading) + len(known.drawing))
    fresh = number < len(known.loading)
    engine = _engine() if fresh else known.engine
    at = [*known.loading, *known.drawing][number]
    made = None
    with Starved(at, lasting, draw.randrange(len(_ERRORS))):
        try:
            made = _pictures(engine)
        except StudioError as error:
            _speaks_of_memory(error)
    if made is not None and _differs(made, known.pictures, 1):
        raise Fell("other pictures")
    if any(part["pinned"] for part in engine.describe()):
        raise Fell("something is held for ever")
    if _differs(_pictures(engine), known.pictures, 0):
        raise Fell("the next pictures are others")
    if made is None:
        raise OutOfMemory("one line", field="sampler.width")


def _speaks_of_memory(error: StudioError) -> None:
    if not isinstance(error, OutOfMemory) and "memory" not in str(error):
        raise Fell(f"no word of memory: {error}") from error


def _turn(draw: Draw, places: int) -> tuple[int, bool]:
    """Which place fails, and whether for good: each in turn, first once and then lastingly."""
    number = draw.randrange(2 * places) if draw.small else draw.number % (2 * places)
    return number % places, number >= places


def _differs(made: list[np.ndarray], expected: list[np.ndarray], most: int) -> bool:
    pairs = zip(made, expected, strict=True)
    return any(int(np.abs(one - other).max()) > most for one, other in pairs)


_whole: dict[str, Any] = {}


def training(draw: Draw, folder: Path) -> None:
    """Memory runs out at one place of a training: in pieces the same weights, or one line."""
    given = config(folder)
    if not _whole:
        with Starved() as starved:
            whole = finished(given.model_copy(update={"name": "whole"}))[0]
        _whole["weights"] = load_file(whole / WEIGHTS)
        _whole["places"] = sorted(starved.places.values())
    number, lasting = _turn(draw, len(_whole["places"]))
    path = None
    with Starved(_whole["places"][number], lasting, draw.randrange(len(_ERRORS))):
        try:
            path = finished(given)[0]
        except StudioError as error:
            _speaks_of_memory(error)
    made = load_file(path / WEIGHTS) if path else None
    if made is not None and apart(made, _whole["weights"]) > 1e-3:
        raise Fell(f"other weights, by {apart(made, _whole['weights'])}")
    if draw.number % 4 == 0 and apart(trained(given, restart=True)[0], _whole["weights"]):
        raise Fell("the next training is another")
    if made is None:
        raise OutOfMemory("one line", field="size")


ATTACKS.register(
    "memory: engine",
    Attack(
        "memory runs out at each place of a generation",
        drawing,
        500,
        30.0,
        3,
        growth=2**30,
        hangs=300,
    ),
)
ATTACKS.register(
    "memory: training",
    Attack(
        "memory runs out at each place of a training",
        training,
        500,
        60.0,
        2,
        growth=2**30,
        hangs=300,
    ),
)
