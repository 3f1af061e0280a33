"""How likely each visit of a plan is on time, where work and driving take longer or shorter than planned.

Durations are log-normal around what is planned, spread by a coefficient of variation that may depend on level and
skill. A plan is driven forward many times at once, in the order of its planned starts, so that a delay travels along
routes and, through teams, between them. Chance is stratified and seeded: the same plan has the same answer.

Reference: McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input variables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from statistics import NormalDist

from dispatcher.facts import Facts, WorkStop, read_facts
from dispatcher.model import Level, TimeWindow, WorkOrder
from dispatcher.plan import Plan, Stop
from dispatcher.problem import Problem

SAMPLES = 200
"""Days driven at once. The error of a probability is at most a few points, and smaller than that of any estimate."""
_NORMAL = NormalDist()
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How much durations vary: standard deviation over mean, of work by its first required skill, else by its level,
    else in general; and of driving."""

    service: float = 0.35
    travel: float = 0.15
    by_level: Mapping[Level, float] = field(default_factory=dict)
    by_skill: Mapping[str, float] = field(default_factory=dict)

    def of_service(self, order: WorkOrder) -> float:
        skill = order.required_skills[0].skill if order.required_skills else None
        if skill is not None and skill in self.by_skill:
            return self.by_skill[skill]
        return self.by_level.get(order.level, self.service)


@dataclass(frozen=True, slots=True)
class Chance:
    """What to expect of one order. Instants are epoch seconds.

    `on_time` is the probability that everything promised is kept (deadlines and the time windows), None where nothing
    was promised. Nine of ten days the first engineer arrives by `arrival_late` and the work ends by `end_late`;
    `buffer_seconds` is how much later that is than planned.
    """

    work_order: str
    on_time: float | None
    arrival_early: int
    arrival_median: int
    arrival_late: int
    end_late: int
    buffer_seconds: int


def chances(
    problem: Problem, plan: Plan, uncertainty: Uncertainty | None = None, *, samples: int = SAMPLES, seed: int = 1
) -> dict[str, Chance]:
    """The chances of every served order of a plan, by id."""
    drive = _Drive(read_facts(problem, plan), uncertainty or Uncertainty(), samples, seed)
    return drive.chances()


@lru_cache(maxsize=8)
def _strata(samples: int) -> tuple[float, ...]:
    """The middles of so many equally likely parts of the standard normal distribution."""
    return tuple(_NORMAL.inv_cdf((number + 0.5) / samples) for number in range(samples))


def drawn(mean: float, variation: float, samples: int, dice: Random, *, beyond: float = 0.0) -> list[float]:
    """Log-normal durations with a mean and a coefficient of variation, in random order; all longer than `beyond`.

    `beyond` is the time that has passed already: work that goes on is known to take longer than that.
    """
    if mean <= 0:
        return [max(0.0, beyond)] * samples
    if variation <= 0:
        return [max(mean, beyond)] * samples
    variance = math.log(1 + variation * variation)
    location, scale = math.log(mean) - variance / 2, math.sqrt(variance)
    if beyond > 0:
        passed = min(1 - _LEAST, _NORMAL.cdf((math.log(beyond) - location) / scale))
        shares = (passed + (1 - passed) * (number + 0.5) / samples for number in range(samples))
        found = [math.exp(location + scale * _NORMAL.inv_cdf(min(1 - _LEAST, share))) for share in shares]
    else:
        found = [math.exp(location + scale * normal) for normal in _strata(samples)]
    dice.shuffle(found)
    return found


class _Drive:
    """All routes of a plan, many days at once: every quantity is a list with one value per day."""

    def __init__(self, facts: Facts, uncertainty: Uncertainty, samples: int, seed: int) -> None:
        self._facts, self._uncertainty, self._samples, self._seed = facts, uncertainty, samples, seed
        self._now = facts.problem.now
        self._keys = {route.index: (route.engineer.id, route.shift.id) for route in facts.routes}
        self._free: dict[int, list[float]] = {}
        self._arrivals: dict[str, list[list[float]]] = {}
        self._ends: dict[str, list[float]] = {}
        self._starts: dict[str, list[float]] = {}

    def chances(self) -> dict[str, Chance]:
        stops = [
            (self._planned(route.stops[position]), route.index, position)
            for route in self._facts.routes
            for position in range(1, len(route.stops))
            if route.stops[position].kind != "end"
        ]
        work = {(stop.route, stop.position): stop for route in self._facts.routes for stop in route.work}
        for route in self._facts.routes:
            self._free[route.index] = [float(route.stops[0].end or 0)] * self._samples
        waiting: dict[str, list[WorkStop]] = {}
        for _, route_index, position in sorted(stops):
            made = work.get((route_index, position))
            if made is None:
                self._rest(route_index, self._facts.plan.routes[route_index].stops[position])
                continue
            together = waiting.setdefault(made.order.id, [])
            together.append(made)
            service = self._facts.services.get(made.order.id)
            if service is not None and len(together) == len(service.stops):
                self._serve(made.order, together)
        return {name: self._chance(name) for name in self._ends}

    @staticmethod
    def _planned(stop: Stop) -> int:
        return stop.start or 0

    def _rest(self, route: int, stop: Stop) -> None:
        shift = self._facts.problem.shift_by_key[self._keys[route]]
        planned, seconds = stop.start or 0, (stop.end or 0) - (stop.start or 0)
        # Who is free sooner than planned rests sooner, from when the break may begin.
        opens = max(
            (rest.earliest_start for rest in shift.breaks if rest.earliest_start <= planned <= rest.latest_start),
            default=planned,
        )
        self._free[route] = [max(free, float(opens)) + seconds for free in self._free[route]]

    def _serve(self, order: WorkOrder, members: Sequence[WorkStop]) -> None:
        """All members of an order: they arrive each by themselves, and start as they do in the plan, or later."""
        arrivals = {stop.engineer.id: self._arrival(order, stop) for stop in members}
        first = min(stop.start for stop in members)
        running = self._facts.problem.is_running(order)
        held = first if order.team is not None else None
        begun = [self._start(order, values, held) for values in zip(*arrivals.values(), strict=True)]
        ends: list[list[float]] = []
        for stop in members:
            lag = stop.start - first
            dice = Random(f"{self._seed}/work/{order.id}/{stop.engineer.id}")
            passed = max(0, self._now - stop.start) if running else 0
            seconds = drawn(
                stop.end - stop.start, self._uncertainty.of_service(order), self._samples, dice, beyond=passed
            )
            since = [float(stop.start)] * self._samples if running else [value + lag for value in begun]
            end = [start + duration for start, duration in zip(since, seconds, strict=True)]
            self._free[stop.route] = end
            if stop.presence == "on_site":
                ends.append(end)
        on_site = [arrivals[stop.engineer.id] for stop in members if stop.presence == "on_site"]
        self._arrivals[order.id] = on_site
        self._starts[order.id] = [float(first)] * self._samples if running else begun
        self._ends[order.id] = [max(values) for values in zip(*ends, strict=True)]

    def _arrival(self, order: WorkOrder, stop: WorkStop) -> list[float]:
        free = self._free[stop.route]
        if self._facts.problem.is_running(order):
            return [float(stop.arrival)] * self._samples
        dice = Random(f"{self._seed}/drive/{order.id}/{stop.engineer.id}")
        travel = drawn(stop.travel_seconds, self._uncertainty.travel, self._samples, dice)
        return [max(left, self._now) + seconds for left, seconds in zip(free, travel, strict=True)]

    def _start(self, order: WorkOrder, arrivals: Iterable[float], held: int | None) -> float:
        ready = max(*arrivals, float(self._now), float(held or 0))
        return _inside(ready, order.time_windows)

    def _chance(self, name: str) -> Chance:
        order = self._facts.problem.order_by_id[name]
        service = self._facts.services[name]
        first = [min(values) for values in zip(*self._arrivals[name], strict=True)]
        starts, ends = self._starts[name], self._ends[name]
        ranked, ranked_ends = sorted(first), sorted(ends)
        late = round(_quantile(ranked_ends, 0.9))
        return Chance(
            work_order=name,
            on_time=self._on_time(order, first, starts, ends),
            arrival_early=round(_quantile(ranked, 0.1)),
            arrival_median=round(_quantile(ranked, 0.5)),
            arrival_late=round(_quantile(ranked, 0.9)),
            end_late=late,
            buffer_seconds=max(0, late - service.last_end),
        )

    def _on_time(
        self, order: WorkOrder, arrivals: Sequence[float], starts: Sequence[float], ends: Sequence[float]
    ) -> float | None:
        by = order.deadlines
        closes = max((window.end for window in order.time_windows), default=None)
        if self._facts.problem.is_running(order):
            closes = None
        promises = [
            (values, instant)
            for values, instant in (
                (arrivals, by.arrive_by),
                (starts, by.start_by),
                (starts, closes),
                (ends, by.restore_by),
            )
            if instant is not None
        ]
        if not promises:
            return None
        # A second of grace: planned times are whole seconds, and so is what was promised.
        kept = (all(values[day] < instant + 1 for values, instant in promises) for day in range(self._samples))
        return sum(kept) / self._samples


def _inside(ready: float, windows: Sequence[TimeWindow]) -> float:
    """The first instant inside a window; after all of them the work is done late."""
    inside = [max(ready, float(window.start)) for window in windows if ready <= window.end]
    return min(inside) if inside else ready


def _quantile(ranked: Sequence[float], share: float) -> float:
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
