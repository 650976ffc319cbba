"""What is always in sight: the equation of the current plan, its cost, and the progress."""

from __future__ import annotations

import html
import re
from typing import Any

from studio.errors import StudioError
from studio.events import Progress
from studio.plan import Plan
from studio.plan.stated import stated_plan
from studio.preset import Preset
from studio.ui.form import to_preset
from studio.ui.library.models import library

_TOKEN = re.compile(
    r'("[^"]*+")|(∅|no text)|([+\-−]\s?\d+(?:\.\d+)?|(?<![\w.])\d+(?:\.\d+)?)(?=·)|(ε̂)'
)


def describe(**values: Any) -> str:
    """The current plan as HTML, or the one line that says what stands in its way."""
    try:
        preset = to_preset(values)
        plan = plan_of(preset)
    except StudioError as error:
        return f'<div class="gs-plan gs-plan-bad" role="status">{html.escape(str(error))}</div>'
    priced = cost(plan, preset.sampler.count, preset.first_step, preset.sampler.steps)
    return f'<div class="gs-plan">{equation(plan)}{priced}{notes(plan)}</div>'


def plan_of(preset: Preset) -> Plan:
    """The plan of a preset with the models of the library as it was last looked at.

    Raises:
        StudioError: a model or another field that cannot be.
    """
    return stated_plan(preset, library())


def notes(plan: Plan) -> str:
    """What to know before the plan runs, a line each."""
    return "".join(f'<div class="gs-cost" role="note">{html.escape(n)}.</div>' for n in plan.notes)


def equation(plan: Plan) -> str:
    """The plan's sum, one line per span of steps; user text is escaped."""
    lines = "".join(f"<div>{_coloured(line)}</div>" for line in str(plan).splitlines())
    return f'<div class="gs-equation" tabindex="0" aria-label="Equation of the plan">{lines}</div>'


def _coloured(line: str) -> str:
    """Escape ``line``; mark prompts, and weights by their sign."""
    out, last = [], 0
    for match in _TOKEN.finditer(line):
        out.append(html.escape(line[last : match.start()]))
        text, last = match.group(0), match.end()
        quoted, empty, weight, _ = match.groups()
        kind = (
            "q"
            if quoted
            else "z"
            if empty
            else "e"
            if not weight
            else "n"
            if text[0] in "-−"
            else "p"
        )
        out.append(f'<span class="gs-{kind}">{html.escape(text)}</span>')
    return "".join(out) + html.escape(line[last:])


def cost(plan: Plan, count: int, skipped: int = 0, steps: int = 0) -> str:
    """Passes per step and in all; ``skipped`` steps are left out by a picture to start from.

    ``steps``: the preset's, where a scheduler's evaluations may be more.
    """
    each = plan.forwards_per_step
    low, high = (min(each), max(each)) if each else (0, 0)
    passes = str(high) if low == high else f"{low}–{high}"
    begun = steps - skipped if steps else len(each)
    unit = "step" if begun == len(each) else "evaluation"
    length = f"{begun} steps{f' of {begun + skipped}' if skipped else ''}"
    if begun != len(each):
        length += f" ({len(each)} evaluations)"
    more = f" × {count} images" if count > 1 else ""
    return (
        f'<div class="gs-cost"><b>{passes}</b> {"pass" if passes == "1" else "passes"} per {unit}'
        f" · {length} · <b>{plan.forwards_total}</b> in all{more}</div>"
    )


def progress_bar(done: float, text: str, state: str = "running") -> str:
    """The page's own progress bar."""
    percent = round(100 * min(1.0, max(0.0, done)))
    return (
        f'<div class="gs-progress" data-state="{state}" role="progressbar" aria-label="Progress" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}">'
        f'<span class="gs-progress-text">{html.escape(text)}</span>'
        f'<span class="gs-progress-bar"><i style="width:{percent}%"></i></span></div>'
    )


def progress_of(
    event: Progress,
    share: float = 0.0,
    left: float | None = None,
    images: tuple[int, int] = (0, 1),
    more: str = "",
) -> str:
    """One step's progress in words and as a bar.

    Args:
        event: the step, within the batch of images that is being made.
        share: the part of the whole run that is done.
        left: seconds until the last image; ``None`` where that is not known yet.
        images: finished images, and all of them.
        more: said after everything else.
    """
    made, count = images
    batch = f" · {made} of {count} images" if count > 1 else ""
    if event.step == 0 or event.stage != "denoising":
        return progress_bar(share, f"{event.stage.capitalize()} …{batch}{more}")
    until = f" · {seconds(left)} left" if left else ""
    text = (
        f"Step {event.step}/{event.steps} · {event.seconds:.1f} s{until} · {event.forwards} passes"
    )
    return progress_bar(share, f"{text}{batch}{more}")


def seconds(value: float) -> str:
    """A time to wait, in words: ``4.2 s``, ``38 s``, ``5 min``."""
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 100 else f"{value / 60:.0f} min"
