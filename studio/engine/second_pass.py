"""Two passes as one run: a picture, and the same larger, from one stream of events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from studio.engine.inputs.frame import AtHand
from studio.errors import StudioError
from studio.events import Done, Drift, Event, FirstPass, Preview, Progress, RowShare
from studio.preset import Preset, SecondPass
from studio.preset.derived import second_of
from studio.preset.second_pass import of_second_pass

Norms = tuple[float | None, ...]
Make = Callable[[Preset, AtHand | None], Generator[Event, None, None]]
AT_HAND = "-"  # in place of a reference: the picture is handed on as it is


def in_two_passes(
    preset: Preset, multiple: int, steps: int, make: Make
) -> Generator[Event, None, None]:
    """The events of both passes, counted as one run; the first picture is not ``Done`` but a
    ``FirstPass``, except where the second fails: then it comes as ``Done`` before the error.

    Args:
        preset: of one image, its size settled, with a second pass.
        multiple: of what the picture's sides must be.
        steps: evaluations of the second pass.
        make: one pass of a preset, from a picture where there is one.

    Raises:
        StudioError: as ``make``; what only the second cannot names a field of ``second_pass``.
    """
    once = preset.model_copy(update={"second_pass": SecondPass()})
    width, height = preset.sampler.width or 0, preset.sampler.height or 0
    second = second_of(preset, AT_HAND, (width, height), multiple)
    asking = preset.second_pass.asking(preset.rows)
    expected, rest = None, Progress(0, 0, 0.0, 0.0, 0)
    first: Done | None = None
    try:
        with closing(make(once, None)) as events:
            for event in events:
                if isinstance(event, Done):
                    first = event
                elif isinstance(event, Progress):
                    expected = _Expected.after(event, once, second, steps, expected)
                    rest = event
                    yield expected.added_to(event)
                else:
                    yield event
    except Exception:
        if first is not None:  # as far as its rounds have come
            yield first
        raise
    assert first is not None and expected is not None
    yield FirstPass(first)
    try:
        with of_second_pass(asking), closing(make(second, AtHand(first.image))) as events:
            for event in events:
                if isinstance(event, Done):
                    twice = {"second_pass": preset.second_pass}
                    yield joined(first, event, first.preset.model_copy(update=twice))
                elif isinstance(event, Progress):
                    yield _following(event, rest, expected)
                elif isinstance(event, Preview):
                    yield replace(event, step=rest.steps + event.step)
    except Exception as error:
        yield first  # what is made is kept
        if not isinstance(error, StudioError):
            raise
        raise with_kept(error, "the first pass is kept") from error


def with_kept(error: StudioError, kept: str) -> StudioError:
    """The error that also says what is kept of the run."""
    return type(error)(f"{error.message} · {kept}", field=error.field)


def _following(event: Progress, first: Progress, expected: _Expected) -> Progress:
    """A step of the second pass as one of both.

    Args:
        first: the last step of the first pass. expected: before the second began.
    """
    return replace(
        event,
        step=first.steps + event.step,
        steps=first.steps + expected.steps,
        seconds=first.seconds + event.seconds,
        seconds_left=event.seconds_left if event.step else expected.seconds,
        forwards=first.forwards + event.forwards,
    )


@dataclass(frozen=True)
class _Expected:
    """What the second pass will take, by the first's steps: ``steps``, and ``seconds`` in all."""

    steps: int
    seconds: float

    @staticmethod
    def after(
        event: Progress, first: Preset, second: Preset, steps: int, last: _Expected | None
    ) -> _Expected:
        """What is to be expected after a step of the first; before one, as it was."""
        ahead = event.steps - event.step
        if not event.step or not ahead:
            return _Expected(steps, last.seconds if last else 0.0)
        pixels = [(one.sampler.width or 1) * (one.sampler.height or 1) for one in (first, second)]
        return _Expected(steps, event.seconds_left / ahead * steps * pixels[1] / pixels[0])

    def added_to(self, event: Progress) -> Progress:
        """A step of the first pass as one of both."""
        left = event.seconds_left + self.seconds
        return replace(event, steps=event.steps + self.steps, seconds_left=left)


def joined(first: Done, second: Done, preset: Preset) -> Done:
    """The second picture as one of ``preset``, with what both passes took and did."""
    return replace(
        second,
        seed=first.seed,
        preset=preset,
        forwards=first.forwards + second.forwards,
        seconds=first.seconds + second.seconds,
        shares=_shares(first.shares, second.shares),
        drift=_drifts(first.drift, second.drift),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        saved=first.saved + second.saved,
        estimated_error=max(first.estimated_error, second.estimated_error),
        explanation=first.explanation,
    )


def _shares(first: Sequence[RowShare], second: Sequence[RowShare]) -> tuple[RowShare, ...]:
    """Each row's measures along both passes, step after step."""
    steps = [max((len(one.norm) for one in part), default=0) for part in (first, second)]
    found = [{one.row: one for one in part} for part in (first, second)]

    def joined(row: int) -> RowShare:
        none = [RowShare(row, (None,) * count, (None,) * count) for count in steps]
        a, b = (known.get(row, empty) for known, empty in zip(found, none, strict=True))
        missing = (*a.missing, *(steps[0] + step for step in b.missing))
        return RowShare(row, a.norm + b.norm, a.cosine + b.cosine, missing)

    return tuple(joined(row) for row in sorted({*found[0], *found[1]}))


def _drifts(first: Sequence[Drift], second: Sequence[Drift]) -> tuple[Drift, ...]:
    """The same of the drift of each weights."""
    steps = [max((len(one.norm) for one in part), default=0) for part in (first, second)]
    found = [{one.weights: one.norm for one in part} for part in (first, second)]

    def joined(weights: str) -> Norms:
        none: list[Norms] = [(None,) * count for count in steps]
        a, b = (known.get(weights, empty) for known, empty in zip(found, none, strict=True))
        return a + b

    return tuple(
        Drift(weights, joined(weights)) for weights in dict.fromkeys([*found[0], *found[1]])
    )
