"""What of a session waits, as the page lists it, and what a person does with it there."""

from __future__ import annotations

from typing import Any

from studio.errors import StudioError
from studio.ui.runs import Runs
from studio.ui.session import Run, Session
from studio.ui.widgets import Whole

WORDS = 80  # letters of a prompt


class QueueList(Whole):
    """A session's waiting runs; ``select`` with ``do`` (up, down, cancel, last) and ``number``."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountQueue(element.firstElementChild, props, trigger, watch); /* 'select' */"
        )
        super().__init__({"items": []}, mount, elem_id="gs-queue", **kwargs)


def shown(runs: Runs, session: Session) -> dict[str, Any]:
    """The list's value: first a run that goes on for ever, then what waits, in its order."""
    running = [run for run in session.active() if run.state == "running" and run.forever]
    items = [_item([run]) for run in running]
    return {"items": items + [_item(group) for group in runs.groups(session)]}


def _item(group: list[Run]) -> dict[str, Any]:
    first = group[0]
    prompts = [row.prompt for _, row in first.preset.active_rows() if row.prompt]
    return {
        "number": first.number,
        "title": first.preset.name or "Untitled",
        "prompt": " · ".join(prompts)[:WORDS],
        "images": sum(run.preset.sampler.count for run in group),
        "waits": first.state == "waiting",
        "forever": first.forever,
    }


def act(runs: Runs, session: Session, do: str, number: int) -> None:
    """Do with a run what its button says.

    Raises:
        StudioError: it has ended, or there is no such button.
    """
    match do:
        case "up" | "down":
            runs.move(session, number, -1 if do == "up" else 1)
        case "cancel":
            runs.cancel(_named(session, number))
        case "last":
            runs.end_with(_named(session, number))
        case _:
            raise StudioError(f"up, down, cancel or last, got {do[:40]!r}", field="do")


def _named(session: Session, number: int) -> Run:
    for run in session.active():
        if run.number == number:
            return run
    raise StudioError("this one has ended", field="queue")
