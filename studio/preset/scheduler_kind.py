"""What the table of schedulers holds: one record each, and how they are found by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.extensions import Table

AUTOMATIC = "automatic"


@dataclass(frozen=True)
class SchedulerKind:
    """One scheduler.

    Args:
        title: what the page calls it.
        help: one line on when to take it.
        kind: the class for models that predict noise (ε, v or x₀): a name in diffusers, or
            ``module:Class``. "" where there is none.
        settings: of that class.
        times: the formula of its time steps in :mod:`studio.diffusion.times`; "" to ask the class.
        schedules: the noise schedules that it takes besides ``automatic``.
        by_sigma: the class for those of them that ``kind`` knows not, such as Karras'; "" for none.
        flow, flow_settings, flow_times, flow_schedules: the same for models that predict a flow.
        single_step: a step uses no earlier prediction, so that CFG++ is defined.
        random: it adds fresh noise at its steps.
        eta: the amount of fresh noise where it can be chosen, else ``None``.
        most_steps: the largest number of steps; 0 for the preset's own bound.
        a1111, comfyui: its name there. ``also``: more names for the same.
        near: names of others for which it stands where they are read, said in a note.
    """

    title: str
    help: str
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    times: str = ""
    schedules: tuple[str, ...] = ()
    by_sigma: str = ""
    flow: str = ""
    flow_settings: Mapping[str, Any] = field(default_factory=dict)
    flow_times: str = ""
    flow_schedules: tuple[str, ...] = ()
    single_step: bool = False
    random: bool = False
    eta: float | None = None
    most_steps: int = 0
    a1111: str = ""
    comfyui: str = ""
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    def takes(self, flow: bool) -> tuple[str, ...]:
        """The noise schedules that it takes for a model that predicts a flow, or noise."""
        return (AUTOMATIC, *(self.flow_schedules if flow else self.schedules))


SCHEDULERS: Table[SchedulerKind] = Table("scheduler")


def those(has: Callable[[SchedulerKind], bool]) -> tuple[str, ...]:
    """The names of all schedulers that have something, for a refusal or a help text."""
    return tuple(name for name, kind in SCHEDULERS.items() if has(kind))


def titled(table: Mapping[str, Any], *names: str) -> str:
    """Records by what the page calls them, each with the name that files and the command line take."""
    return ", ".join(f"{table[name].title} ({name})" for name in names)


def named(text: str) -> tuple[str, bool] | None:
    """The scheduler that another tool means by ``text``, and whether it is the same; or ``None``."""
    own = text.strip().lower()
    for (
        name,
        kind,
    ) in SCHEDULERS.items():  # letter by letter: another tool's may differ in a sign alone
        if own in (name, kind.title.lower()):
            return name, True
    wanted = letters(text)
    for exact in (True, False):
        for name, kind in SCHEDULERS.items():
            near = {letters(one) for one in kind.near}
            same = {letters(one) for one in (name, kind.a1111, kind.comfyui, *kind.also)} - near
            if wanted and wanted in (same if exact else near):
                return name, exact
    return None


def letters(text: str) -> str:
    """A name as it is compared: small letters and digits alone, ``++`` as ``pp``."""
    return re.sub(r"[^a-z0-9]", "", text.lower().replace("++", "pp"))
