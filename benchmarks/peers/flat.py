"""The part of a planning problem that every routing solver can model, as plain numbers.

What a solver cannot be told is refused here, by name, rather than left out: a plan for another problem would
compare nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.vrptw import MUST_SERVE_ALL
from dispatcher.model import Engineer, Shift, WorkOrder
from dispatcher.problem import Problem

_COUNTED = {"unserved": 1000, "travel": 1000}
_IDLE_RULES = frozenset(
    {"overtime", "substitution", "preference", "association", "change", "change_shift", "worst_lateness"}
)
"""Rules that may have any weight: nothing in a flat day can run them up."""


class CannotModel(Exception):  # noqa: N818
    """The problem has what these solvers cannot be told; the message names it."""


@dataclass(frozen=True, slots=True)
class FlatOrder:
    """One visit. Times in seconds from the horizon's start; `demand` by part in the day's order of parts.

    `crew` numbers the set of shifts that may serve it (`FlatDay.crews`).
    """

    id: str
    location: int
    service: int
    windows: tuple[tuple[int, int], ...]
    value: int
    demand: tuple[int, ...]
    crew: int


@dataclass(frozen=True, slots=True)
class FlatShift:
    """One route at most: from `start_location` at `start` or later, back at `end_location` by `end`."""

    engineer: str
    shift: str
    start_location: int
    end_location: int
    start: int
    end: int
    capacity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlatDay:
    """A problem as every routing solver understands it; served orders cost travel, unserved ones their value.

    Attributes:
        seconds: travel between locations, shape (locations, locations), int64.
        crews: each crew is the numbers of the shifts that hold the skills.
        parts: how many kinds of parts there are.
        must_serve_all: no order may be left, whatever it costs.
    """

    orders: tuple[FlatOrder, ...]
    shifts: tuple[FlatShift, ...]
    seconds: NDArray[np.int64]
    crews: tuple[frozenset[int], ...]
    parts: int
    must_serve_all: bool

    @classmethod
    def of(cls, problem: Problem, document: Mapping[str, Any]) -> FlatDay:
        """The flat day of a problem and the document it was read from.

        Raises:
            CannotModel: with everything of the problem that has no place here.
        """
        reasons = sorted(set(_obstacles(problem)))
        if reasons:
            raise CannotModel(f"not a flat day: {', '.join(reasons)}")
        return _Reader(problem).day(bool((document.get("attributes") or {}).get(MUST_SERVE_ALL)))


def _obstacles(problem: Problem) -> Iterator[str]:
    if problem.travel.varies_with_time:
        yield "traffic"
    if problem.previous:
        yield "current_plan"
    for rule, weight in problem.weights.flat.items():
        if weight != _COUNTED.get(rule, weight if rule in _IDLE_RULES else 0):
            yield f"weight of {rule}"
    for engineer in problem.engineers:
        yield from _engineer_obstacles(engineer)
    for order in problem.work_orders:
        yield from _order_obstacles(order)


def _engineer_obstacles(engineer: Engineer) -> Iterator[str]:
    if engineer.speed_factor != 1:
        yield "speed_factor"
    if any(factor != 1 for factor in engineer.duration_factors.values()):
        yield "duration_factors"
    if any(skill.valid_until is not None for skill in engineer.skills):
        yield "valid_until"
    for shift in engineer.shifts:
        if shift.breaks:
            yield "breaks"
        if shift.latest_end != shift.end:
            yield "overtime"
        if shift.end_location is None:
            yield "open routes"
        if shift.max_work_orders is not None:
            yield "max_work_orders"


def _order_obstacles(order: WorkOrder) -> Iterator[str]:
    named = {
        "team": order.team,
        "allowed_engineers": order.allowed_engineers,
        "excluded_engineers": order.excluded_engineers,
        "preferred_engineers": order.preferred_engineers,
        "related_to": order.related_to,
        "depends_on": order.depends_on,
        "pin": order.pin,
        "setup_seconds": order.setup_seconds,
    }
    yield from (name for name, present in named.items() if present)
    deadlines = order.deadlines
    if any(by is not None for by in (deadlines.arrive_by, deadlines.start_by, deadlines.restore_by)):
        yield "deadlines"
    if not isinstance(order.value, int):
        yield "value that is no whole number"


class _Reader:
    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._parts = sorted({part for order in problem.work_orders for part in order.parts})
        self._shifts = [(engineer, shift) for engineer in problem.engineers for shift in engineer.shifts]
        self._crews: dict[frozenset[int], int] = {}
        self._crew_of: dict[Any, int] = {}
        used = [order.location for order in problem.work_orders]
        used += [place for _, shift in self._shifts for place in (shift.start_location, shift.end_location) if place]
        self._places = list(dict.fromkeys(used))
        self._number = {place: number for number, place in enumerate(self._places)}

    def day(self, must_serve_all: bool) -> FlatDay:
        orders = tuple(self._order(order) for order in self._problem.work_orders)
        shifts = tuple(self._shift(engineer, shift) for engineer, shift in self._shifts)
        return FlatDay(orders, shifts, self._seconds(), tuple(self._crews), len(self._parts), must_serve_all)

    def _seconds(self) -> NDArray[np.int64]:
        rows = [self._problem.location_index[place] for place in self._places]
        travel = self._problem.travel
        return np.array([[travel.free_flow_row(i, 1)[j] for j in rows] for i in rows], dtype=np.int64).reshape(
            len(rows), len(rows)
        )

    def _clock(self, instant: int) -> int:
        return max(instant, self._problem.now) - self._problem.start

    def _shift(self, engineer: Engineer, shift: Shift) -> FlatShift:
        assert shift.end_location is not None
        return FlatShift(
            engineer=engineer.id,
            shift=shift.id,
            start_location=self._number[shift.start_location],
            end_location=self._number[shift.end_location],
            start=self._clock(shift.start),
            end=self._clock(shift.end),
            capacity=tuple(engineer.parts.get(part, 0) for part in self._parts),
        )

    def _order(self, order: WorkOrder) -> FlatOrder:
        whole = (self._problem.now, self._problem.end)
        given = [(window.start, window.end) for window in order.time_windows] or [whole]
        windows = [(start, end) for start, end in given if end >= self._problem.now]
        assert isinstance(order.value, int)
        return FlatOrder(
            id=order.id,
            location=self._number[order.location],
            service=order.service_seconds,
            windows=tuple((self._clock(start), self._clock(end)) for start, end in windows or [whole]),
            value=order.value,
            demand=tuple(order.parts.get(part, 0) for part in self._parts),
            # An order whose windows are past is left to nobody.
            crew=self._crew(order) if windows else self._number_of(frozenset()),
        )

    def _crew(self, order: WorkOrder) -> int:
        crew = self._crew_of.get(order.required_skills)
        if crew is None:
            able = frozenset(number for number, (engineer, _) in enumerate(self._shifts) if self._can(engineer, order))
            crew = self._crew_of[order.required_skills] = self._number_of(able)
        return crew

    def _number_of(self, crew: frozenset[int]) -> int:
        return self._crews.setdefault(crew, len(self._crews))

    def _can(self, engineer: Engineer, order: WorkOrder) -> bool:
        answer = self._problem.qualification(engineer, order, None, self._problem.now)
        if answer.qualified and (answer.penalty or answer.duration_factor != 1):
            raise CannotModel("not a flat day: substituted skills")
        return answer.qualified
