"""A picture, the same larger, and parts of it again, each at the full size (web UIs' detailer), as one
run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from PIL import Image

from studio.engine.inputs.frame import AtHand, Frame
from studio.engine.loopback import looping
from studio.engine.second_pass import AT_HAND, Make, in_two_passes, with_kept
from studio.errors import StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.library import ModelEntry
from studio.plan import Plan
from studio.plan.tiles import part_size
from studio.preprocessors.parts import parts_of, see_ready
from studio.preset import Detail, Preset
from studio.preset.derived import detail_of
from studio.preset.detail import of_detail

Find = Callable[[Image.Image], Sequence[Image.Image]]
NONE_FOUND = "detail.finder: nothing was found, so that no part was made again"
TOO_LARGE = "detail.finder: a part that is larger than it would be made again stays as it is"


def in_turn(
    preset: Preset, base: ModelEntry, stated: Plan, make: Make
) -> Generator[Event, None, None]:
    """The events of every pass that a preset asks for.

    Args:
        preset: of one image, its size and prompts settled.
        base: its entry.
        stated: its plan.
        make: one pass of a preset, from what it starts from.

    Raises:
        StudioError: as :func:`studio.engine.second_pass.in_two_passes` and :func:`with_detail`.
    """
    detail = preset.detail
    if detail.on:  # its weights may have to be fetched
        yield Progress(0, preset.sampler.steps, 0.0, 0.0, 0, "loading")
        see_ready(detail)
    make = looping(make, stated.steps)
    whole = preset.model_copy(update={"detail": Detail()})
    steps = stated.second.steps if stated.second else 0
    twice = preset.second_pass.on
    picture = in_two_passes(whole, base.multiple, steps, make) if twice else make(whole, None)
    with closing(picture):
        if not detail.on:
            yield from picture
            return
        again = detail_of(preset, AT_HAND, part_size(preset, base))
        each = stated.detail.steps if stated.detail else 0
        yield from with_detail(preset, again, picture, partial(parts_of, detail=detail), make, each)


def with_detail(
    preset: Preset, again: Preset, picture: Iterable[Event], find: Find, make: Make, steps: int
) -> Generator[Event, None, None]:
    """The events of a picture and of its parts, counted as one run. The picture without them is not
    ``Done`` but a ``FirstPass``, except where a part fails: then the picture comes as far as it is,
    as ``Done``, before the error.

    Args:
        preset: of one image, with a detail.
        again: that makes a part again.
        picture: the events of the picture itself.
        find: the masks (L, of the picture's size) of what is made again.
        make: one pass of a preset, from what it starts from.
        steps: evaluations of a part.

    Raises:
        StudioError: as ``find`` and ``make``; what only the parts cannot names a field of ``detail``.
    """
    count, done = _Count(steps), None
    try:
        for event in picture:
            if isinstance(event, Done):
                done = event
            elif isinstance(event, Progress):
                yield count.of_picture(event)
            else:
                yield event
    except Exception:
        if done is not None:  # the first of two passes, kept
            yield done
        raise
    assert done is not None
    yield FirstPass(done)
    try:
        with of_detail(preset.detail.asking(preset.active_rows())):
            yield count.finding()
            masks, notes = _small_enough(find(done.image), done.image, again)
            done = replace(done, notes=(*done.notes, *notes))
            count.parts = len(masks)
            for most, mask in masks:
                with closing(make(again, AtHand(done.image, mask))) as events:
                    for event in events:
                        if isinstance(event, Done):
                            detail = preset.detail.model_copy(update={"most": most})
                            done = _joined(done, event, detail)
                            yield FirstPass(done)
                        elif isinstance(event, Progress):
                            yield count.of_part(event)
                        elif isinstance(event, Preview):
                            yield replace(event, step=count.before.step + event.step)
                count.end_part()
    except Exception as error:
        yield done  # what is made is kept
        if not isinstance(error, StudioError):
            raise
        raise with_kept(error, "the picture is kept as far as it is") from error
    yield _with(done, preset.detail)


class _Count:
    """Steps and seconds of a picture and of its parts as one run's; until they are found, one part is
    expected.

    ``before``: the last step before the part that is made.
    """

    def __init__(self, steps: int) -> None:
        self.steps, self.parts = steps, 1
        self.before = self.last = Progress(0, 0, 0.0, 0.0, 0)
        self.each = 0.0  # seconds of a part

    def of_picture(self, event: Progress) -> Progress:
        """A step of the picture."""
        self.before = self.last = event
        ahead = event.steps - event.step
        if event.step and ahead:
            self.each = event.seconds_left / ahead * self.steps
        whole = event.steps + self.steps
        return replace(event, steps=whole, seconds_left=event.seconds_left + self.each)

    def finding(self) -> Progress:
        """Between the picture and its parts."""
        whole = self.before.step + self.steps
        return replace(
            self.before, steps=whole, seconds_left=self.each, stage="finding", round=None
        )

    def of_part(self, event: Progress) -> Progress:
        """A step of the part that is made; where it is being loaded, none."""
        ahead = self.parts - 1
        if event.step:
            self.each = event.seconds + event.seconds_left
        left = event.seconds_left if event.step else self.each
        self.last = event
        return replace(
            event,
            step=self.before.step + event.step,
            steps=self.before.step + self.steps * self.parts,
            seconds=self.before.seconds + event.seconds,
            seconds_left=left + self.each * ahead,
            forwards=self.before.forwards + event.forwards,
        )

    def end_part(self) -> None:
        """One part fewer is ahead."""
        step = self.before.step + self.last.step
        self.parts -= 1
        self.before = replace(
            self.last,
            step=step,
            steps=step,
            seconds=self.before.seconds + self.last.seconds,
            forwards=self.before.forwards + self.last.forwards,
        )


def _small_enough(
    masks: Sequence[Image.Image], picture: Image.Image, again: Preset
) -> tuple[list[tuple[int, Image.Image]], list[str]]:
    """The masks of parts that making again does not make smaller, each with how many parts at most
    make it the last one (the largest come first), and what is to be said of the others."""
    assert again.init is not None
    size = (again.sampler.width or 0, again.sampler.height or 0)
    kept = []
    for most, mask in enumerate(masks, 1):
        left, top, right, bottom = Frame.around(picture, mask, size, again.init.padding).box
        if right - left <= size[0] and bottom - top <= size[1]:
            kept.append((most, mask))
    if not masks:
        return [], [NONE_FOUND]
    return kept, [TOO_LARGE] if len(kept) < len(masks) else []


def _with(done: Done, detail: Detail) -> Done:
    """The picture as one of a preset with this detail."""
    return replace(done, preset=done.preset.model_copy(update={"detail": detail}))


def _joined(before: Done, part: Done, detail: Detail) -> Done:
    """The picture with one more part, and with what both took; shares and drift stay those of the
    whole picture.

    Args:
        detail: that makes as many parts again.
    """
    return replace(
        _with(before, detail),
        image=part.image,
        forwards=before.forwards + part.forwards,
        seconds=before.seconds + part.seconds,
        notes=tuple(dict.fromkeys((*before.notes, *part.notes))),
        saved=before.saved + part.saved,
        estimated_error=max(before.estimated_error, part.estimated_error),
    )
