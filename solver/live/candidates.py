"""Everybody ranked for one order: what it would cost, when they would be there, whose promises would suffer."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.collector import collector_paused
from dispatcher.model import WorkOrder
from dispatcher.reasons import Reason
from solver.day_state import DayState
from solver.live.day import LiveDay, Option
from solver.live.why_not import WhyNot
from solver.route_state import Made, RouteState, trace
from solver.stint import Stint


@dataclass(frozen=True, slots=True)
class Effect:
    """What another order of the same route would feel: seconds it starts later (negative: earlier), seconds of
    lateness of any kind before and after, and what that lateness costs more, in thousandths."""

    work_order: str
    level: str
    later_seconds: int
    late_before_seconds: int
    late_after_seconds: int
    cost_milli: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engineer who could do the order, with everything that would change.

    `cost_milli` is what the plan gets dearer by, lateness of the order included, beside leaving it undone;
    `position` counts the stops before it. Instants are epoch seconds.
    """

    engineer: str
    shift: str
    position: int
    cost_milli: int
    travel_seconds: int
    overtime_seconds: int
    arrival: int
    start: int
    end: int
    late_seconds: int
    effects: tuple[Effect, ...]
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """The answer: candidates by cost, the reasons of everybody else, and what leaving the order undone costs."""

    work_order: str
    unserved_cost_milli: int
    candidates: tuple[Candidate, ...]
    others: tuple[Reason, ...]


@collector_paused()
def candidates(day: LiveDay, why_not: WhyNot, name: str) -> Candidates:
    """All engineers for an order without a team: the cheapest place of each, or why there is none.

    An order that is served is thought away first, so that its engineer is a candidate among others.

    Raises:
        NotFound: if the day has no such order.
        WrongState: for the work of teams, running work, and what other orders wait for.
    """
    order = day.order(name)
    state = day.without(order)
    current = {day.state.routes[index].engineer.id for index in day.state.served.get(name, ())}
    best: dict[str, Option] = {}
    stints: dict[str, Stint] = {}
    for index, stint in day.stints(state, order):
        stints[state.routes[index].engineer.id] = stint
        option = day.option(state, order, index, stint)
        if option is None:
            continue
        known = best.get(option.engineer.id)
        if known is None or (option.delta, option.route) < (known.delta, known.route):
            best[option.engineer.id] = option
    ranked = sorted(best.values(), key=lambda option: (option.delta, option.made.arrival, option.engineer.id))
    others = tuple(
        why_not.reason(state, order, engineer, stints.get(engineer.id))
        for engineer in day.problem.engineers
        if engineer.id not in best
    )
    found = tuple(described(state, option, is_current=option.engineer.id in current) for option in ranked)
    return Candidates(name, state.unserved_cost(order), found, others)


def described(state: DayState, option: Option, *, is_current: bool = False) -> Candidate:
    """An option with what it does to its route."""
    route = state.routes[option.route]
    after, made = trace(option.insertion.label), option.made
    before_travel = sum(item.travel for item in route.made()) + route.end()[1]
    travel = sum(item.travel for item in after) + option.insertion.home_travel
    overtime = max(0, option.insertion.label.free - route.shift.end)
    if route.stints:
        overtime -= max(0, route.end()[0] - route.shift.end)
    return Candidate(
        engineer=option.engineer.id,
        shift=route.shift.id,
        position=option.insertion.position,
        cost_milli=option.delta,
        travel_seconds=travel - before_travel,
        overtime_seconds=overtime,
        arrival=made.arrival,
        start=made.start,
        end=made.end,
        late_seconds=late_seconds(option.order, made),
        effects=effects(route, after, option.order.id),
        is_current=is_current,
    )


def effects(route: RouteState, after: list[Made], besides: str) -> tuple[Effect, ...]:
    """What the other orders of a route feel when it is driven in another way; those that feel nothing are left out."""
    before = {made.stint.order.id: made for made in route.made() if made.stint is not None}
    found = []
    for made in after:
        if made.stint is None or made.stint.order.id == besides:
            continue
        order = made.stint.order
        known = before.get(order.id)
        if known is None or known[3:6] == made[3:6]:
            continue
        cost = _lateness_milli(made) - _lateness_milli(known)
        late_before, late_after = late_seconds(order, known), late_seconds(order, made)
        if known.start == made.start and late_before == late_after:
            continue
        found.append(Effect(order.id, order.level, made.start - known.start, late_before, late_after, cost))
    return tuple(found)


def late_seconds(order: WorkOrder, made: Made) -> int:
    """The largest lateness of one stop against the promises of its order; remote members are never late."""
    if made.stint is not None and made.stint.remote:
        return 0
    by = order.deadlines
    pairs = ((made.arrival, by.arrive_by), (made.start, by.start_by), (made.end, by.restore_by))
    return max(
        (instant - deadline for instant, deadline in pairs if deadline is not None and instant > deadline), default=0
    )


def _lateness_milli(made: Made) -> int:
    stint = made.stint
    if stint is None or stint.lateness is None:
        return 0
    return stint.lateness.of(min(made.arrival, stint.others_arrival), made.start, max(made.end, stint.others_end))
