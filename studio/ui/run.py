"""Generating: a session's runs as updates of the page."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import gradio as gr

from studio.errors import StudioError
from studio.events import Done
from studio.experiments.explained import parts_over_time
from studio.preset import Preset
from studio.preset.unfinished import unfinished
from studio.share import save_image
from studio.ui import queue
from studio.ui.asker import visitor_of
from studio.ui.describe import plan_of, progress_bar, progress_of, seconds
from studio.ui.errors import on_page, warn
from studio.ui.failed_bar import failed_bar, refused_bar
from studio.ui.form import to_preset
from studio.ui.history.moments import Moment, strip
from studio.ui.keeping import kept, naming
from studio.ui.runs import Runs
from studio.ui.session import ENDING, Run, Session
from studio.ui.space import Limits, save_folder
from studio.ui.visitors import VISITORS
from studio.ui.widgets import fresh, jpeg_uri

HEARTBEAT = 1.0  # seconds between two looks at whether the page is still there
# Seconds between two updates at least: a page that draws slowly hears of Cancel after all of them.
PACE = 0.25
MOST_SHOWN = 64  # on the stage, of a series; as many as one run makes at most


class Update(NamedTuple):
    """One change of the page; what is left out stays as it is."""

    stage: Any = gr.skip()
    progress: Any = gr.skip()
    shares: Any = gr.skip()
    strip: Any = gr.skip()
    queue: Any = gr.skip()


class View:
    """What one page has seen of its session, so that only what is new travels.

    Args:
        run: the one that is shown, whatever else the session asks for.
    """

    def __init__(self, runs: Runs, session: Session, run: Run | None = None) -> None:
        self.runs, self.session, self.run = runs, session, run
        self.moments = -1
        self.queue: Any = None
        self.done: Done | None = None

    def update(self) -> Update:
        """The page's change since the last look."""
        run = self.run or self.session.current()
        if run is None:
            return Update(strip=self._strip(), queue=self._queue())
        shares = gr.skip()
        if run.done is not None and run.done is not self.done:
            self.done, shares = run.done, _measured(run.done)
        return Update(stage_of(run), self._bar(run), shares, self._strip(), self._queue())

    def _queue(self) -> Any:
        shown = queue.shown(self.runs, self.session)
        if shown == self.queue:
            return gr.skip()
        self.queue = shown
        return shown

    def _strip(self) -> Any:
        count = len(self.session.moments)
        if count == self.moments:
            return gr.skip()
        self.moments = count
        return strip(self.runs.newest(self.session))

    def _bar(self, run: Run) -> str:
        others = [
            one for one in self.session.active() if not one.series or one.series != run.series
        ]
        more = len(others) - (run in others)
        waits = f" · {more} more of yours wait{'s' if more == 1 else ''}" if more else ""
        return bar_of(self.runs, run, waits)


def bar_of(runs: Runs, run: Run, waits: str = "") -> str:
    """The progress bar of a run in whatever state."""
    count, made, failed = run.wanted(), len(run.shown()), run.failures()
    if run.state == "waiting":
        ahead = len(runs.ahead(run))
        left = runs.seconds_until(run)
        about = f" · starts in about {seconds(left)}" if left else ""
        return progress_bar(0, f"In the queue: {ahead} before this one{about}{waits}", "waiting")
    if run.state == "running":
        more = f" · {failed[0]}" if failed else ""
        if run.cancelled or run.progress is None:
            said = ENDING if run.cancelled else "Loading models …"
            return progress_bar(run.share_of_all(), f"{said}{more}{waits}")
        left = runs.seconds_left(run)
        return progress_of(run.progress, run.share_of_all(), left, (made, count), more + waits)
    if run.state == "failed":
        return failed_bar(run, waits)
    if run.state == "cancelled":
        over = " · ".join([run.why_over(), run.left(), *map(on_page, failed)])
        return progress_bar(0, over, "idle")
    notes = run.done.notes if run.done else ()
    facts = " · ".join([f"{made} of {count}", run.summary(), *map(on_page, notes)])
    return failed_bar(run) if failed else progress_bar(1, facts, "done")


def lost(count: int, training: str = "") -> str:
    """The progress bar after a start anew over so many runs, and a training with its line."""
    runs = ["what was being made is lost"] if count else []
    more = [f"{count - 1} more that waited too"] if count > 1 else []
    text = " · ".join([*runs, *more, *filter(None, [training])])
    return progress_bar(0, f"The studio was started anew: {text}", "failed")


def stage_of(run: Run) -> Any:
    """Finished pictures first, then what forms; after Cancel what did not finish is marked."""
    images = [moment.image_value() for moment in run.shown()[-MOST_SHOWN:]]
    if run.before and not images and not run.previews and run.active():
        return {"state": "running", "images": [moment.image_value() for moment in run.before]}
    if run.state == "waiting":
        return gr.skip()
    if run.state == "running":
        forming = [{"src": jpeg_uri(image)} for image in run.previews]
        return {"state": "running", "images": images + forming}
    step = run.progress
    caption = f"unfinished, step {step.step} of {step.steps}" if step else "unfinished"
    left = [
        {"src": jpeg_uri(image), "unfinished": index, "caption": caption, "kept": index in run.kept}
        for index, image in enumerate(run.previews)
    ]
    if not images and not left:  # what stood there before, if anything was drawn in its place
        earlier = [one.image_value() for one in run.session.made_before(run)[-MOST_SHOWN:]]
        # Another run's are the page's: a program asks for what this one has made.
        ended = {"state": "ended", "images": []} | ({"stood": earlier} if earlier else {})
        return {"state": "done", "images": earlier} if run.before else ended
    return {"state": "done", "images": images + left}


def _measured(done: Done) -> dict[str, Any]:
    parts = parts_over_time(done.shares)
    shares = [asdict(one) | {"share": parts[one.row]} for one in done.shares]
    drift = [{"weights": d.weights, "norm": d.norm} for d in done.drift]
    return fresh({"shares": shares, "drift": drift})


def follow(runs: Runs, session: Session, page: str = "") -> Iterator[Update]:
    """The session's updates until none of its runs waits or runs.

    A later follower of the same page takes over from an earlier one. The last update shows how the
    run ended: it is all that a program gets which waits for the result only.
    """
    turn = session.watchers[page] = object()
    try:
        yield from _updates(runs, session, lambda: session.watchers.get(page) is turn)
    finally:
        if session.watchers.get(page) is turn:
            session.watchers.pop(page, None)


def _updates(
    runs: Runs, session: Session, ours: Callable[[], bool], run: Run | None = None
) -> Iterator[Update]:
    view, seen, looks = View(runs, session, run), -1, 0
    while ours():
        active = run.active() if run else bool(session.active())
        version = session.version
        waits = (current := run or session.current()) and current.state == "waiting"
        if looks == 1:  # what an earlier follower saw last may have come after the first look
            view.moments, view.queue, seen = -1, None, -1
        looks += 1
        if version != seen or waits or not active:
            yield view.update()
        else:
            yield Update()  # where a page that has gone is noticed
        seen = version
        if not active:
            break
        time.sleep(PACE)
        runs.wait(session, seen, HEARTBEAT)
    else:
        yield Update()  # Gradio sends the last one twice: not after what the next follower says


def generate(
    runs: Runs,
    limits: Limits,
    session: Session,
    page: str,
    values: Mapping[str, Any],
    visitor: str = "",
    alone: bool = False,
    forever: bool = False,
) -> Iterator[Update]:
    """Ask for what the form shows, and show how it goes.

    ``alone``: only this run is shown, and it goes when this generator is closed: a program may
    have several at once, each with an answer of its own. ``forever``: one more with the next seeds
    whenever it is done. Errors become one line in a toast and beside the progress bar; the form is left as it is.
    """
    try:
        preset = chosen_seed(to_preset(values, limits))
        limits.check(preset)
        run = runs.submit(session, preset, forwards_of(preset), visitor, forever=forever)
        run.of_form = True
    except Exception as error:  # one bad generation must not end the page
        warn(error)
        yield Update(progress=refused_bar(error, values))
        return
    try:
        yield from (
            _updates(runs, session, lambda: True, run) if alone else follow(runs, session, page)
        )
    finally:
        if alone:
            runs.cancel(run)
    if run.state == "failed":
        warn(run.error)
    if run.problem:
        warn(run.problem)


def forwards_of(preset: Preset) -> int:
    """The passes that a preset takes in all; 0 where it cannot be made."""
    try:
        return plan_of(preset).forwards_expected * preset.sampler.count
    except StudioError:
        return 0  # the run itself says what is wrong


def chosen_seed(preset: Preset) -> Preset:
    """Seed −1 means a new one, which the result names."""
    return preset.with_seed(secrets.randbelow(2**31)) if preset.sampler.seed < 0 else preset


def handler(
    runs: Runs, limits: Limits, forever: bool = False
) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """The event handler of Generate. A client without a session takes its run with it."""

    def run(request: gr.Request, session: str = "", **values: Any) -> Iterator[tuple[Any, ...]]:
        page = request.session_hash or "visitor"
        owner = runs.session(key_of(session) or page)
        visitor = visitor_of(limits, request)
        alone = not key_of(session)
        updates = generate(runs, limits, owner, page, values, visitor, alone, forever)
        begun, deaf = VISITORS.now(), False
        try:
            for update in updates:
                yield tuple(update)
                deaf = limits.shared and VISITORS.gone(page, begun)
                if deaf:  # a client that asks and never listens
                    break
        finally:
            updates.close()  # type: ignore[attr-defined]
            if deaf:
                for one in owner.active():
                    runs.cancel(one)

    return run


def key_of(session: Any) -> str:
    """A session's key as a page made it up; "" where there is none."""
    text = str(session or "")
    return text if text.isalnum() and len(text) <= 64 else ""


def keep_unfinished(runs: Runs, session: Session, index: int) -> Moment:
    """Save one preview of a cancelled run among the results, named for what it is.

    Raises:
        StudioError: there is no such preview any more.
    """
    run = session.current()
    if run is None or run.active() or not 0 <= index < len(run.previews):
        raise StudioError("this preview is not there any more", field="unfinished")
    at = f"step {run.progress.step} of {run.progress.steps}" if run.progress else ""
    seed = run.preset.sampler.seed + len(run.moments) - run.first_kept + index
    made = unfinished(run.preset.with_seed(seed), at)
    made = made.model_copy(update={"sampler": made.sampler.model_copy(update={"count": 1})})
    folder, named = save_folder(runs.limits, session.key), naming(lambda: runs.own(session))
    path = save_image(run.previews[index], made, folder, naming=named)
    text = " · ".join([", ".join(filter(None, ["unfinished", at])), f"seed {seed}"])
    moment = kept(path, made, text, lambda: runs.own(session))
    session.moments = [moment, *session.moments]
    run.kept.add(index)
    return moment
