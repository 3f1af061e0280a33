"""Where else an order without a team could go in a running day: the routes to try, the likely ones first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from dispatcher.model import WorkOrder
from solver.route_state import Insertion
from solver.stint import Stint, make_stint
from solver.team_options.gaps import IMPOSSIBLE
from solver.team_options.warm_day import WarmDay
from solver.team_options.working_day import WorkingDay

RANKED = 12
"""Routes kept for an order whose work could go there."""


def likely_routes(
    day: WarmDay, state: WorkingDay, order: WorkOrder, bounds: tuple[int, int], most: int
) -> Iterator[tuple[int, int]]:
    """(about what it costs at least, route) of people who may do an order without a team, in thousandths.

    Up to `most` are those that it costs least in the plan, the least first; then come all routes that are not as
    planned any more, of which only the detour is known, the shortest first.
    """
    fresh = (
        item
        for item in ranked_routes(day, state, order, bounds)
        if item[1] not in state.changed and state.routes[item[1]].engineer.id not in state.spared
    )
    yield from islice(fresh, most)
    place, weight = state.problem.location_index[order.location], state.problem.weights.of("travel")
    yield from sorted(
        (state.least_detour(index, place) * weight, index)
        for index in state.changed
        if _may_do(day, state, order, index) and state.routes[index].engineer.id not in state.spared
    )


def ranked_routes(
    day: WarmDay, state: WorkingDay, order: WorkOrder, bounds: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """(about what it costs, route) of some who may do an order without a team, as planned, apart from its own."""
    key = (order.id, bounds)
    found = day.kept.ranked.get(key)
    if found is None:
        ranked: list[tuple[int, int]] = []
        own = {day.index_of[key] for key in day.keys_of.get(order.id, ())}
        costs = day.gaps.cost_by_route(order, bounds, day.able(order.required_skills))
        for index in np.argsort(costs, kind="stable").tolist():
            cost = costs[index]
            if cost >= IMPOSSIBLE or len(ranked) == RANKED:
                break
            # Only those who know enough and are still on shift have a cost.
            if index not in own and order.admits(state.routes[index].engineer.id):
                ranked.append((int(cost), index))
        found = day.kept.ranked[key] = tuple(ranked)
    return found


def _may_do(day: WarmDay, state: WorkingDay, order: WorkOrder, index: int) -> bool:
    route = state.routes[index]
    if route.is_closed or route.shift.latest_end <= state.problem.now or not order.admits(route.engineer.id):
        return False
    return all(day.reach(item.skill).get(route.engineer.id, 0) >= item.level for item in order.required_skills)


def plain_stint(day: WarmDay, state: WorkingDay, order: WorkOrder, index: int, bounds: tuple[int, int]) -> Stint | None:
    """The stint of a route's engineer for an order without a team; None where pin or skills forbid it."""
    engineer = state.routes[index].engineer
    if order.pin is not None and order.pin.engineer != engineer.id:
        return None
    key = (order.id, bounds, index)
    if key not in day.kept.stints:
        stint = make_stint(state.problem, engineer, order)
        day.kept.stints[key] = None if stint is None else stint.held(not_before=bounds[0], not_after=bounds[1])
    return day.kept.stints[key]


def cheapest_place(
    day: WarmDay, state: WorkingDay, stint: Stint, index: int, bounds: tuple[int, int], below: int
) -> tuple[int, Insertion] | None:
    """(price, insertion) of a plain stint on a route, in thousandths; None where no place costs less than `below`.

    The answer of a route that is as planned is the same for every team that calls its order away, so it is kept.
    """
    route = state.routes[index]
    is_kept = index not in state.changed and not state.has_shared_rules
    key = (stint.order.id, bounds, index)
    known = day.kept.places.get(key) if is_kept else None
    if known is None or (isinstance(known, int) and known < below):
        answer = route.best_insertion(stint, price=state.price_for(index), below=below)
        known = below if answer is None or answer[0] >= below else answer
        if is_kept:
            day.kept.places[key] = known
    return None if isinstance(known, int) or known[0] >= below else known
