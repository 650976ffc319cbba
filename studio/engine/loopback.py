"""A picture that goes through several times, each result the start of the next round (A1111's loopback),
as one run."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from studio.engine.inputs.frame import AtHand
from studio.engine.second_pass import AT_HAND, Make, joined, with_kept
from studio.errors import StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.preset import Preset
from studio.preset.derived import round_of


def looping(make: Make, steps: int) -> Make:
    """``make``, where a preset's own start goes through as often as that says.

    Args:
        steps: evaluations of a round.
    """

    def looped(preset: Preset, start: AtHand | None) -> Generator[Event, None, None]:
        several = start is None and preset.init is not None and preset.init.loops > 1
        return in_rounds(preset, steps, make) if several else make(preset, start)

    return looped


def in_rounds(preset: Preset, steps: int, make: Make) -> Generator[Event, None, None]:
    """The events of all rounds, counted as one run. The picture of each but the last is not ``Done``
    but a ``FirstPass`` of a preset of so many rounds, except where the next fails: then it comes as
    ``Done`` before the error.

    Args:
        preset: of one image, its size settled, from a picture.
        steps: evaluations of a round.
        make: one pass of a preset, from a picture where there is one.

    Raises:
        StudioError: as ``make``.
    """
    assert preset.init is not None
    rounds, done = preset.init.loops, None
    before = last = Progress(0, steps * rounds, 0.0, 0.0, 0)
    for number in range(rounds):
        start = None if done is None else AtHand(done.image)
        try:
            with closing(make(round_of(preset, number, AT_HAND), start)) as events:
                for event in events:
                    if isinstance(event, Done):
                        done = _with_rounds(event, done, number + 1)
                    elif isinstance(event, Progress):
                        last = _following(event, before, last, (number + 1, rounds), steps)
                        yield last
                    elif isinstance(event, Preview):
                        yield replace(event, step=before.step + event.step)
        except Exception as error:
            if done is None:
                raise
            yield done  # what is made is kept
            if not isinstance(error, StudioError):
                raise
            kept = "the picture is kept as far as it is"
            raise with_kept(error, kept) from error
        assert done is not None
        before = replace(last, step=steps * (number + 1))
        if number + 1 < rounds:
            yield FirstPass(done)
    assert done is not None
    yield done


def _following(
    event: Progress, before: Progress, last: Progress, place: tuple[int, int], steps: int
) -> Progress:
    """A step of one round as one of all.

    Args:
        before: the last step of the round before. last: what was said last.
        place: which round it is, from 1, of how many.
    """
    made, rounds = place
    each = (event.seconds + event.seconds_left) if event.step else 0.0
    left = event.seconds_left + each * (rounds - made) if event.step else last.seconds_left
    return replace(
        event,
        step=before.step + event.step,
        steps=steps * rounds,
        seconds=before.seconds + event.seconds,
        seconds_left=left,
        forwards=before.forwards + event.forwards,
        round=place,
    )


def _with_rounds(made: Done, before: Done | None, rounds: int) -> Done:
    """A round's picture with what it and those before it took, as one of the preset of so many."""
    if before is None:
        return made
    init = before.preset.init
    assert init is not None
    again = before.preset.model_copy(update={"init": init.model_copy(update={"loops": rounds})})
    return joined(before, made, again)
