"""The one engine of this process, made when it is first wanted."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from studio import auxiliary, heap, logs
from studio.errors import StudioError
from studio.events import Event
from studio.history import history
from studio.history.intake import begin
from studio.plan.stated import stated_plan
from studio.preset import Preset
from studio.train.turns import TURNS
from studio.ui.imports import giving_way
from studio.ui.library.models import library
from studio.ui.lull import LULLS
from studio.ui.space import gpu, seconds_on_gpu

if TYPE_CHECKING:
    from studio.engine import Engine

# Classes that the starter and most other models need.
AHEAD = (
    ("transformers", "CLIPTextModel"),
    ("transformers", "CLIPTokenizer"),
    ("diffusers", "UNet2DConditionModel"),
    ("diffusers", "AutoencoderKL"),
)
ALONE = {"torch", "diffusers", "transformers", "peft", "accelerate", "torchvision", "xformers"}
PAUSES = 5.0  # seconds at most that the libraries wait for those who are being served
FIRST = 30.0  # seconds at most that the outputs wait for the first run

_lock = threading.Lock()
_wanted = threading.Event()  # a run wants the engine
_over = threading.Event()  # the first one is over
_engine: Engine | None = None
_elsewhere = ""


def engine() -> Engine:
    """The process's engine; the first call loads the libraries that it needs."""
    _wanted.set()
    with _lock:
        return _made()


def _made() -> Engine:
    global _engine
    if _engine is None:
        with heap.nothing_is_garbage():
            from studio import Engine

            _engine = Engine()
            heap.keep_for_good()
    return _engine


def loaded() -> list[dict[str, Any]]:
    """What the engine has loaded; nothing as long as there is none."""
    return _engine.describe() if _engine is not None else []


def in_use() -> dict[str, str]:
    """What the engine runs on, by the settings' names; nothing as long as there is none."""
    if _engine is None:
        return {}
    precision = str(_engine.dtype).removeprefix("torch.")
    attention = _engine.runtime.attention
    return {"device": str(_engine.device), "precision": precision, "attention": attention}


def instead_of(name: str, value: str) -> str:
    """What the next start uses instead of a setting's value that this machine has not; "" where it
    has it, and as long as there is no engine to know."""
    if _engine is None:
        return ""
    from studio.engine import instead

    return instead.instead_of(name, value)


def loaded_bytes() -> int:
    """Bytes of weights on the engine's device; what parts share counts once."""
    return _engine.registry.total() if _engine is not None else 0


def free() -> None:
    """Let go of all that is loaded and that no run holds, networks beside the engine's too; what an image
    needs then is read again."""
    with heap.tidied():
        auxiliary.release()
        if _engine is None:
            return
        from studio.engine.networks.devices import free_memory

        _engine.registry.drop(lambda _: True)
        gc.collect()  # networks whose parts name each other
        free_memory()


def elsewhere() -> str:
    """Who makes the pictures instead of this process, as ``--workers`` names them; "" for nobody."""
    return _elsewhere


def say_elsewhere(workers: str) -> None:
    """From now on others make the pictures."""
    global _elsewhere
    _elsewhere = workers


def begin_beside(seconds: float, libraries: bool = True, outputs: bool = True) -> threading.Thread:
    """Do in the background what somebody will wait for later: from when the first page is open, or so
    many ``seconds`` from now where nobody comes.

    Args:
        libraries: read those of a picture. Between two imports a page that is being opened goes
            first, until a run wants the engine.
        outputs: take what lies in the outputs folder into the history, after that.
    """

    def run() -> None:
        LULLS.first(seconds)
        try:
            if libraries:
                _read_libraries()
        except Exception as error:  # a run that needs them says it to whoever asked
            logs.record(error)
        if outputs:
            _take_in_outputs()

    thread = threading.Thread(target=run, name="beside", daemon=True)
    thread.start()
    return thread


def _read_libraries() -> None:
    if "torch" in sys.modules:  # somebody came first, and may be reading them now
        return
    ends = time.monotonic() + PAUSES

    def pause() -> None:
        while not _wanted.is_set() and (left := min(LULLS.left(), ends - time.monotonic())) > 0:
            _wanted.wait(left)

    with giving_way(pause, ALONE, _wanted.set), _lock:
        if not _wanted.is_set():
            _made()
            _read_ahead()


def _read_ahead() -> None:
    """Classes that a run would read: it reads those that are left itself, once it has come."""
    with heap.nothing_is_garbage():
        for module, name in AHEAD:
            if _wanted.is_set():
                break
            getattr(import_module(module), name)
        heap.keep_for_good()  # a run that has come waits for the engine: nothing that it loads is there


def _take_in_outputs() -> None:
    LULLS.wait()
    if _wanted.is_set():  # somebody waits for a picture
        _over.wait(FIRST)
    with suppress(StudioError):  # the History tab says what is wrong with it
        begin(history())


OF_CONTROL = 0.4  # of a pass, about: a ControlNet is the first half of a network


def _duration(preset: Preset, explain: bool = False) -> int:
    plan = stated_plan(preset, library())
    forwards = plan.forwards_total
    if plan.second and not plan.second.tiles:  # each takes longer by its pixels
        forwards += round(plan.second.forwards_total * (preset.second_pass.scale**2 - 1))
    if plan.detail:
        forwards += plan.detail.forwards_total * preset.detail.most
    controls = sum(len(one.condition.controls) for one in plan.passes) / max(1, len(plan.passes))
    return seconds_on_gpu(round(forwards * (1 + OF_CONTROL * controls)), preset.sampler.count)


@gpu(duration=_duration)
def stream(preset: Preset, explain: bool = False) -> Iterator[Event]:
    """The engine's events. Closing this generator cancels the run and frees what it holds.

    Args:
        explain: keep what the rows pull towards, for ``Done.explanation``.
    """
    _wanted.set()
    try:
        stated_plan(preset, library())  # a mistake in the rows is said at once
        running = engine()
        running.look_in(library())  # models found since the engine was made
        with TURNS.generation():  # a training on the same device waits meanwhile
            events = running.generate(preset, explain=explain)
            try:
                yield from events
            finally:
                events.close()
    finally:
        _over.set()
