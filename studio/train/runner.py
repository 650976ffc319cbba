"""One training at a time in the background of a page, whoever looks at it."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from studio.errors import StudioError
from studio.home import training_folder
from studio.train import in_words
from studio.train.begun import as_made, card_of, exists, goes_on, kept_losses, kept_settings
from studio.train.config import TrainConfig
from studio.train.events import Finished, Losses, Note, Samples, TrainEvent, TrainProgress
from studio.train.turns import TURNS, Turns

if TYPE_CHECKING:
    from PIL import Image

Status = Literal["idle", "running", "paused", "done", "failed"]
Trainer = Callable[..., Generator[TrainEvent, None, None]]
SHOWN_SAMPLES = 4
STOPPING = "Stopping: the model is being made …"
PAUSING = "Pausing: a checkpoint is being written …"


@dataclass(frozen=True)
class State:
    """A training as it is now. ``samples``: (step, prompt, picture), the newest first; ``resumed``:
    whether it was gone on with."""

    status: Status = "idle"
    config: TrainConfig | None = None
    text: str = "No training yet"
    step: int = 0
    steps: int = 0
    losses: tuple[Losses, ...] = ()
    notes: tuple[str, ...] = ()
    samples: tuple[tuple[int, str, Image.Image], ...] = ()
    model: str = ""
    folder: Path | None = None  # of the model
    resumed: bool = False


class Runner:
    """Starts, pauses, resumes and stops one training in a thread of its own.

    Args:
        trainer: the loop; another one in tests.
        turns: shared with generation.
    """

    def __init__(self, trainer: Trainer | None = None, turns: Turns = TURNS) -> None:
        self._trainer = trainer
        self._turns = turns
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wish: Literal["", "pause", "stop"] = ""
        self._state = State()

    @property
    def state(self) -> State:
        """The training as it is now."""
        return self._state

    def start(
        self,
        config: TrainConfig,
        resume: bool = False,
        restart: bool = False,
        finish: bool = False,
    ) -> None:
        """Begin, go on from the checkpoint or make its model, or begin anew in spite of one.

        Raises:
            StudioError: another training is running.
        """
        with self._lock:
            if self._state.status == "running":
                raise StudioError("a training is running; pause or stop it first", field="train")
            if resume and _name(self._state) == config.name:
                kept = self._state
            else:
                kept = State(losses=kept_losses(config.name) if resume else ())
            self._wish = ""
            self._state = replace(
                kept,
                status="running",
                resumed=resume,
                config=config,
                text=STOPPING if finish else "Starting …",
                steps=config.steps,
                model="",
                folder=None,
            )
            self._thread = threading.Thread(
                target=self._run,
                args=(config, resume, restart, finish),
                daemon=True,
                name="training",
            )
            self._thread.start()
            atexit.unregister(self.close)
            atexit.register(self.close)

    def close(self, seconds: float = 20.0) -> None:
        """Pause what runs, before the program ends: a thread in mid-step would be torn off, and what
        it learned since its last checkpoint lost."""
        if self._state.status == "running":
            self._wish = self._wish or "pause"  # who wants it to end now, has its model
            self.wait(seconds)

    def pause(self) -> None:
        """Write a checkpoint after the step in progress, and free the device."""
        self._ask("pause")

    def stop(self) -> None:
        """End after the step in progress; what was learned so far becomes the model.

        Raises:
            StudioError: there is nothing to stop.
        """
        state = self._state
        if state.status == "paused" and state.config is not None and _has_begun(state):
            self.start(state.config, resume=True, finish=True)
            return
        self._ask("stop")

    def resume(self, name: str = "") -> None:
        """Go on with the training of this name, or with the last one.

        Raises:
            StudioError: there is none to go on with.
        """
        config, state = self.settings_to_resume(name), self._state
        self.start(config, resume=config is not state.config or _has_begun(state))

    def settings_to_resume(self, name: str = "") -> TrainConfig:
        """The settings that :meth:`resume` goes on with; raises as it does."""
        own = self._state.config
        return own if own is not None and name in ("", own.name) else kept_settings(name)

    def can_resume(self, name: str = "") -> bool:
        """Whether :meth:`resume` has something to go on with: not after the last step."""
        state = self._state
        if state.status == "running":
            return False
        if state.config is not None and name in ("", state.config.name):
            cut = state.status == "done" and state.step < state.config.steps
            again = state.status == "failed" and self.begun(name)
            if state.status == "paused" or again or (cut and state.config.minutes is None):
                return True
        return self._asks(goes_on, name)

    def begun(self, name: str = "") -> bool:
        """Whether a training of this name, or the last one, has left a checkpoint."""
        return self._asks(lambda known: exists(training_folder(known)), name)

    def made(self, name: str = "") -> tuple[str, str] | None:
        """The id of the model of this name that a training has made here, of this start or another,
        and its method; without a name, those of the last one."""
        state = self._state
        own = name == _name(state) and state.status == "running"  # being made anew
        if name and name != state.model:
            card = {} if own else self._card(name)
            return (name, str(card.get("method", ""))) if card else None
        if not state.model or state.config is None or self.lost():
            return None
        return state.model, state.config.method

    def lost(self) -> str:
        """The model of the last training, where its files have gone since."""
        state = self._state
        return state.model if state.folder is not None and not state.folder.exists() else ""

    def settings_of(self, identity: str) -> TrainConfig:
        """The settings that a model of :meth:`made` was trained with; its name may have begun anew.

        Raises:
            StudioError: they cannot be read.
        """
        state = self._state
        known = state.config if state.model == identity else None
        return known or as_made(kept_settings(identity), self._card(identity))

    def _card(self, name: str) -> dict[str, Any]:
        try:
            return card_of(name)
        except (OSError, ValueError):  # no name of a folder
            return {}

    def _asks(self, question: Callable[[str], bool], name: str) -> bool:
        name = name or _name(self._state)
        try:
            return bool(name) and question(name)
        except OSError:  # no name of a folder
            return False

    def wait(self, seconds: float | None = None) -> None:
        """Until the thread has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _ask(self, wish: Literal["pause", "stop"]) -> None:
        with self._lock:  # it may end meanwhile, or go on for a minute's step
            if self._state.status != "running":
                raise StudioError("no training is running", field="train")
            self._wish = wish
            self._state = replace(self._state, text=STOPPING if wish == "stop" else PAUSING)

    def _run(self, config: TrainConfig, resume: bool, restart: bool, finish: bool) -> None:
        try:
            self._follow(config, resume, restart, finish)
            stopped = self._wish == "stop" and self._state.status == "running"
            if stopped and not self._state.step and not resume:
                self._set(status="idle", text="Stopped before the first step")
            elif stopped:
                # A closed training has a checkpoint of its last step: finish from that one.
                self._wish = ""
                self._follow(config, True, finish=True)
        except StudioError as error:
            self._set(status="failed", text=str(error))
        except Exception as error:  # a thread's error must reach the page
            self._set(status="failed", text=f"{type(error).__name__}: {error}")
            raise

    def _follow(
        self, config: TrainConfig, resume: bool, restart: bool = False, finish: bool = False
    ) -> None:
        trainer = self._trainer
        if trainer is None:
            from studio.train.loop import train as trainer
        events = trainer(config, resume=resume, restart=restart, finish=finish)
        try:
            while True:
                if self._turns.waiting():
                    self._set(text="Waiting for a generation")
                with self._turns.step():
                    event = next(events, None)
                if event is None:
                    return
                self._take(event, finish)
                if finish and self._wish == "stop":
                    self._wish = ""  # that is what it does
                if self._wish and self._state.status == "running":
                    self._set(text=STOPPING if self._wish == "stop" else PAUSING)
                    break
        finally:
            with self._turns.step():
                events.close()
        if self._wish == "pause":
            place = in_words.step_of(config, self._state.step)
            self._set(status="paused", text=f"Paused after {place}")

    def _take(self, event: TrainEvent, finish: bool = False) -> None:
        state = self._state
        match event:
            case Note() | TrainProgress() if finish:
                pass  # what is being loaded again is no news
            case Note(text):
                self._set(notes=(*state.notes, text) if text not in state.notes else state.notes)
            case TrainProgress(step, steps, _, left, stage):
                text = in_words.progress(step, steps, left, stage)
                self._set(step=step or state.step, steps=steps, text=text)  # 0 while it loads
            case Losses():
                kept = state.losses
                if kept and kept[-1].step >= event.step:  # went back to an earlier checkpoint
                    kept = tuple(known for known in kept if known.step < event.step)
                self._set(losses=(*kept, event), step=event.step)
            case Samples(step, prompts, images):
                new = tuple(
                    (step, prompt, image) for prompt, image in zip(prompts, images, strict=True)
                )
                self._set(samples=(*new, *state.samples)[: SHOWN_SAMPLES * max(1, len(new))])
            case Finished(identity, folder, steps, seconds):
                text, asked = f"{identity} is in the library", state.config if finish else None
                step = state.step if asked else steps
                if asked is None:
                    said = f"Done: {text} ({in_words.took(seconds, state.resumed)})"
                else:
                    said = f"Stopped after {in_words.step_of(asked, steps)}: {text}"
                self._set(status="done", step=step, text=said, model=identity, folder=folder)

    def _set(self, **changes: Any) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)


def _has_begun(state: State) -> bool:
    return state.step > 0 or exists(training_folder(_name(state)))


def _name(state: State) -> str:
    return state.config.name if state.config is not None else ""


RUNNER = Runner()
