"""At which steps it is looked at what the rows of a run pull towards, and what is looked at there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studio.plan.moments import step_numbers
from studio.plan.passes import Look
from studio.plan.terms import Node
from studio.plan.turns import Turns

# Of the evaluations. What differs between rows differs early: later each prediction says little more
# than what is in the latent already.
MOMENTS = (0.05, 0.15, 0.5)


def looked_at(evaluations: int) -> tuple[int, ...]:
    """The evaluations to look at, counted from 0; fewer than three in a run of fewer."""
    found: list[int] = []
    for moment in MOMENTS:
        found.append(max(int(moment * evaluations), found[-1] + 1 if found else 0))
    return tuple(step for step in found if step < evaluations)


def looks(
    turns: Turns, bases: Sequence[Node], progress: Sequence[float], place: Mapping[Node, int]
) -> Iterator[Look]:
    """What is looked at, for each of :func:`looked_at`.

    Args:
        bases: ``ε_0`` of every evaluation.
        progress: of every evaluation, in [0, 1).
        place: the number of each prediction that runs at some evaluation.
    """
    numbers = step_numbers(turns.first.preset, len(progress))
    for step in looked_at(len(progress)):
        own, terms = {}, turns.at(progress[step])
        for index, row, _ in terms.active(progress[step], numbers[step]):
            shares = terms.own(index, row, bases[step])
            if shares.keys() <= place.keys():
                own[index] = {place[key]: share for key, share in shares.items()}
        yield Look(step, place.get(bases[step]), own)
