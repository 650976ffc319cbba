"""The panel's component, what it asks for, and what it gets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from studio.errors import StudioError
from studio.events import Done, Explanation
from studio.experiments import explained
from studio.history.differences import differences
from studio.images import open_checked
from studio.preset import Preset
from studio.share import read_any
from studio.ui import run as running
from studio.ui.asker import visitor_of
from studio.ui.describe import plan_of
from studio.ui.editor.stack import uploaded
from studio.ui.errors import one_line
from studio.ui.history.moments import strip
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.schema import labels, titles
from studio.ui.session import Run, Session
from studio.ui.space import Limits
from studio.ui.visitors import VISITORS
from studio.ui.widgets import QUIET, WITH_SESSION, Drawn, fresh, jpeg_uri, picture

HEARTBEAT = 1.0  # seconds between two looks at whether the page is still there
EDGE = 192  # of a strip's pictures
MOUNT = (
    "studio.mountExplain(element.firstElementChild, props, upload, trigger, watch);"
    " /* 'select' 'submit' 'stop' */"
)
Updates = Iterator[tuple[Any, Any]]  # of the panel and of the strip of what was made


class Explain(Drawn):
    """Opens over the page. ``select`` asks what the rows of a picture did, ``submit`` for the picture
    without a row, ``stop`` ends either."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, MOUNT, elem_id="gs-explain", elem_classes=["gs-signal"], **kwargs)


@dataclass
class Asked:
    """What one press asks for: ``data`` as the script sent it, by ``visitor`` where pages are shared.

    ``run``: what runs for it.
    """

    runs: Runs
    limits: Limits
    owner: Session
    data: Mapping[str, Any]
    visitor: str = ""
    run: Run | None = None

    def stop(self) -> None:
        """End what runs for it."""
        self.runs.cancel(self.run)


def attach(panel: Explain, session: gr.Textbox, made: Any, limits: Limits, runs: Runs) -> None:
    """Attach its events; must be called inside ``gr.Blocks``. ``made``: the strip of pictures."""
    latest: dict[str, Asked] = {}  # of each page

    def handler(answer: Callable[[Asked], Updates]) -> Callable[..., Updates]:
        def handled(key: str, event: gr.EventData, request: gr.Request) -> Updates:
            page, begun = request.session_hash or "visitor", VISITORS.now()
            owner = runs.session(running.key_of(key) or page)
            visitor = visitor_of(limits, request)
            asked = latest[page] = Asked(runs, limits, owner, event._data or {}, visitor)
            turn = {"turn": asked.data.get("turn")}
            try:
                for value, strip_ in answer(asked):
                    yield (fresh({**turn, **value}) if value else gr.skip()), strip_
                    if limits.shared and VISITORS.gone(page, begun):  # asks and never listens
                        return
            except Exception as error:  # the page outlives any mistake in one event
                yield fresh({**turn, "state": "failed", "text": one_line(error)}), gr.skip()
            finally:
                asked.stop()
                if latest.get(page) is asked:
                    del latest[page]

        return handled

    def stopped(request: gr.Request) -> None:
        asked = latest.get(request.session_hash or "visitor")
        if asked is not None:
            asked.stop()

    options: dict[str, Any] = {"js": WITH_SESSION, "concurrency_limit": None, **QUIET}
    for event, answer in ((panel.select, told), (panel.submit, without)):
        event(handler(answer), session, [panel, made], trigger_mode="multiple", **options)
    panel.stop(stopped, None, None, queue=False, **QUIET)


def told(asked: Asked) -> Updates:
    """Make a picture again, aside from what the person makes, and say what its rows did.

    Raises:
        StudioError: it carries no preset, is over a limit, or cannot be made.
    """
    preset, path = given(asked)
    aside = Session(asked.owner.key, [])  # neither on the stage nor in the history
    forwards = plan_of(preset).forwards_expected
    with tempfile.TemporaryDirectory(prefix="guidance-studio-") as folder:
        asked.run = run = asked.runs.submit(
            aside, preset, forwards, asked.visitor, folder=Path(folder), explain=True
        )
        yield from _followed(asked.runs, run)
    if run.done is None:
        yield {"state": "stopped", "text": "Stopped."}, gr.skip()
        return
    same = same_pixels(run.done.image, open_checked(path, "picture"))
    yield {"state": "done", "same": same, **shown(run.done)}, gr.skip()


def without(asked: Asked) -> Updates:
    """Make the picture without one of its rows, among the person's own, and compare both.

    Raises:
        StudioError: as :func:`told`; or the row takes no part.
    """
    preset, path = given(asked)
    row = asked.data.get("row")
    if not isinstance(row, int) or isinstance(row, bool):
        raise StudioError(f"expected the number of a row, got {str(row)[:40]}", field="row")
    other = explained.without(preset, row)
    forwards = plan_of(other).forwards_expected
    asked.run = run = asked.runs.submit(asked.owner, other, forwards, asked.visitor)
    yield from _followed(asked.runs, run)
    if not run.moments:
        yield {"state": "stopped", "text": "Stopped."}, gr.skip()
        return
    title = f"Without row {row + 1}: {explained.title_of(preset.rows[row])[:60]}"
    differs = differences(
        preset, other.model_copy(update={"name": preset.name}), labels(), titles()
    )
    words = {"words": True}  # titles in the page's words, not presets' names
    compared = [
        {**words, "title": "With all its rows", "image": picture(path), "differs": []},
        {**words, "title": title, "image": run.moments[0].image_value(), "differs": differs},
    ]
    yield (
        {"state": "compared", "row": row, "compared": compared},
        strip(asked.runs.newest(asked.owner)),
    )


def given(asked: Asked) -> tuple[Preset, Path]:
    """The preset of one picture that the page uploaded, and the file.

    Raises:
        StudioError: no such file, no preset in it, or one that is over a limit.
    """
    path = uploaded(asked.data.get("picture"), "picture")
    preset, _ = read_any(path, library())
    sampler = preset.sampler.model_copy(update={"count": 1})
    preset = running.chosen_seed(preset.model_copy(update={"sampler": sampler}))
    asked.limits.check(preset)
    return preset, path


def _followed(runs: Runs, run: Run) -> Updates:
    """How far a run is, until it has ended.

    Raises:
        StudioError: it failed.
    """
    seen = -1
    while run.active():
        version = run.session.version
        value = {"state": "running", "text": _progress(runs, run)} if version != seen else {}
        yield value, gr.skip()  # with nothing new, a page that has gone is noticed
        seen = version
        runs.wait(run.session, seen, HEARTBEAT)
    if run.state == "failed":
        raise StudioError(run.error, field="picture")


def _progress(runs: Runs, run: Run) -> str:
    if run.state == "waiting":
        return f"In the queue: {len(runs.ahead(run))} before this one"
    step = run.progress
    return f"Step {step.step} of {step.steps}" if step and step.step else "Loading models …"


def same_pixels(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are the same, pixel by pixel."""
    first, second = (np.asarray(image.convert("RGB")) for image in (one, other))
    return bool(np.array_equal(first, second))


def shown(done: Done) -> dict[str, Any]:
    """What the panel draws: the report, and the strips as small pictures."""
    told = done.explanation
    assert told is not None
    return {"report": explained.report(done), "strips": _strips(told)}


def _strips(told: Explanation) -> dict[str, list[str | None]]:
    """Data URIs by row, ``base`` and ``whole``; ``None`` where there is nothing to show."""
    strips = {"base": told.base, **{str(row): of for row, of in told.rows.items()}}
    strips["whole"] = told.whole
    return {
        name: [image and jpeg_uri(image.copy(), edge=EDGE) for image in of]
        for name, of in strips.items()
    }
