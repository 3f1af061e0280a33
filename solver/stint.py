"""One work stop an engineer could make, compiled for fast testing: place, times, duration and what lateness costs.

A stint holds everything the reference rules ask of one stop that does not depend on where in the route it stands.
Costs are in thousandths, as the weights are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.facts import unserved_latenesses
from dispatcher.model import Engineer, WorkOrder
from dispatcher.problem import Problem
from dispatcher.service import effective_qualification, repeat_visit_seconds, stretched_seconds
from dispatcher.soft_rules import CHANGE_TOLERANCE_SECONDS

FAR_FUTURE = 1 << 60
FAR_PAST = -(1 << 60)

Segment = tuple[int, int | None, int]
"""(last start it holds for, service seconds or None where not qualified, penalty in thousandths)."""


@dataclass(frozen=True, slots=True)
class LatenessCost:
    """Deadlines of an order and what missing them costs (thousandths per second, thousandths once)."""

    arrive_by: int
    start_by: int
    restore_by: int
    arrival: int
    arrival_once: int
    start: int
    start_once: int
    restore: int
    restore_once: int

    def of(self, arrival: int, start: int, end: int) -> int:
        """Cost of one on-site stop that is alone in serving its order."""
        cost = 0
        if arrival > self.arrive_by:
            cost += (arrival - self.arrive_by) * self.arrival + self.arrival_once
        if start > self.start_by:
            cost += (start - self.start_by) * self.start + self.start_once
        if end > self.restore_by:
            cost += (end - self.restore_by) * self.restore + self.restore_once
        return cost

    def of_starts(self, starts: list[int]) -> int:
        """Cost of the start lateness of several on-site members."""
        late = sum(max(0, start - self.start_by) for start in starts)
        return late * self.start + self.start_once if late else 0

    def worst(self, arrival: int, start: int, end: int) -> int:
        """The largest of the three latenesses, in seconds."""
        return max(0, arrival - self.arrive_by, start - self.start_by, end - self.restore_by)


@dataclass(frozen=True, slots=True)
class Stint:
    """See the module. `windows` are (start, end) sorted; `place` is a location index.

    For a placed team member `others_arrival` and `others_end` are the first arrival and last end of the other
    on-site members, so that the order's own lateness stays exact while this route changes. `after` are the orders
    this one waits for: it never comes before them on a route.
    """

    order: WorkOrder
    role: str | None
    remote: bool
    place: int
    windows: tuple[tuple[int, int], ...]
    segments: tuple[Segment, ...]
    setup_seconds: int
    lateness: LatenessCost | None
    fixed_cost: int = 0
    not_before: int = FAR_PAST
    not_after: int = FAR_FUTURE
    end_by: int = FAR_FUTURE
    running_since: int | None = None
    others_arrival: int = FAR_FUTURE
    others_end: int = FAR_PAST
    previous_start: int | None = None
    moved_cost: int = 0
    after: frozenset[str] = frozenset()

    def held(self, *, not_before: int, not_after: int) -> Stint:
        """The same stint with a narrower range of starts."""
        return replace(self, not_before=max(self.not_before, not_before), not_after=min(self.not_after, not_after))


def lateness_cost(problem: Problem, order: WorkOrder) -> LatenessCost | None:
    """What lateness of an order costs; None where it has no deadline."""
    deadlines = order.deadlines
    if deadlines.arrive_by is None and deadlines.start_by is None and deadlines.restore_by is None:
        return None
    weight = problem.weights.of
    return LatenessCost(
        FAR_FUTURE if deadlines.arrive_by is None else deadlines.arrive_by,
        FAR_FUTURE if deadlines.start_by is None else deadlines.start_by,
        FAR_FUTURE if deadlines.restore_by is None else deadlines.restore_by,
        weight("late_arrival", order.level),
        weight("late_arrival_once", order.level),
        weight("late_start", order.level),
        weight("late_start_once", order.level),
        weight("late_restore", order.level),
        weight("late_restore_once", order.level),
    )


def unserved_cost(problem: Problem, order: WorkOrder) -> int:
    """What leaving an order undone costs, in thousandths."""
    cost = int(order.value * problem.weights.of("unserved"))
    lateness = lateness_cost(problem, order)
    if lateness is not None:
        late = unserved_latenesses(order, problem.end)
        arrival, start, restore = (late[kind][0] for kind in ("late_arrival", "late_start", "late_restore"))
        cost += arrival * lateness.arrival + (lateness.arrival_once if arrival else 0)
        cost += start * lateness.start + (lateness.start_once if start else 0)
        cost += restore * lateness.restore + (lateness.restore_once if restore else 0)
    return cost


def segments(
    problem: Problem, engineer: Engineer, order: WorkOrder, role: str | None, on_site_size: int
) -> tuple[Segment, ...]:
    """Duration and penalty by start: they change only where a certificate runs out."""
    found: list[Segment] = []
    weight = problem.weights.of("substitution")
    for until in (*problem.qualification_instants(engineer, order, role), FAR_FUTURE):
        answer = effective_qualification(problem, engineer, order, role, until)
        if not answer.qualified:
            found.append((until, None, 0))
            continue
        seconds = stretched_seconds(engineer, order, role, on_site_size, answer)
        found.append((until, seconds, int(answer.penalty * weight)))
    return tuple(found)


def make_stint(
    problem: Problem, engineer: Engineer, order: WorkOrder, role: str | None = None, on_site_size: int = 1
) -> Stint | None:
    """The stint of an engineer for an order; None where no skill at any time would do.

    For an order without a team it carries all costs of serving it; for a team's member only what is the
    member's own (penalties), as lateness is judged over the whole team.
    """
    spans = segments(problem, engineer, order, role, on_site_size)
    if all(seconds is None for _, seconds, _ in spans):
        return None
    alone = order.team is None
    remote = order.presence(role) == "remote"
    running = problem.is_running(order)
    pin = order.pin
    fixed_cost = 0
    previous = problem.previous.get(order.id)
    if alone:
        if order.preferred_engineers and engineer.id not in order.preferred_engineers:
            fixed_cost += problem.weights.of("preference")
        if previous is not None and previous.engineers != {engineer.id}:
            fixed_cost += problem.weights.of("change")
        if problem.weights.of("repeat_visit"):
            fixed_cost += problem.weights.of("repeat_visit") * repeat_visit_seconds(order, [(engineer, None)])
    stint = Stint(
        order=order,
        role=role,
        remote=remote,
        place=problem.location_index[order.location],
        windows=() if running or remote else tuple(sorted((window.start, window.end) for window in order.time_windows)),
        segments=spans,
        setup_seconds=0 if remote else order.setup_seconds,
        lateness=lateness_cost(problem, order) if alone else None,
        fixed_cost=fixed_cost,
        previous_start=previous.first_start if alone and previous is not None else None,
        moved_cost=problem.weights.of("change_shift"),
        after=frozenset(d.work_order for d in order.depends_on if d.work_order is not None),
    )
    if pin is not None and pin.engineer == engineer.id and pin.start is not None:
        if running:
            return replace(stint, running_since=pin.start)
        return stint.held(not_before=pin.start, not_after=pin.start)
    return stint


def latest_start(stint: Stint, latest: int) -> int:
    """The latest start of a stint by its bounds and windows that is not later than an instant."""
    latest = min(latest, stint.not_after)
    if stint.windows:
        latest = max((min(latest, closes) for opens, closes in stint.windows if opens <= latest), default=FAR_PAST)
    return latest


def shortest_seconds(stint: Stint) -> int:
    """What a stint takes at least, without setup."""
    if len(stint.segments) == 1:
        return stint.segments[0][1] or 0
    return min(seconds for _, seconds, _ in stint.segments if seconds is not None)


def segment_at(stint: Stint, start: int) -> Segment:
    """What holds for a stint that starts at an instant."""
    segments = stint.segments
    if len(segments) == 1:
        return segments[0]
    return next(segment for segment in segments if start <= segment[0])


def in_windows(windows: Sequence[tuple[int, int]], start: int) -> int:
    """The earliest start in a window from an instant on; behind the last window one that nothing allows."""
    for opens, closes in windows:
        if start <= closes:
            return start if start > opens else opens
    return FAR_FUTURE + 1


def judged(stint: Stint, arrival: int, start: int, end: int, worst: int) -> tuple[int, int]:
    """What the times of a stop cost (thousandths), and the largest lateness with it (seconds)."""
    cost, lateness = 0, stint.lateness
    if lateness is not None:
        first_arrival, last_end = min(arrival, stint.others_arrival), max(end, stint.others_end)
        if first_arrival > lateness.arrive_by or start > lateness.start_by or last_end > lateness.restore_by:
            counted = lateness.start_by if stint.order.team is not None else start
            cost = lateness.of(first_arrival, counted, last_end)
            worst = max(worst, lateness.worst(first_arrival, start, last_end))
    if stint.previous_start is not None:
        moved = abs(start - stint.previous_start) - CHANGE_TOLERANCE_SECONDS
        if moved > 0:
            cost += moved * stint.moved_cost
    return cost, worst
