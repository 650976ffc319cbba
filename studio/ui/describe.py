"""What is always in sight: the equation of the current plan, its cost, and the progress."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterator
from typing import Any

from studio.errors import StudioError
from studio.events import Progress
from studio.images import locate
from studio.library.missing import missing
from studio.plan import Plan
from studio.plan.size import picture_size
from studio.plan.stated import Stated, stated, stated_plan
from studio.preset import Preset
from studio.preset.prompt_hints import HINTS
from studio.preset.variants import chosen, preset_varies
from studio.ui import picture_notes
from studio.ui.counts import counted
from studio.ui.equation import equation
from studio.ui.errors import on_page
from studio.ui.form import to_preset
from studio.ui.idle import idle, idle_of_form
from studio.ui.library.missing import as_html
from studio.ui.library.models import library
from studio.ui.space import Limits
from studio.ui.unused import unused_fields

NO_FAULT = {"field": "", "text": ""}


def describe(limits: Limits, **values: Any) -> list[Any]:
    """The current plan as HTML, why some fields change nothing at present (``None`` for those that
    the base has no use for and that are empty), and what is wrong where.

    The HTML is the equation and its cost; or every model that is missing; or the one line that
    says what stands in the way. The last is ``{"field": dotted path, "text": one line}``, for the
    field to show; both empty where nothing is wrong.
    """
    unused = unused_fields(values)
    try:
        preset = to_preset(values, limits)
        absent = as_html(missing(preset, library()), not limits.shared)
        try:
            known = stated(preset, library())
            plan = stated_plan(preset, library(), known=known)
        except StudioError as error:
            return [absent or _refusal(error), {**idle_of_form(values), **unused}, _fault(error)]
        limits.check(preset)
        check_images(preset)
        if preset_varies(preset):
            chosen(preset, max(0, preset.sampler.seed))  # an unknown wildcard is said while typing
        noted = notes(plan, preset, known)
    except StudioError as error:
        return [_refusal(error), {**idle_of_form(values), **unused}, _fault(error)]
    shown = equation(plan, preset)
    spent = cost(plan, preset.sampler.count, preset.first_step, preset.sampler.steps)
    whole = f'<div class="gs-plan">{absent}{shown}{spent}{noted}</div>'
    return [whole, {**idle(preset, known), **unused}, NO_FAULT]


def check_images(preset: Preset) -> None:
    """See that every image of the rows that take part, and of the start, is there.

    Raises:
        StudioError: names the field of the first that is not.
    """
    for field, reference in _images(preset):
        if not reference.startswith("data:"):
            locate(reference, field=field)


def _images(preset: Preset) -> Iterator[tuple[str, str]]:
    for index, row in preset.active_rows():
        named = {
            "image": row.image,
            "mask": row.mask,
            **{f"{name}.image": one.image for name, one in row.all_controls.items()},
            "image_prompt.image": row.image_prompt.image if row.image_prompt else "",
        }
        yield from ((f"rows.{index}.{name}", image) for name, image in named.items() if image)
    if preset.init:
        parts = {"init.image": preset.init.image, "init.mask": preset.init.mask}
        yield from ((name, image) for name, image in parts.items() if image)


def _fault(error: StudioError) -> dict[str, str]:
    return {"field": error.field, "text": on_page(error.message)}


def _refusal(error: StudioError) -> str:
    press = (
        ' <button type="button" class="gs-word" data-blank="vae">Use the base\'s own</button>'
        if error.field == "vae"
        else ""
    )
    said = html.escape(on_page(str(error)))
    return f'<div class="gs-plan gs-plan-bad" role="status">{said}{press}</div>'


def plan_of(preset: Preset) -> Plan:
    """The plan of a preset with the models of the library as it was last looked at.

    Raises:
        StudioError: a model or another field that cannot be.
    """
    return stated_plan(preset, library())


def _stands_below(note: str, typed: Collection[str]) -> bool:
    """Whether a note is a hint on a row's prompt, which stands under it already."""
    field, _, said = note.partition(": ")
    return field.startswith("rows.") and said in typed


def notes(plan: Plan, preset: Preset, known: Stated) -> str:
    """What to know before the plan of a preset runs, a line each."""
    typed = {hint.text for hint in HINTS.values()}
    shown = [note for note in plan.notes if not _stands_below(note, typed)]
    if known.base is not None:
        shown += picture_notes.notes_of(preset, picture_size(preset, known.base))
    return "".join(
        f'<div class="gs-cost" role="note">{html.escape(on_page(n))}.</div>' for n in shown
    )


def cost(plan: Plan, count: int, skipped: int = 0, steps: int = 0) -> str:
    """Passes per step and in all; ``skipped`` steps are left out by a picture to start from.

    ``steps``: the preset's, where a scheduler's evaluations may be more.
    """
    each = plan.forwards_per_step
    low, high = (min(each), max(each)) if each else (0, 0)
    passes = str(high) if low == high else f"{low}–{high}"
    begun = steps - skipped if steps else len(each)
    length = counted(begun, "step") + (f" of {begun + skipped}" if skipped else "")
    if plan.unit != "step":
        length += f" ({len(each)} evaluations)"
    if plan.rounds > 1:
        length += f" × {plan.rounds} rounds"
    more = f" × {count} images" if count > 1 else ""
    again = f", {plan.second.forwards_total} of them in the second pass" if plan.second else ""
    parts = ""
    if plan.detail:
        parts = f" · {plan.detail.forwards_total} more for each part that is found"
    return (
        f'<div class="gs-cost"><b>{passes}</b> {"pass" if passes == "1" else "passes"} per {plan.unit}'
        f" · {length} · <b>{plan.forwards_total}</b> in all{again}{more}{parts}</div>"
    )


def progress_bar(
    done: float,
    text: str,
    state: str = "running",
    run: str = "",
    field: str = "",
    value: str = "",
) -> str:
    """The page's own progress bar.

    Args:
        run: which run failed, so that the page knows it when it is shown again.
        field: the path of the field that it was refused for, and its ``value`` there, as JSON.
    """
    percent = round(100 * min(1.0, max(0.0, done)))
    of = "".join(
        f' data-{name}="{html.escape(value)}"'
        for name, value in (("run", run), ("field", field), ("value", value))
        if value
    )
    return (
        f'<div class="gs-progress" data-state="{state}"{of} role="progressbar" aria-label="Progress" '
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
    if event.round:
        batch = f" · round {event.round[0]} of {event.round[1]}{batch}"
    if event.step == 0 or event.stage != "denoising":
        return progress_bar(share, f"{event.stage.capitalize()} …{batch}{more}")
    until = f" · {seconds(left)} left" if left else ""
    text = (
        f"Step {event.step}/{event.steps} · {event.seconds:.1f} s{until} · "
        f"{counted(event.forwards, 'pass')}"
    )
    return progress_bar(share, f"{text}{batch}{more}")


def seconds(value: float) -> str:
    """A time to wait, in words: ``4.2 s``, ``38 s``, ``5 min``."""
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 100 else f"{value / 60:.0f} min"
