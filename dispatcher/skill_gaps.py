"""Where a crew is thin: single points of failure, work that too few can do, and the training that helps most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TypeVar

from dispatcher.coverage import Cell, Coverage, crew
from dispatcher.demand import asks_of, first_chance, open_orders, start_spans
from dispatcher.model import Engineer, WorkOrder
from dispatcher.problem import Problem
from dispatcher.spans import Span
from skills.qualification import Gap, RequiredSkill, qualify
from skills.queries import FOR_EVER, NEVER, Standing, held_until
from skills.training import SoleHolding, Training, best_trainings

MOST_TRAININGS = 10
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class SinglePoint:
    """Hours on end in which one person only on shift holds what is needed (`coverage.Cell.is_single_point`).

    Attributes:
        skill: The skill.
        level: The level at which it is asked for.
        engineers: Who is the only one: one person, or who hands over to whom within the hour.
        hours: The hours, as positions in `Coverage.hours`, one after the other.
        orders: The open orders that ask for it, by id.
    """

    skill: str
    level: int
    engineers: tuple[str, ...]
    hours: tuple[int, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Hours on end in which something is needed and nobody on shift holds it."""

    skill: str
    level: int
    hours: tuple[int, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nearly:
    """Somebody who is one step short of what is asked (`skills.queries.Standing.one_step`).

    Attributes:
        engineer: Who.
        required: The one skill that is missing.
        reached: The level reached of it; None where a certificate ran out and nothing else leads to it.
        expired: The skill whose certificate ran out and would have sufficed; None where a level is missing.
    """

    engineer: str
    required: RequiredSkill
    reached: int | None
    expired: str | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """Orders that ask for people like no more than there are: nobody may fall ill.

    Attributes:
        required: What each of them has to hold, all of it.
        people: How many such people one of the orders asks for.
        able: Who could: on shift while an order may be started, holding it all then, and admitted by the order's
            lists of engineers. At most as many as `people`.
        nearly: Who is one step short of it meanwhile, by id.
        orders: The orders, by id; each asks for the same and has the same people who could.
    """

    required: tuple[RequiredSkill, ...]
    people: int
    able: tuple[str, ...]
    nearly: tuple[Nearly, ...]
    orders: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many people there are too few; 0 where there are just enough."""
        return self.people - len(self.able)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Everything that is thin in a problem or in one territory of it.

    `ends` of a training are positions in `cells`: the skill, the level and the hour of each single point.
    """

    single_points: tuple[SinglePoint, ...]
    uncovered: tuple[Uncovered, ...]
    shortages: tuple[Shortage, ...]
    trainings: tuple[Training, ...]
    cells: tuple[tuple[str, int, int], ...]


def gaps(problem: Problem, found: Coverage) -> Gaps:
    """The gaps of a problem, given its coverage.

    A training ends a single point where the trained engineer is on shift at all of its moments (`Cell.alone_at`).
    """
    points = [
        (row.skill, row.level, hour, cell)
        for row in found.rows
        for hour, cell in enumerate(row.cells)
        if cell.is_single_point
    ]
    engineers = crew(problem, found.territory)
    holdings = [SoleHolding(skill, level, _others(engineers, cell)) for skill, level, _, cell in points]
    today = found.hours[0].start if found.hours else problem.now
    people = {engineer.id: engineer.skills for engineer in engineers}
    return Gaps(
        tuple(_single_points(found)),
        tuple(_uncovered(found)),
        shortages(problem, found.territory),
        best_trainings(problem.skill_graph, people, holdings, today, MOST_TRAININGS),
        tuple((skill, level, hour) for skill, level, hour, _ in points),
    )


def shortages(problem: Problem, territory: str | None = None) -> tuple[Shortage, ...]:
    """The orders for which there are no more people than they ask for: what misses most first, then by skills."""
    engineers = crew(problem, territory)
    steps = _Steps(problem)
    holders: dict[Required, list[tuple[Engineer, int]]] = {}
    orders: dict[tuple[Required, int, tuple[str, ...], tuple[Nearly, ...]], list[str]] = {}
    for order in open_orders(problem, territory):
        spans = start_spans(problem, order)
        people: dict[Required, int] = {}
        for ask in asks_of(order) if spans else ():
            people[ask.required] = people.get(ask.required, 0) + ask.count
        for required, count in people.items():
            if required not in holders:
                holders[required] = _holders(problem, engineers, required)
            everybody = (
                engineer.id
                for engineer, until in holders[required]
                if order.admits(engineer.id) and first_chance(engineer, spans, until) is not None
            )
            # One more than needed settles it.
            able = tuple(islice(everybody, count + 1))
            if len(able) <= count:
                nearly = tuple(_nearly(steps, engineers, order, spans, required))
                orders.setdefault((required, count, able, nearly), []).append(order.id)
    found = [
        Shortage(required, count, able, nearly, tuple(sorted(names)))
        for (required, count, able, nearly), names in orders.items()
    ]
    return tuple(
        sorted(found, key=lambda item: (-item.missing, [(r.skill, r.level) for r in item.required], item.orders))
    )


Required = tuple[RequiredSkill, ...]


class _Steps:
    """Who is one step short of what, asked often: an answer changes only where a certificate runs out."""

    def __init__(self, problem: Problem) -> None:
        self._graph = problem.skill_graph
        self._known: dict[tuple[str, Required, int], Gap | None] = {}

    def gap(self, engineer: Engineer, required: Required, at: int) -> Gap | None:
        over = sum(item.valid_until is not None and item.valid_until < at for item in engineer.skills)
        key = (engineer.id, required, over)
        if key not in self._known:
            answer = qualify(self._graph, engineer.skills, required, at)
            self._known[key] = Standing(engineer.id, answer).one_step
        return self._known[key]


def _nearly(
    steps: _Steps, engineers: Sequence[Engineer], order: WorkOrder, spans: Sequence[Span], required: Required
) -> Iterator[Nearly]:
    for engineer in engineers:
        chance = first_chance(engineer, spans, FOR_EVER) if order.admits(engineer.id) else None
        gap = None if chance is None else steps.gap(engineer, required, chance)
        if gap is not None:
            yield Nearly(engineer.id, gap.required, gap.best_level, gap.expired.skill if gap.expired else None)


def _holders(problem: Problem, engineers: Iterable[Engineer], required: Required) -> list[tuple[Engineer, int]]:
    """Who covers all of the skills, with the last instant of it."""
    found = []
    for engineer in engineers:
        until = min((held_until(problem.skill_graph, engineer.skills, item) for item in required), default=FOR_EVER)
        if until > NEVER:
            found.append((engineer, until))
    return found


def _others(engineers: Iterable[Engineer], cell: Cell) -> frozenset[str]:
    """Who is on shift at every moment at which somebody is alone, and is not that somebody."""
    return frozenset(
        engineer.id
        for engineer in engineers
        if engineer.id not in cell.alone
        and all(
            any(shift.start <= span.start and span.end <= shift.end for shift in engineer.shifts)
            for span in cell.alone_at
        )
    )


def _single_points(found: Coverage) -> Iterator[SinglePoint]:
    for row in found.rows:
        for engineers, hours in _runs([cell.alone if cell.is_single_point else () for cell in row.cells]):
            yield SinglePoint(row.skill, row.level, engineers, hours, row.orders)


def _uncovered(found: Coverage) -> Iterator[Uncovered]:
    for row in found.rows:
        for _, hours in _runs([bool(cell.needed and not cell.on_shift) for cell in row.cells]):
            yield Uncovered(row.skill, row.level, hours, row.orders)


def _runs(values: Sequence[Value]) -> Iterator[tuple[Value, tuple[int, ...]]]:
    """Each true value with the positions at which it stands on end."""
    for value, places in groupby(range(len(values)), key=values.__getitem__):
        if value:
            yield value, tuple(places)
