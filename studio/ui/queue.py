"""What of a session waits, as the page lists it, and what a person does with it there."""

from __future__ import annotations

import secrets
from itertools import pairwise
from typing import Any

from studio.errors import StudioError
from studio.history.differences import differences
from studio.preset import Preset
from studio.ui.counts import counted
from studio.ui.describe import seconds
from studio.ui.runs import Runs
from studio.ui.schema import labels, titles
from studio.ui.session import Run, Session
from studio.ui.widgets import Whole

WORDS = 80  # letters of a prompt
# Seconds until a page that shows who is before it looks again: by what is left of theirs.
SOONEST, UNKNOWN, LATEST = 3.0, 15.0, 60.0
THIS_START = secrets.token_hex(4)  # a page that is open sees by it that there was another


class QueueList(Whole):
    """A session's waiting runs; ``select`` with ``do`` (up, down, cancel, last, skip what goes on of its
    series; clear of all that wait) and ``number``;
    ``submit`` asks how they stand now."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountQueue(element.firstElementChild, props, trigger, watch);"
            " /* 'select' 'submit' */"
        )
        value = {"items": [], "start": THIS_START}
        super().__init__(value, mount, elem_id="gs-queue", **kwargs)


def shown(runs: Runs, session: Session) -> dict[str, Any]:
    """The list's value: first a run that goes on for ever, then what waits, in its order."""
    running = [run for run in session.active() if run.state == "running"]
    waiting = runs.groups(session)
    listed = [*([run] for run in running if run.forever), *waiting]
    before = {
        group[0].number: earlier[-1].preset
        for earlier, group in pairwise([*([run] for run in running), *waiting])
    }
    items = [_item(group, before.get(group[0].number), running) for group in listed]
    ahead = None if session.active() else _ahead(runs)
    return {"items": items, "ahead": ahead, "start": THIS_START}


def _ahead(runs: Runs) -> dict[str, Any] | None:
    """What a page that asks for nothing is told of the others, which is how many and how long."""
    before = runs.ahead_of_new()
    if not before:
        return None
    left = runs.seconds_of(before)
    text = f"{counted(len(before), 'run')} before yours"
    if left is not None:
        text += f" · starts in about {seconds(left)}"
    return {"text": text, "again": min(LATEST, max(SOONEST, UNKNOWN if left is None else left))}


def _item(group: list[Run], before: Preset | None, running: list[Run]) -> dict[str, Any]:
    """``before``: what comes before it, which a form that is pressed again differs from in little;
    ``running``: what goes on, of which one may be of its series."""
    first = group[0]
    named = first.series.title if first.series else ""
    seeds = {run.preset.sampler.seed for run in group}
    prompts = " · ".join(row.prompt for _, row in first.preset.active_rows() if row.prompt)
    differs = _differs(before, first) if before else []
    if len(prompts) <= WORDS:
        differs = [line for line in differs if not line.startswith("prompt of row ")]
    return {
        "number": first.number,
        "title": named or first.preset.name or "Untitled",
        "mixed": bool(named),  # the title is none that a person has given
        "prompt": "" if named else prompts[:WORDS],
        "seed": seeds.pop() if len(seeds) == 1 and not first.forever else None,
        "differs": differs,
        "images": sum(run.preset.sampler.count for run in group),
        "waits": first.state == "waiting",
        "skips": any(one.beside(first) for one in running),
        "forever": first.forever,
    }


def _differs(before: Preset, run: Run) -> list[str]:
    """What of a run is not as before it, besides what its line says anyway: worked out once, as the
    list is drawn at each step of what runs."""
    if run.differs is None or run.differs[0] is not before:
        run.differs = before, _compared(before, run.preset)
    return run.differs[1]


def _compared(before: Preset, preset: Preset) -> list[str]:
    said = {"seed": preset.sampler.seed, "count": preset.sampler.count}
    sampler = before.sampler.model_copy(update=said)
    alike = before.model_copy(update={"name": preset.name, "sampler": sampler})
    return [] if alike == preset else differences(alike, preset, labels(), titles())


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
        case "skip":
            runs.skip(session, number)
        case "clear":
            runs.cancel_waiting(session)
        case "last":
            runs.end_with(_named(session, number))
        case _:
            raise StudioError(f"up, down, cancel, skip, clear or last, got {do[:40]!r}", field="do")


def _named(session: Session, number: int) -> Run:
    for run in session.active():
        if run.number == number:
            return run
    raise StudioError("this one has ended", field="queue")
