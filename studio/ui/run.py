"""Generating: the engine's events as updates of the page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from studio.errors import StudioError
from studio.events import Done, Event, Preview, Progress
from studio.preset import Preset
from studio.share import save_image
from studio.ui.describe import progress_bar, progress_of
from studio.ui.errors import one_line, warn
from studio.ui.form import to_preset
from studio.ui.history.moments import Moment, strip
from studio.ui.space import Limits, save_folder
from studio.ui.widgets import fresh, jpeg_uri

Stream = Callable[[Preset], Iterator[Event]]


class Update(NamedTuple):
    """One change of the page; what is left out stays as it is."""

    stage: Any = gr.skip()
    progress: Any = gr.skip()
    shares: Any = gr.skip()
    history: Any = gr.skip()
    strip: Any = gr.skip()


@dataclass
class Run:
    """What one generation has made so far."""

    preset: Preset
    folder: Path
    history: list[Moment]
    moments: list[Moment] = field(default_factory=list)
    finished: int = 0

    def update(self, event: Event) -> Update:
        """The page's change for one event."""
        if isinstance(event, Progress):
            return Update(progress=progress_of(event))
        if isinstance(event, Preview):
            return Update(stage=self._preview(event))
        return self._done(event)

    def _preview(self, event: Preview) -> dict[str, Any]:
        done = [m.image_value() for m in self.moments]
        return {"state": "running", "images": done + [{"src": jpeg_uri(i)} for i in event.images]}

    def _done(self, event: Done) -> Update:
        path = save_image(event.image, event.preset, self.folder)
        self.moments.append(Moment.made(path, event))
        self.history = [self.moments[-1], *self.history]
        count = self.preset.sampler.count
        stage = {"state": "done", "images": [m.image_value() for m in self.moments]}
        told = [{"row": s.row, "norm": s.norm, "cosine": s.cosine} for s in event.shares]
        drift = [{"weights": d.weights, "norm": d.norm} for d in event.drift]
        shares = fresh({"shares": told, "drift": drift})
        text = f"{len(self.moments)} of {count} · {event.seconds:.1f} s · {event.forwards} passes · seed {event.seed}"
        finished = len(self.moments) >= count
        bar = progress_bar(len(self.moments) / count, text, "done" if finished else "running")
        return Update(stage, bar, shares, self.history, strip(self.history))


def generate(
    stream: Stream, limits: Limits, history: list[Moment], session: str, *values: Any
) -> Iterator[Update]:
    """Generate what the form shows, step by step. Closing the generator cancels the engine.

    Errors become one line in a toast and beside the progress bar; the form is left as it is.
    """
    try:
        preset = chosen_seed(to_preset(*values))
        limits.check(preset)
        run = Run(preset, save_folder(limits, session), list(history or ()))
        yield Update(progress=progress_bar(0, "Loading models …"))
        events = stream(preset)
        try:
            for event in events:
                yield run.update(event)
        finally:
            close = getattr(events, "close", None)
            if close:
                close()
    except Exception as error:  # one bad generation must not end the page
        warn(error)
        text = str(error) if isinstance(error, StudioError) else one_line(error)
        yield Update(progress=progress_bar(0, text, "failed"))


def chosen_seed(preset: Preset) -> Preset:
    """Seed −1 means a new one, told with the result."""
    return preset.with_seed(secrets.randbelow(2**31)) if preset.sampler.seed < 0 else preset


def handler(stream: Stream, limits: Limits) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """The page's event handler: the session's history first, then the form's values."""
    work = partial(generate, stream, limits)

    def run(request: gr.Request, history: Any, *values: Any) -> Iterator[tuple[Any, ...]]:
        updates = work(history, request.session_hash or "", *values)
        try:
            for update in updates:
                yield tuple(update)
        finally:
            updates.close()  # type: ignore[attr-defined]

    return run
