"""Who can do a piece of work, why, and who nearly can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.demand import Ask, asks_of, first_chance, start_spans
from dispatcher.model import Engineer, WorkOrder
from dispatcher.problem import Problem
from dispatcher.spans import Span
from skills.qualification import RequiredSkill
from skills.queries import FOR_EVER, Standing, standings


@dataclass(frozen=True, slots=True)
class Answer:
    """One engineer's answer to a question about skills.

    Attributes:
        engineer: Who.
        standing: The paths used with their price, or what is missing.
        admitted: Whether the order's lists of engineers let this one do it.
        on_shift: Whether the instant asked about lies in a shift, overtime apart.
    """

    engineer: Engineer
    standing: Standing
    admitted: bool
    on_shift: bool

    @property
    def able(self) -> bool:
        return self.standing.qualified and self.admitted


def who_holds(
    problem: Problem, required: Sequence[RequiredSkill], at: int, order: WorkOrder | None = None
) -> tuple[Answer, ...]:
    """Everybody's answer at an instant: who may, can and is on shift first, then who may and can, who may, the rest.

    Among equals the order is that of `skills.queries.standings`.
    """
    people = {engineer.id: engineer.skills for engineer in problem.engineers}
    found = [
        Answer(
            engineer := problem.engineer_by_id[standing.person],
            standing,
            order is None or order.admits(standing.person),
            any(shift.start <= at < shift.end for shift in engineer.shifts),
        )
        for standing in standings(problem.skill_graph, people, required, at)
    ]
    return tuple(
        sorted(found, key=lambda answer: (not answer.admitted, not answer.able, answer.able and not answer.on_shift))
    )


def who_can_do(problem: Problem, order: WorkOrder, at: int) -> tuple[tuple[Ask, tuple[Answer, ...]], ...]:
    """For each role of an order, or its one engineer, everybody's answer at an instant."""
    return tuple((ask, who_holds(problem, ask.required, at, order)) for ask in asks_of(order))


def first_start(problem: Problem, order: WorkOrder | None = None) -> int:
    """The first instant from now on at which the order may be started and anybody is on shift.

    Without an order the first at which anybody is; where nobody is any more, when the order may be started, else now.
    """
    now = max(problem.now, problem.start)
    spans = (Span(now, problem.end),) if order is None else start_spans(problem, order)
    chances = [chance for item in problem.engineers if (chance := first_chance(item, spans, FOR_EVER)) is not None]
    return min(chances or [span.start for span in spans], default=now)
