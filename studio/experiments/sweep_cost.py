"""What a sweep costs, said before its first picture: pictures, passes, and time by earlier pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from studio.errors import StudioError
from studio.history import Record, history
from studio.plan import Plan
from studio.preset import Preset, parse
from studio.preset.second_pass import ROUNDED
from studio.preset.sweep import MAX_CELLS, Axis, changed, count_of, settings

PlanOf = Callable[[Preset], Plan]
MOST_PLANNED = 40  # settings whose plans are added up; of more, as many spread over all of them
MOST_LOOKED_AT, ALIKE = 200, 20  # of the last pictures; of those, as many tell the pace


@dataclass(frozen=True)
class Cost:
    """``pictures`` in all; ``passes`` of the networks, ``exact`` or about; ``seconds`` at the pace of
    earlier pictures, ``None`` where none is known."""

    pictures: int
    passes: int
    exact: bool
    seconds: float | None


def cost(
    preset: Preset, axes: Sequence[Axis], plan_of: PlanOf, pace: float | None, seeds: int = 1
) -> Cost:
    """What the sweep's pictures take together.

    Args:
        plan_of: compiles a preset. pace: seconds of one pass. seeds: pictures of each setting.

    Raises:
        StudioError: a value that its field cannot take, or a model that is not here.
    """
    total = count_of(*axes)
    numbers = range(total)
    if total > MOST_PLANNED:
        numbers = [place * total // MOST_PLANNED for place in range(MOST_PLANNED)]
    each = [
        plan_of(changed(preset, axes, settings(axes, number))).forwards_expected
        for number in numbers
    ]
    passes = round(sum(each) / len(each) * total) * seeds
    seconds = None if pace is None else passes * pace
    return Cost(total * seeds, passes, total == len(each), seconds)


def refuse_too_many(
    preset: Preset,
    axes: Sequence[Axis],
    plan_of: PlanOf,
    pace: Callable[[], float | None],
    seeds: int = 1,
    most: int = MAX_CELLS,
) -> None:
    """Refuse more pictures than a sweep makes, with what they would cost, before any is looked at.

    Raises:
        StudioError: there are more than ``most``.
    """
    total = count_of(*axes) * seeds
    if total <= most:
        return
    one = preset.model_copy(update={"sampler": preset.sampler.model_copy(update={"count": 1})})
    passes = plan_of(one).forwards_expected * total
    seconds = pace()
    raise StudioError(
        f"{total} images, {passes} passes of the networks; a sweep makes at most {most} images"
        if seconds is None
        else f"{total} images, {passes} passes of the networks, about {_time(passes * seconds)} "
        f"at the pace of the last pictures; a sweep makes at most {most} images",
        field="sweep",
    )


def _time(seconds: float) -> str:
    hours = seconds / 3600
    if hours > 48:
        return f"{hours / 24:.0f} days"
    if hours >= 1:
        said = f"{hours:.1f}".removesuffix(".0") if hours < 10 else f"{hours:.0f}"
        return f"{said} hour{'' if said == '1' else 's'}"
    return f"{max(1.0, seconds / 60):.0f} min"


def pace_of(preset: Preset) -> float | None:
    """Seconds of one pass by the last pictures of this machine: those of the same base and size where
    there are some; ``None`` where nothing is known."""
    last: list[Record] = []
    with suppress(StudioError):  # another program holds the history
        last = [r for r in history().search(limit=MOST_LOOKED_AT).records if r.forwards]
    last = [record for record in last if record.seconds]
    alike = [record for record in last if _alike(record, preset)]
    counted = (alike or last)[:ALIKE]
    if not counted:
        return None
    return sum(r.seconds or 0 for r in counted) / sum(r.forwards or 0 for r in counted)


def _alike(record: Record, preset: Preset) -> bool:
    if record.base != preset.base:
        return False
    scale, sampler = preset.second_pass.scale, preset.sampler
    near = ROUNDED if preset.second_pass.on else 0
    sides = ((sampler.width, record.width), (sampler.height, record.height))
    if any(asked is not None and abs(scale * asked - made) > near for asked, made in sides):
        return False
    return _passes(record.preset) == (preset.second_pass.on, preset.detail.on)


def _passes(text: str) -> tuple[bool, bool]:
    """Whether a preset's JSON asks for a second pass, and for parts that are made again."""
    try:
        made = parse(text)
    except StudioError:
        return False, False
    return made.second_pass.on, made.detail.on
