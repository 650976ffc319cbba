"""The pool: which worker does what, and what becomes of a job whose worker is lost.

One thread does all of it: it hears what has happened, hands out what is waiting and passes the
pictures on. A picture is made once, in whatever order; a mistake of a person's ends the run, a lost
worker does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, TypeVar

from studio.errors import StudioError
from studio.events import Event
from studio.workers import crew as says
from studio.workers.hands import (
    MOST_STRIKES,
    Hand,
    Place,
    Run,
    Ticket,
    best_for,
    can_go_on,
    lacking_in,
    nearest,
    words_of,
)
from studio.workers.job import Job
from studio.workers.versions import difference, versions

FIELD = "--workers"
IN_HAND = 2  # jobs of a worker: the one that it does, and the next
MOST_TRIES = 3  # workers that one job may cost
START_SECONDS, PATIENCE_SECONDS = 600.0, 900.0  # until a worker is there; between two steps
TICK_SECONDS = 1.0

Task = TypeVar("Task")


class Pool:
    """Workers of one crew; close it, or use it in a ``with``.

    Args:
        crew: what hires workers.
        most: workers at a time; no more are hired than there are jobs.
        tell: gets a line for what a person should know: a worker that was lost.
        patience: seconds without a step after which a worker counts as lost.
        clock: seconds, as :func:`time.monotonic`.
        in_hand: jobs that a worker has at most.
    """

    def __init__(
        self,
        crew: says.Crew,
        most: int,
        tell: Callable[[str], object] = lambda line: None,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        in_hand: int = IN_HAND,
    ) -> None:
        self.in_hand = in_hand
        self.crew, self.tell, self.patience, self.clock = crew, tell, patience, clock
        self.places = [Place() for _ in range(most)]
        self.reason = ""  # why the last worker was lost
        self.device = ""  # of the first that was there: pictures of one run are of one kind
        self.runs: list[Run[Any]] = []
        self._workers, self._numbers = count(), count()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every worker; never fails."""
        with suppress(Exception):
            self.crew.stop()
        for place in self.places:
            place.hand = None

    @property
    def hands(self) -> list[Hand]:
        """The workers that there are, starting ones among them."""
        return [place.hand for place in self.places if place.hand is not None]

    def run(
        self, tasks: Sequence[Task], pack: Callable[[Task], Job]
    ) -> Generator[tuple[int, says.Made], None, None]:
        """Every task's number and what was made of it, as it comes.

        Closing the iterator cancels what is under way; the workers stay for the next run.

        Args:
            pack: makes a task's job; called when its turn comes near.

        Raises:
            StudioError: what is wrong with a task, in the maker's words; no worker is left; a job
                has cost :data:`MOST_TRIES` workers.
        """
        run = self.begin(tasks, pack)
        try:
            while run.open:
                self.turn()
                yield from run.taken()
                if run.failed is not None:
                    raise run.failed
            if run.wrong is not None:
                raise run.wrong
        finally:
            self.end(run)

    def begin(
        self,
        tasks: Sequence[Task],
        pack: Callable[[Task], Job],
        heard: Callable[[int, Event], object] = lambda index, event: None,
    ) -> Run[Task]:
        """A run beside those that there are; :meth:`turn` brings all of them on."""
        run = Run(tasks, pack, heard)
        self.runs.append(run)
        return run

    def end(self, run: Run[Any]) -> None:
        """Nothing of a run is wanted any more; what is under way is cancelled."""
        run.close()
        self.runs = [one for one in self.runs if one is not run]
        for hand in self.hands:
            if any(ticket.run is run for ticket in hand.tickets):
                with suppress(Exception):
                    self.crew.cancel(hand.worker)

    def turn(self, seconds: float = TICK_SECONDS) -> None:
        """Hire, hand out, and hear what has happened, waiting for it ``seconds`` at most."""
        for run in self.runs:
            run.fill()
        wanted = sum(run.open for run in self.runs)
        if not wanted:
            return
        try:
            self._hire(wanted)
        except StudioError as error:
            self._fail_all(error)
            return
        self._give()
        self._see_that_it_goes_on()
        if any(run.open for run in self.runs):
            for report in self.crew.wait(seconds):
                self._take(report)
            self._look_for_overdue()
            self._give()  # before whoever has asked takes the time that it takes

    def _fail_all(self, error: StudioError) -> None:
        for run in self.runs:
            run.fail(error)

    # -- workers --------------------------------------------------------------------------------
    def _hire(self, jobs: int) -> None:
        """Fill the places that are free, as long as there are more jobs than workers; those that
        lack a model do not count."""
        for place in self.places:
            able = sum(not hand.lacks for hand in self.hands)
            if place.closed or place.hand is not None or able >= jobs:
                continue
            hand = place.hand = Hand(next(self._workers), self.clock(), self.crew.where)
            try:
                self.crew.hire(hand.worker)
            except StudioError:
                place.hand = None
                raise
            except Exception as error:  # whatever it is, it must not stop the others
                self._lose(hand, words_of(error))

    def _take(self, report: says.Report) -> None:
        """What one report changes."""
        hand = next((one for one in self.hands if one.worker == report.worker), None)
        if hand is None:
            return  # of one that was dismissed
        hand.since = self.clock()
        if isinstance(report, says.Ready):
            self._welcome(hand, report)
        elif isinstance(report, says.Lost):
            self._lose(hand, report.reason)
        elif isinstance(report, says.Answered):
            ticket = hand.take(report.number)
            if ticket is not None and ticket.run in self.runs:
                self._answered(hand, ticket, report.answer)
        elif report.event is not None:
            ticket = hand.holds(report.number)
            if ticket is not None and ticket.run in self.runs:
                ticket.run.heard(ticket.index, report.event)

    def _welcome(self, hand: Hand, report: says.Ready) -> None:
        hand.ready, hand.where = True, report.where
        self.device = self.device or report.device
        unfit = difference(versions(), report.versions)
        if unfit:
            unfit = f"other versions: {unfit}"
        elif report.device != self.device:
            unfit = f"it runs on {report.device}, the others on {self.device}"
        if unfit:
            self.crew.dismiss(hand.worker)
            self._place_of(hand).strikes = MOST_STRIKES  # another there would be no better
            self._lose(hand, unfit)

    def _answered(self, hand: Hand, ticket: Ticket, answer: says.Answer) -> None:
        if isinstance(answer, says.Mistake):
            ticket.run.fail(StudioError(answer.message, field=answer.field))
            return
        if isinstance(answer, says.Made):
            self._place_of(hand).strikes = 0
            hand.remember(ticket.job.networks)
            ticket.run.keep(ticket, answer)
            return
        ticket.run.back(ticket)
        if isinstance(answer, says.Lacking):
            for name in answer.models.keys() - hand.lacks.keys():
                self.tell(f"a worker on {hand.where} {answer.models[name]}; others get its work")
            hand.lacks |= answer.models

    def _lose(self, hand: Hand, reason: str) -> None:
        """A worker is no more: what it had goes back, its place is filled anew a few times. A run
        whose job has cost too many ends."""
        place = self._place_of(hand)
        place.hand, place.strikes, self.reason = None, place.strikes + 1, reason
        self.tell(f"a worker on {hand.where} is lost ({reason})")
        for ticket in reversed(hand.tickets):
            ticket.run.back(ticket)
        if not hand.tickets:
            return
        begun = hand.tickets[0]
        begun.tries += 1
        if begun.tries >= MOST_TRIES and begun.run.open:
            begun.run.fail(
                StudioError(
                    f"picture {begun.index + 1} has cost {MOST_TRIES} workers; the last: {reason}",
                    field=FIELD,
                )
            )

    def _look_for_overdue(self) -> None:
        """Count those as lost that do not start, or have made no step for too long."""
        for hand in self.hands:
            allowed = self.patience if hand.ready else START_SECONDS
            if (hand.tickets or not hand.ready) and self.clock() - hand.since > allowed:
                self.crew.dismiss(hand.worker)
                what = "no step" if hand.ready else "not there"
                self._lose(hand, f"{what} after {allowed:g} s")

    def _place_of(self, hand: Hand) -> Place:
        return next(place for place in self.places if place.hand is hand)

    # -- jobs -----------------------------------------------------------------------------------
    def _give(self) -> None:
        """A job to each worker that has none, then the next ones while there are plenty."""
        for filled in range(self.in_hand):
            for hand in nearest(self.hands, [one for run in self.runs for one in run.waiting]):
                waiting = [ticket for run in self.runs for ticket in run.waiting]
                plenty = not filled or len(waiting) > len(self.hands)
                if len(hand.tickets) > filled or not plenty:
                    continue
                ticket = best_for(hand, waiting, self.hands)
                if ticket is not None:
                    self._hand_over(hand, ticket)
                    ticket.run.fill()

    def _hand_over(self, hand: Hand, ticket: Ticket) -> None:
        if not hand.tickets:
            hand.since = self.clock()
        ticket.run.waiting.remove(ticket)
        ticket.number = next(self._numbers)
        hand.tickets.append(ticket)
        try:
            self.crew.give(hand.worker, ticket.number, ticket.job)
        except Exception as error:
            self._lose(hand, words_of(error))

    def _see_that_it_goes_on(self) -> None:
        """End the runs that nobody is left for."""
        if all(place.closed for place in self.places):
            self._fail_all(StudioError(f"no worker is left; the last: {self.reason}", field=FIELD))
            return
        hands = self.hands
        if not hands or not all(hand.ready for hand in hands):
            return
        stuck = [run for run in self.runs if run.waiting and not can_go_on(run, hands)]
        for run in stuck:
            run.fail(StudioError(lacking_in(run.waiting[0].job, hands), field=FIELD))
        if stuck:  # whoever asks again may have mended it
            for hand in hands:
                hand.lacks.clear()
