"""What Cancel ends: a session's run, else what works for it beside the queue."""

from __future__ import annotations

from studio.ui.runs import Runs
from studio.ui.sweep.sweeper import Sweeps
from studio.ui.tradeoff.tuner import Tuner

ELSEWHERE = "A search that another tab began goes on: Stop, below the rows, ends it."
TRAINING = "A training goes on: Pause, or Stop and keep, in the Train tab ends it."
NOTHING = "Nothing of this page runs, so there was nothing to cancel."


def cancel(
    runs: Runs, key: str, sweeps: Sweeps | None, tuner: Tuner | None, training: bool = False
) -> str:
    """End the run of a session, or its sweep or search where it has none; one thing a press.

    Args:
        training: whether one goes on, which no Cancel ends.

    Returns:
        why nothing was ended; "" where something was.
    """
    run = runs.session(key).current()
    if run is not None and run.active():
        runs.cancel(run)
        return ""
    sweep = sweeps.of(key) if sweeps and key else None
    if sweep is not None and sweep.running():
        sweep.stop()
        return ""
    if tuner is not None and tuner.running():
        if tuner.owner != key:
            return ELSEWHERE
        tuner.stop()
        return ""
    return TRAINING if training else NOTHING
