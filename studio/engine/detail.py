"""A picture, the same larger, and parts of it again, each at the full size (web UIs' detailer), as one
run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from PIL import Image

from studio.engine.inputs.frame import AtHand
from studio.engine.second_pass import AT_HAND, Make, in_two_passes, with_kept
from studio.errors import StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.plan import Plan
from studio.preprocessors.parts import parts_of, see_ready
from studio.preset import Detail, Preset
from studio.preset.derived import detail_of
from studio.preset.detail import of_detail

Find = Callable[[Image.Image], Sequence[Image.Image]]
NONE_FOUND = "detail.finder: nothing was found, so that no part was made again"


def in_turn(
    preset: Preset, multiple: int, stated: Plan, make: Make
) -> Generator[Event, None, None]:
    """The events of every pass that a preset asks for.

    Args:
        preset: of one image, its size and prompts settled.
        multiple: of what the picture's sides must be.
        stated: its plan.
        make: one pass of a preset, from what it starts from.

    Raises:
        StudioError: as :func:`studio.engine.second_pass.in_two_passes` and :func:`with_detail`.
    """
    detail = preset.detail
    see_ready(detail)
    whole = preset.model_copy(update={"detail": Detail()})
    steps = stated.second.steps if stated.second else 0
    twice = preset.second_pass.on
    picture = in_two_passes(whole, multiple, steps, make) if twice else make(whole, None)
    with closing(picture):
        if detail.on:
            yield from with_detail(preset, picture, partial(parts_of, detail=detail), make)
        else:
            yield from picture


def with_detail(
    preset: Preset, picture: Iterable[Event], find: Find, make: Make
) -> Generator[Event, None, None]:
    """The events of a picture and of its parts, counted as one run. The picture without them is not
    ``Done`` but a ``FirstPass``, except where a part fails: then the picture comes as far as it is,
    as ``Done``, before the error.

    Args:
        preset: of one image, with a detail.
        picture: the events of the picture itself.
        find: the masks (L, of the picture's size) of what is made again.
        make: one pass of a preset, from what it starts from.

    Raises:
        StudioError: as ``find`` and ``make``; what only the parts cannot names a field of ``detail``.
    """
    rest, done = Progress(0, 0, 0.0, 0.0, 0), None
    try:
        for event in picture:
            if isinstance(event, Done):
                done = event
                continue
            rest = event if isinstance(event, Progress) else rest
            yield event
    except Exception:
        if done is not None:  # the first of two passes, kept
            yield done
        raise
    assert done is not None
    yield FirstPass(done)
    try:
        with of_detail():
            again = detail_of(preset, AT_HAND)
            yield replace(rest, stage="finding", seconds_left=0.0)
            masks = find(done.image)
            if not masks:
                done = replace(done, notes=(*done.notes, NONE_FOUND))
            for ahead, mask in zip(reversed(range(len(masks))), masks, strict=True):
                before = rest
                with closing(make(again, AtHand(done.image, mask))) as events:
                    for event in events:
                        if isinstance(event, Done):
                            # The largest come first: so many at most are these.
                            detail = preset.detail.model_copy(update={"most": len(masks) - ahead})
                            done = _joined(done, event, detail)
                            yield FirstPass(done)
                        elif isinstance(event, Progress):
                            rest = _following(event, before, 0)
                            yield _following(event, before, ahead)
                        elif isinstance(event, Preview):
                            yield replace(event, step=before.steps + event.step)
    except Exception as error:
        yield done  # what is made is kept
        if not isinstance(error, StudioError):
            raise
        raise with_kept(error, "the picture is kept as far as it is") from error
    yield _with(done, preset.detail)


def _with(done: Done, detail: Detail) -> Done:
    """The picture as one of a preset with this detail."""
    return replace(done, preset=done.preset.model_copy(update={"detail": detail}))


def _following(event: Progress, before: Progress, ahead: int) -> Progress:
    """A step of a part as one of the whole run.

    Args:
        before: the last step before the part. ahead: parts that are made after it.
    """
    each = event.seconds + event.seconds_left
    return replace(
        event,
        step=before.steps + event.step,
        steps=before.steps + event.steps * (1 + ahead),
        seconds=before.seconds + event.seconds,
        seconds_left=event.seconds_left + each * ahead,
        forwards=before.forwards + event.forwards,
    )


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
