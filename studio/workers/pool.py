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
from typing import TypeVar

from studio.errors import StudioError
from studio.workers import crew as says
from studio.workers.hands import MOST_STRIKES, Hand, Place, Run, Ticket, best_for
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
    """

    def __init__(
        self,
        crew: says.Crew,
        most: int,
        tell: Callable[[str], object] = lambda line: None,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.crew, self.tell, self.patience, self.clock = crew, tell, patience, clock
        self.places = [Place() for _ in range(most)]
        self.reason = ""  # why the last worker was lost
        self.device = ""  # of the first that was there: pictures of one run are of one kind
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
        run = Run(tasks, pack)
        try:
            while run.open:
                run.fill()
                if not run.open:
                    break
                self._hire(run.open)
                self._give(run)
                self._see_that_it_goes_on(run)
                made, wrong = self._news(run)
                if wrong is None:
                    self._give(run)  # before whoever has asked takes the time that it takes
                yield from made
                if wrong is not None:
                    raise wrong
            if run.wrong is not None:
                raise run.wrong
        finally:
            self._cancel(run)

    def _news(self, run: Run) -> tuple[list[tuple[int, says.Made]], StudioError | None]:
        """The pictures that have come, and what ends the run, once they are passed on."""
        made: list[tuple[int, says.Made]] = []
        try:
            for report in self.crew.wait(TICK_SECONDS):
                self._take(report, run, made)
            self._look_for_overdue()
        except StudioError as error:
            return made, error
        return made, None

    # -- workers --------------------------------------------------------------------------------
    def _hire(self, jobs: int) -> None:
        """Fill the places that are free, as long as there are more jobs than workers."""
        for place in self.places:
            if place.closed or place.hand is not None or len(self.hands) >= jobs:
                continue
            hand = place.hand = Hand(next(self._workers), self.clock(), self.crew.where)
            try:
                self.crew.hire(hand.worker)
            except StudioError:
                place.hand = None
                raise
            except Exception as error:  # whatever it is, it must not stop the others
                self._lose(hand, _words(error))

    def _take(self, report: says.Report, run: Run, made: list[tuple[int, says.Made]]) -> None:
        """What one report changes; a picture that it brings goes to ``made``."""
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
            if ticket is not None and ticket.run is run:
                self._answered(hand, ticket, report.answer, made)

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

    def _answered(
        self,
        hand: Hand,
        ticket: Ticket,
        answer: says.Answer,
        made: list[tuple[int, says.Made]],
    ) -> None:
        if isinstance(answer, says.Mistake):
            raise StudioError(answer.message, field=answer.field)
        if isinstance(answer, says.Made):
            self._place_of(hand).strikes = 0
            hand.remember(ticket.job.networks)
            ticket.run.open -= 1
            made.append((ticket.index, answer))
            return
        ticket.run.back(ticket)
        if isinstance(answer, says.Lacking):
            for name in answer.models.keys() - hand.lacks.keys():
                self.tell(f"a worker on {hand.where} {answer.models[name]}; others get its work")
            hand.lacks |= answer.models

    def _lose(self, hand: Hand, reason: str) -> None:
        """A worker is no more: what it had goes back, its place is filled anew a few times.

        Raises:
            StudioError: the job that it had begun has cost too many.
        """
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
            raise StudioError(
                f"picture {begun.index + 1} has cost {MOST_TRIES} workers; the last: {reason}",
                field=FIELD,
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
    def _give(self, run: Run) -> None:
        """A job to each worker that has none, then the next ones while there are plenty."""
        ready = [hand for hand in self.hands if hand.ready]
        for filled in range(IN_HAND):
            for hand in ready:
                plenty = not filled or len(run.waiting) > len(self.hands)
                if len(hand.tickets) > filled or not plenty:
                    continue
                ticket = best_for(hand, run.waiting, self.hands)
                if ticket is not None:
                    self._hand_over(hand, ticket, run)
                    run.fill()

    def _hand_over(self, hand: Hand, ticket: Ticket, run: Run) -> None:
        if not hand.tickets:
            hand.since = self.clock()
        run.waiting.remove(ticket)
        ticket.number = next(self._numbers)
        hand.tickets.append(ticket)
        try:
            self.crew.give(hand.worker, ticket.number, ticket.job)
        except Exception as error:
            self._lose(hand, _words(error))

    def _see_that_it_goes_on(self, run: Run) -> None:
        """Raise where nobody is left who could do what is waiting."""
        if all(place.closed for place in self.places):
            raise StudioError(f"no worker is left; the last: {self.reason}", field=FIELD)
        hands = self.hands
        if run.waiting and hands and all(hand.ready and not hand.tickets for hand in hands):
            lines = {
                f"a worker on {hand.where} {what}"
                for hand in hands
                for name, what in hand.lacks.items()
                if name in run.waiting[0].job.models
            }
            raise StudioError("; ".join(sorted(lines)) or "no worker takes a job", field=FIELD)

    def _cancel(self, run: Run) -> None:
        run.close()
        for hand in self.hands:
            if any(ticket.run is run for ticket in hand.tickets):
                with suppress(Exception):
                    self.crew.cancel(hand.worker)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
